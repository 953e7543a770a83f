"""A marketplace of a stated size, written straight into the services' databases.

A few orders are made through the gateway first, one for each status, with messages and a review. All others
are copies of what the services stored for these, under other names: so they have their shape, and
`fill` proves it.
"""

import random
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import uuid4

import aiohttp
from bson.codec_options import CodecOptions
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.write_concern import WriteConcern

from gateway.accounts.store import digest
from services.orders.store.documents import from_document, to_document
from shared.api.orders import Party
from shared.ids import new_id
from tests.waiting import eventually

Document = dict[str, Any]
Rows = dict[tuple[str, str], list[Document]]

PASSWORD = "correct horse battery"
TRACKING = {"carrier": "dhl", "number": "JD014600003828"}
PARTS = (
    "Hex bolt M8",
    "Flange nut",
    "Bracket, anodized",
    "PCB assembly rev C",
    "高强度不锈钢六角螺栓",
    "铝合金散热片",
)
TEXTS = (
    "The drawing of the bracket is on its way, please have a look at sheet two.",
    "Thank you, we have checked it and begin with the first hundred pieces tomorrow.",
    "第一批样品已经完成，请确认表面处理。",
    "The coating is thinner than agreed on nine of fifty pieces; photos are attached.",
)
STEPS = ("in_production", "quality_check", "shipped")
STATUSES = ("confirmed", *STEPS, "delivered", "completed")
# A few factories have half of the work, as in life; their dashboards have more than a hundred cards.
BIG_FACTORIES = 0.08
BIG_SHARE = 0.5
ACTIVE_SHARE = 0.7


@dataclass(frozen=True, kw_only=True)
class Person:
    user_id: str
    organisation_id: str
    organisation_name: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, kw_only=True)
class LoadedOrder:
    id: str
    status: str
    buyer: Person
    factory: Person


@dataclass(kw_only=True)
class Dataset:
    """What was loaded, and who may ask for it."""

    factories: list[Person]
    buyers: list[Person]
    orders: list[LoadedOrder] = field(default_factory=list)
    messages: int = 0

    @property
    def big(self) -> list[Person]:
        return self.factories[: self.big_factories]

    @property
    def big_factories(self) -> int:
        return max(1, round(len(self.factories) * BIG_FACTORIES))

    def one_step(self, wanted: Iterable[str] = STATUSES[:3]) -> Iterator[tuple[LoadedOrder, dict[str, Any]]]:
        """Give each order that its factory may advance, once, with the body of the call that does it."""
        for order in self.orders:
            if order.status in wanted:
                to = STATUSES[STATUSES.index(order.status) + 1]
                yield order, {"to": to} | ({"tracking": TRACKING} if to == "shipped" else {})


@dataclass(kw_only=True)
class Samples:
    """What the services stored for a few orders that went the public way, one for each status."""

    by_collection: dict[tuple[str, str], list[Document]]
    orders: dict[str, Document]

    def of(self, database: str, collection: str, **where: Any) -> Document:
        return deepcopy(next(self.all_of(database, collection, **where)))

    def all_of(self, database: str, collection: str, **where: Any) -> Iterator[Document]:
        for document in self.by_collection[database, collection]:
            if all(document.get(name) == value for name, value in where.items()):
                yield document


