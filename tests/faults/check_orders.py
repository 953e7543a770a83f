"""Orders and reviews: each acknowledged change is there, each path is legal, each event was published once."""

from collections import Counter, defaultdict
from typing import Final

from tests.faults.history import Call, History
from tests.faults.truth import Document, Truth, Verdict

_PIPELINE: Final = ("confirmed", "in_production", "quality_check", "shipped", "delivered", "completed")
_ORDER_EVENTS: Final = ("order.created.v1", "order.status_changed.v1", "order.updated.v1")


def check(verdict: Verdict, truth: Truth, history: History, quotes: dict[str, bool]) -> None:
    orders = truth.by_id("orders", "orders")
    of_quote = {order["quote_id"]: order for order in orders.values()}
    verdict.same(len(of_quote), len(orders), "one order for each quote")
    verdict.same(len({order["number"] for order in orders.values()}), len(orders), "numbers are unique")
    _each_quote(verdict, of_quote, history, quotes)
    published = defaultdict(list)
    for event in truth.distinct(*_ORDER_EVENTS):
        published[event["subject"]].append(event)
    verdict.that(published.keys() <= orders.keys(), "events tell of orders that there are")
    for order in orders.values():
        _legal_path(verdict, order)
        _published_once(verdict, order, published[order["_id"]])
    for call in history.calls:
        _acknowledged_step(verdict, call, orders)
    _reviews(verdict, truth, history, orders)


def _each_quote(
    verdict: Verdict, of_quote: dict[str, Document], history: History, quotes: dict[str, bool]
) -> None:
    calls = history.of("POST", "/orders")
    asked = {call.body["quote_id"] for call in calls} | quotes.keys()
    verdict.that(of_quote.keys() <= asked, "nobody accepted the quote of some order")
    for call in calls:
        order = of_quote.get(call.body["quote_id"])
        if call.acknowledged:
            verdict.that(
                order and order["_id"] == call.answer["id"], f"an acknowledged order is missing: {call}"
            )
        if order:
            whole = (order["quantity"], order["product"]["name"], order["factory_id"], order["deadline"])
            body = call.body
            verdict.same(
                whole,
                (body["quantity"], body["product"]["name"], body["factory_id"], body["deadline"]),
                f"order {order['_id']} is as it was asked for",
            )
    for quote_id, confirmed in quotes.items():
        verdict.that(quote_id in of_quote or not confirmed, f"no order came of the event of quote {quote_id}")


def _legal_path(verdict: Verdict, order: Document) -> None:
    statuses = [entry["status"] for entry in order["history"]]
    times = [entry["at"] for entry in order["history"]]
    verdict.same(statuses, list(_PIPELINE[: len(statuses)]), f"path of order {order['_id']}")
    verdict.same(times, sorted(times), f"times of order {order['_id']}")
    verdict.same(order["status"], statuses[-1], f"status of order {order['_id']}")
    verdict.same(order["active"], order["status"] != "completed", f"order {order['_id']} is active")
    sides = {
        "in_production": "factory",
        "quality_check": "factory",
        "shipped": "factory",
        "delivered": "buyer",
    }
    for entry in order["history"]:
        expected = sides.get(entry["status"])
        verdict.that(expected in {None, entry["by"]["side"]}, f"{entry} of order {order['_id']}")


def _published_once(verdict: Verdict, order: Document, events: list[Document]) -> None:
    """Each version has one event, the first is the creation, and steps are told as steps."""
    name = f"events of order {order['_id']}"
    by_version = Counter(event["sequence"] for event in events)
    verdict.same(dict(by_version), dict.fromkeys(range(1, order["version"] + 1), 1), f"{name} by version")
    statuses = [entry["status"] for entry in order["history"]]
    told = sorted(
        (event for event in events if "updated" not in event["type"]), key=lambda event: event["sequence"]
    )
    verdict.same([event["data"]["status"] for event in told], statuses, f"{name}: steps")
    verdict.same([event["type"] for event in told[:1]], ["order.created.v1"], f"{name}: the first")
    for event in events:
        seen = [entry["status"] for entry in event["data"]["history"]]
        verdict.same(seen, statuses[: len(seen)], f"{name}: history in {event['id']}")


def _acknowledged_step(verdict: Verdict, call: Call, orders: dict[str, Document]) -> None:
    if not call.acknowledged or call.method != "POST" or not call.path.startswith("/orders/"):
        return
    _, _, order_id, what = call.path.split("/", maxsplit=3)
    order = orders.get(order_id)
    if order is None:
        verdict.that(False, f"the order of an acknowledged call is missing: {call}")
        return
    to = {"status": (call.body or {}).get("to"), "receipt": "delivered"}.get(what)
    if to:
        entry = next((each for each in order["history"] if each["status"] == to), None)
        verdict.that(
            entry and (entry["by"]["user_id"], entry["note"]) == (call.user_id, call.body["note"]),
            f"an acknowledged step is missing, or another's: {call}, but {entry}",
        )
    elif what == "receipt-request":
        verdict.that(order.get("receipt_requested_at"), f"an acknowledged request is missing: {call}")
    elif what == "receipt-extension":
        verdict.that(order["extended_by"], f"an acknowledged extension is missing: {call}")


def _reviews(verdict: Verdict, truth: Truth, history: History, orders: dict[str, Document]) -> None:
    reviews = truth.by_id("reviews", "reviews")
    asked = {call.body["text"]: call for call in history.of("POST", "/reviews")}
    for call in asked.values():
        if call.acknowledged:
            verdict.that(call.answer["id"] in reviews, f"an acknowledged review is missing: {call}")
    published = Counter(event["data"]["review_id"] for event in truth.distinct("review.submitted.v1"))
    verdict.same(dict(published), dict.fromkeys(reviews, 1), "each review was published once")
    replies = {call.body["text"]: call for call in history.of("POST", "/reply")}
    for review in reviews.values():
        verdict.that(review["text"] in asked, f"nobody wrote review {review['_id']}")
        order = orders[review["order_id"]]
        verdict.same(order["status"], "completed", f"order {order['_id']} is reviewed")
        verdict.that(review["by_side"] in order["reviewed_by"], f"order {order['_id']} knows of its review")
        if review["reply"]:
            verdict.that(review["reply"]["text"] in replies, f"nobody wrote the reply to {review['_id']}")
    for call in replies.values():
        if call.acknowledged:
            review = reviews.get(call.path.split("/")[2], {"reply": None})
            verdict.same(
                (review["reply"] or {}).get("text"), call.body["text"], f"an acknowledged reply: {call}"
            )
    expected = {
        f"{order['_id']}:{side}"
        for order in orders.values()
        for side, opens_at in (("buyer", "delivered"), ("factory", "completed"))
        if opens_at in (entry["status"] for entry in order["history"])
    }
    verdict.same({row["_id"] for row in truth.of("reviews", "openings")}, expected, "reviews that are open")
    opened = Counter(f"{e['subject']}:{e['data']['by_side']}" for e in truth.distinct("review.opened.v1"))
    verdict.same(dict(opened), dict.fromkeys(expected, 1), "each opening was published once")
