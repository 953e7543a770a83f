"""Who was told of what: notifications, webhooks, the list of events, the live stream."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from gateway.live.audience import audience, parties
from shared.api.webhooks import EVENT_TYPES
from tests.faults.history import History
from tests.faults.market import Market
from tests.faults.truth import Document, Truth, Verdict
from tests.gateway.live.sse import Listener

_OTHER: Final = {"buyer": ("factory",), "factory": ("buyer",), "system": ("buyer", "factory")}


def check(verdict: Verdict, truth: Truth, history: History, market: Market) -> None:
    _notifications(verdict, truth, market)
    _unread_in_the_feed(verdict, truth)
    _webhooks(verdict, truth)
    _list_of_events(verdict, truth, market)
    requests = {row["message"]: row for row in truth.of("notifications", "support_requests")}
    verdict.same(len(requests), len(truth.of("notifications", "support_requests")), "each request once")
    for call in history.of("POST", "/support/requests"):
        if call.acknowledged:
            found = requests.get(call.body["message"], {})
            verdict.same(found.get("reference"), call.answer["reference"], f"an acknowledged request: {call}")
    mails = Counter(row["about"] for row in truth.of("notifications", "mails") if row["purpose"] == "support")
    verdict.same(dict(mails), dict.fromkeys((row["_id"] for row in requests.values()), 1), "a mail for each")
    hooks = Counter(row["url"] for row in truth.of("notifications", "webhooks"))
    verdict.that(all(times == 1 for times in hooks.values()), f"each webhook was made once: {hooks}")


def _notifications(verdict: Verdict, truth: Truth, market: Market) -> None:
    """Each fact has told each person whom it concerns, once."""
    people = {each.id: [person.user_id for person in each.people] for each in market.organisations}
    expected = {
        f"{fact}:{user}" for fact, organisation_id in _facts(truth) for user in people[organisation_id]
    }
    rows = [row for row in truth.of("notifications", "notifications") if row["kind"] != "message_received"]
    found = Counter(row["key"] for row in rows)
    verdict.same(found - Counter(expected), Counter(), "nobody was told what did not happen, or twice")
    verdict.same(expected - found.keys(), set(), "everybody was told")
    told = Counter(event["data"]["notification"]["id"] for event in truth.distinct("notification.created.v1"))
    for row in rows:
        verdict.same(told[row["_id"]], 1, f"notification {row['key']} was published once")


def _facts(truth: Truth) -> Iterator[tuple[str, str]]:
    """Give what people have to be told of, with the organisation that it is for."""
    steps = truth.distinct("order.created.v1", "order.status_changed.v1")
    versions = {(event["subject"], event["data"]["status"]): event["sequence"] for event in steps}
    for order in truth.of("orders", "orders"):
        for entry in order["history"]:
            kind = "order_created" if entry["status"] == "confirmed" else "order_status_changed"
            version = versions.get((order["_id"], entry["status"]))
            for side in _OTHER[entry["by"]["side"]]:
                yield f"{order['_id']}:{kind}:{version}", order[f"{side}_id"]
        reached = {entry["status"] for entry in order["history"]}
        for side, opens_at in (("buyer", "delivered"), ("factory", "completed")):
            if opens_at in reached:
                yield f"{order['_id']}:review_opened:{side}", order[f"{side}_id"]
    for event in truth.distinct("order.updated.v1"):
        if event["data"]["change"] == "receipt_requested":
            yield f"{event['subject']}:receipt_requested:{event['sequence']}", event["data"]["buyer_id"]
    for review in truth.of("reviews", "reviews"):
        yield f"{review['_id']}:review_received", review["about"]["id"]


def _unread_in_the_feed(verdict: Verdict, truth: Truth) -> None:
    """A notification of messages counts those that its reader has read nowhere."""
    threads = truth.grouped("chat", "messages", "order_id")
    reads = {key: row["up_to"] for key, row in truth.by_id("chat", "reads").items()}
    for row in truth.of("notifications", "notifications"):
        if row["kind"] != "message_received":
            continue
        reader = f"{row['order_id']}:{row['user_id']}"
        cleared = row.get("cleared_up_to") or 0
        verdict.that(cleared >= reads.get(reader, 0), f"the feed of {reader} knows what was read")
        unread = {
            message["seq"]
            for message in threads[row["order_id"]]
            if message.get("sender") and message["sender"]["side"] != row["side"] and message["seq"] > cleared
        }
        verdict.same(set(row["seqs"]), unread, f"recount of the unread messages in the feed of {reader}")


def _events_of(truth: Truth, organisation_id: str) -> dict[str, Document]:
    return {
        event["id"]: event
        for event in truth.distinct(*EVENT_TYPES)
        if organisation_id in (event["data"]["buyer_id"], event["data"]["factory_id"])
    }


def _webhooks(verdict: Verdict, truth: Truth) -> None:
    deliveries = truth.grouped("notifications", "deliveries", "webhook_id")
    for webhook in truth.of("notifications", "webhooks"):
        if webhook["event_types"] != list(EVENT_TYPES):
            continue
        expected = _events_of(truth, webhook["organisation_id"])
        found = Counter(row["event_id"] for row in deliveries[webhook["_id"]])
        verdict.same(dict(found), dict.fromkeys(expected, 1), f"what webhook {webhook['_id']} is told")


def check_received(verdict: Verdict, truth: Truth, webhook_id: str, got: list[str]) -> None:
    """Each delivery that counts as done has arrived, and nothing else."""
    rows = truth.grouped("notifications", "deliveries", "webhook_id")[webhook_id]
    done = {row["event_id"] for row in rows if row["state"] == "delivered"}
    verdict.that(done <= set(got), f"webhook {webhook_id} was told all that it is said to have been told")
    verdict.that(set(got) <= {row["event_id"] for row in rows}, f"webhook {webhook_id} was told nothing else")


def _list_of_events(verdict: Verdict, truth: Truth, market: Market) -> None:
    kept = truth.grouped("notifications", "events", "organisation_id")
    for organisation in market.organisations:
        found = Counter(row["event_id"] for row in kept[organisation.id] if "body" in row)
        expected = _events_of(truth, organisation.id)
        verdict.same(dict(found), dict.fromkeys(expected, 1), f"the list of events of {organisation.id}")


def missing_on(listener: Listener, truth: Truth, *, organisation_id: str, user_id: str) -> set[str]:
    """Name the events that concern a user and did not come."""
    concerning = parties(organisation_id=organisation_id, user_id=user_id)
    expected = {event["id"] for event in truth.events if audience(event) & concerning}
    return expected - set(listener.event_ids)