async def sample(http: aiohttp.ClientSession, *, base: str, client: MongoClient[Any]) -> Samples:
    """Send one order to each status through the gateway, and read what the services stored."""
    buyer, factory = [await _sign_up(http, base, kind) for kind in ("buyer", "factory")]
    ids = {}
    for number, status in enumerate(STATUSES):
        order = await _post(
            http,
            f"{base}/orders",
            {
                "quote_id": f"sample-{number}",
                "factory_id": factory["organisation"]["id"],
                "product": {"name": "Sample", "sku": "S-1"},
                "quantity": 500,
                "unit_price": {"amount": "3.20", "currency": "USD"},
                "deadline": "2099-12-31",
            },
            who=buyer,
        )
        ids[status] = url = f"{base}/orders/{order['id']}"
        await _post(http, f"{url}/messages", {"text": TEXTS[0]}, who=buyer)
        for to in STATUSES[1 : number + 1]:
            if to in STEPS:
                await _post(
                    http,
                    f"{url}/status",
                    {"to": to, "tracking": TRACKING if to == "shipped" else None},
                    who=factory,
                )
            elif to == "delivered":
                await _post(http, f"{url}/receipt", {}, who=buyer)
            else:
                await _post(http, f"{url}/reviews", {"rating": 5, "text": "Just as agreed."}, who=buyer)
    by_status = {status: url.rpartition("/")[2] for status, url in ids.items()}
    wanted = [
        *(("gateway", name) for name in ("organisations", "users", "sessions")),
        *(("orders", name) for name in ("orders", "organisations", "members")),
        # Each before what it is counted in.
        *(("chat", name) for name in ("inboxes", "messages", "threads")),
        *(("notifications", name) for name in ("orders", "members", "notifications")),
        ("reviews", "reviews"),
    ]

    def settled() -> Samples | None:
        found = {(db, name): list(client[db][name].find()) for db, name in wanted}
        at_rest = not any("outbox" in document for documents in found.values() for document in documents)
        lines = [message for message in found["chat", "messages"] if "line" in message]
        known = {each["_id"] for each in found["notifications", "orders"]}
        told = {
            each["order_id"]
            for each in found["notifications", "notifications"]
            if each["kind"] == "order_created"
        }
        counted = sum(each["received"] for each in found["chat", "inboxes"])
        if not at_rest or len(lines) < sum(range(7)) or counted < len(ids):
            return None
        members = min(len(found[service, "members"]) for service in ("orders", "notifications"))
        if set(by_status.values()) - (known & told) or members < len((buyer, factory)):
            return None
        orders = {each["status"]: each for each in found["orders", "orders"]}
        return Samples(by_collection=found, orders=orders) if set(orders) == set(STATUSES) else None

    return await eventually(settled, within=60, every=0.2)


def fill(
    client: MongoClient[Any], samples: Samples, *, orders: int, messages: int, organisations: int
) -> Dataset:
    """Write so many of each into the databases of a suite at rest."""
    chance = random.Random(20261123)  # noqa: S311 - the same marketplace each time
    people: dict[str, list[Person]] = {"factory": [], "buyer": []}
    for kind, made in people.items():
        for batch in _batches(range(organisations // 2), 500):
            rows: Rows = {}
            made += [_organisation(samples, kind, number, rows) for number in batch]
            _insert(client, rows)
    data = Dataset(factories=people["factory"], buyers=people["buyer"])
    received: dict[str, int] = {}
    with (
        _indexes_built_afterwards(client["orders"]["orders"]),
        ThreadPoolExecutor(max_workers=1) as writer,  # writes while the next batch is made
    ):
        writing: Future[None] | None = None
        for batch in _batches(range(orders), 500):
            rows = {}
            for number in batch:
                loaded = _order(samples, data, chance, number=number, rows=rows)
                data.orders.append(loaded)
                upto = messages * (number + 1) // orders - messages * number // orders
                data.messages += upto
                _thread(samples, loaded, rows, chance=chance, count=upto, received=received)
            if writing:
                writing.result()
            writing = writer.submit(_insert, client, rows)
        if writing:
            writing.result()
    inbox = samples.of("chat", "inboxes")
    client["chat"]["inboxes"].insert_many(
        [inbox | {"_id": each, "received": count} for each, count in received.items()]
    )
    copies = [{"_id": each.id, "status": each.status, "version": 1} for each in data.orders]
    client["bench"]["copies"].insert_many(copies)
    _prove(client, samples)
    return data


@contextmanager
def _indexes_built_afterwards(collection: Collection[Document]) -> Iterator[None]:
    """Spare each document its way into large indexes: those of the search are many times the memory of MongoDB.

    What the sweeps of a suite at rest look through stays.
    """
    later = [
        {name: value for name, value in index.items() if name not in {"v", "ns"}}
        for index in collection.list_indexes()
        if index["name"] != "_id_" and not index.get("sparse") and not index.get("unique")
    ]
    for index in later:
        collection.drop_index(index["name"])
    yield
    collection.database.command("createIndexes", collection.name, indexes=later)


def _insert(client: MongoClient[Any], rows: Rows) -> None:
    for (database, collection), documents in rows.items():
        target = client[database].get_collection(collection, write_concern=WriteConcern(w=1))
        target.insert_many(documents, ordered=False)


def _organisation(samples: Samples, kind: str, number: int, rows: Rows) -> Person:
    organisation_id, user_id, token = new_id(), new_id(), uuid4().hex
    name = f"{kind.title()} {number:05d} Precision"
    sampled = samples.of("gateway", "organisations", kind=kind)
    user = samples.of("gateway", "users", organisation_id=sampled["_id"])
    session = next(
        deepcopy(each)
        for each in samples.all_of("gateway", "sessions")
        if each["caller"]["user_id"] == user["_id"]
    )
    email = f"{user_id}@{kind}.example"
    caller = session["caller"] | {
        "user_id": user_id,
        "organisation_id": organisation_id,
        "organisation_name": name,
    }
    of_theirs = {"organisation_id": sampled["_id"]}
    member = {"_id": user_id, "organisation_id": organisation_id}
    for place, document in {
        ("gateway", "organisations"): sampled | {"_id": organisation_id, "name": name},
        ("gateway", "users"): user | member | {"email": email},
        ("gateway", "sessions"): session | {"_id": digest(token), "caller": caller},
        ("orders", "organisations"): samples.of("orders", "organisations", kind=kind)
        | {"_id": organisation_id, "name": name},
        ("orders", "members"): samples.of("orders", "members", **of_theirs) | member,
        ("notifications", "members"): samples.of("notifications", "members", **of_theirs)
        | member
        | {"email": email},
    }.items():
        rows.setdefault(place, []).append(document)
    return Person(user_id=user_id, organisation_id=organisation_id, organisation_name=name, token=token)


def _order(
    samples: Samples,
    data: Dataset,
    chance: random.Random,
    *,
    number: int,
    rows: Rows,
) -> LoadedOrder:
    factory = chance.choice(data.big if chance.random() < BIG_SHARE else data.factories[data.big_factories :])
    buyer = chance.choice(data.buyers)
    status = chance.choice(STATUSES[:5]) if chance.random() < ACTIVE_SHARE else "completed"
    sampled = from_document(samples.orders[status])
    quantity, later = chance.randrange(1, 10_000), timedelta(milliseconds=number)
    product = sampled.product.model_copy(
        update={"name": f"{chance.choice(PARTS)} lot {number}", "sku": f"SKU-{number}"}
    )
    order = replace(
        sampled,
        id=new_id(),
        number=f"MR-2025-{number:07d}",
        quote_id=uuid4().hex,
        product=product,
        quantity=quantity,
        total=sampled.unit_price.times(quantity),
        # Far enough away that no timer is due while the clock runs.
        deadline=datetime.now(UTC).date() + timedelta(days=chance.randrange(30, 120)),
        factory=Party(id=factory.organisation_id, name=factory.organisation_name),
        buyer=Party(id=buyer.organisation_id, name=buyer.organisation_name),
        updated_at=sampled.updated_at + later,
        completed_at=sampled.completed_at + later if sampled.completed_at else None,
    )
    rows.setdefault(("orders", "orders"), []).append(to_document(order))
    known = samples.of("notifications", "orders", _id=sampled.id)
    rows.setdefault(("notifications", "orders"), []).append(
        known
        | {
            "_id": order.id,
            "number": order.number,
            "product": product.name,
            "buyer_id": order.buyer.id,
            "buyer_name": order.buyer.name,
            "factory_id": order.factory.id,
            "factory_name": order.factory.name,
        }
    )
    notification = samples.of("notifications", "notifications", order_id=sampled.id, kind="order_created")
    rows.setdefault(("notifications", "notifications"), []).append(
        notification
        | {
            "_id": new_id(),
            "key": f"{order.id}:order_created:1:{factory.user_id}",
            "user_id": factory.user_id,
            "organisation_id": factory.organisation_id,
            "order_id": order.id,
        }
    )
    if status == "completed":
        review = samples.of("reviews", "reviews")
        rows.setdefault(("reviews", "reviews"), []).append(
            review
            | {
                "_id": new_id(),
                "order_id": order.id,
                "organisation": {"id": order.buyer.id, "name": order.buyer.name},
                "about": {"id": order.factory.id, "name": order.factory.name},
                "rating": chance.randint(3, 5),
            }
        )
    return LoadedOrder(id=order.id, status=status, buyer=buyer, factory=factory)


def _thread(
    samples: Samples,
    order: LoadedOrder,
    rows: Rows,
    *,
    chance: random.Random,
    count: int,
    received: dict[str, int],
) -> None:
    sampled_id = samples.orders[order.status]["_id"]
    sides = {"buyer_id": order.buyer.organisation_id, "factory_id": order.factory.organisation_id}
    lines = sorted(samples.all_of("chat", "messages", order_id=sampled_id), key=lambda each: int(each["seq"]))
    said = next(each for each in lines if "line" not in each)
    tail: Document = {"buyer": 0, "factory": 0, "said_at": None}
    messages: list[Document] = []
    for each in [*(line for line in lines if "line" in line), *([said] * count)]:
        document = {**each, "_id": new_id(), "order_id": order.id, **sides, "seq": len(messages) + 1}
        if each is said:
            side, person = ("factory", order.factory) if len(messages) % 2 else ("buyer", order.buyer)
            tail = {**tail, side: tail[side] + 1, "said_at": said["sent_at"]}
            text = chance.choice(TEXTS)
            sender = {**said["sender"], "user_id": person.user_id, "side": side}
            document |= {"sender": sender, "text": text, "folded": text.casefold()}
        messages.append(document | {"tail": tail})
    rows.setdefault(("chat", "messages"), []).extend(messages)
    thread = samples.of("chat", "threads", _id=sampled_id)
    rows.setdefault(("chat", "threads"), []).append(
        {**thread, "_id": order.id, **sides, "added_up": {"buyer": tail["buyer"], "factory": tail["factory"]}}
    )
    for reader, side in ((order.factory, "buyer"), (order.buyer, "factory")):
        received[reader.organisation_id] = received.get(reader.organisation_id, 0) + tail[side]


def _prove(client: MongoClient[Any], samples: Samples) -> None:
    """Compare the fields and types of what was loaded with those of what went the public way."""
    orders = [order["_id"] for order in samples.orders.values()]
    for (database, collection), sampled in samples.by_collection.items():
        known = [_shape(document) for document in sampled]
        own = [each["_id"] for each in sampled]
        options: CodecOptions[Document] = CodecOptions(tz_aware=True)
        rows = client[database].get_collection(collection, codec_options=options)
        # Of the sampled orders more notifications may have come meanwhile.
        is_loaded = {"_id": {"$nin": own}, "order_id": {"$nin": orders}}
        for loaded in rows.aggregate([{"$match": is_loaded}, {"$sample": {"size": 20}}]):
            assert _shape(loaded) in known, (database, collection, loaded)


def _shape(value: Any, path: str = "") -> frozenset[tuple[str, str]]:
    if isinstance(value, dict):
        return frozenset().union(*(_shape(each, f"{path}/{name}") for name, each in value.items()))
    if isinstance(value, list):
        return frozenset().union(frozenset({(path, "list")}), *(_shape(each, f"{path}/*") for each in value))
    return frozenset({(path, type(value).__name__)})


def _batches(numbers: Iterable[int], size: int) -> Iterator[list[int]]:
    left = iter(numbers)
    while batch := list(islice(left, size)):
        yield batch


async def _sign_up(http: aiohttp.ClientSession, base: str, kind: str) -> Document:
    login = {"email": f"sample@{kind}.example", "password": PASSWORD}
    organisation = {"name": f"The {kind}", "kind": kind}
    await _post(http, f"{base}/auth/register", login | {"display_name": "Kim", "organisation": organisation})
    signed_in: Document = await _post(http, f"{base}/auth/login", login)
    return signed_in


async def _post(http: aiohttp.ClientSession, url: str, body: Document, *, who: Document | None = None) -> Any:
    headers = {"Authorization": f"Bearer {who['access_token']}"} if who else {}
    sent = {name: value for name, value in body.items() if value is not None}
    async with http.post(url, json=sent, headers=headers) as response:
        assert response.ok, await response.text()
        return await response.json()
