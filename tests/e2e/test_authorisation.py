"""Who may make which call: every route of the OpenAPI document against every kind of caller.

A route without a row here fails the test, and so does a row without a route.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import jwt
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pymongo import MongoClient

from deploy.local import SERVICES, Suite
from docs.generate import app_of
from gateway.accounts.store import SESSIONS, digest
from gateway.session import COOKIE
from shared import identity
from shared.identity import Caller
from tests.e2e.market import Answer, Person
from tests.e2e.test_accounts import invited, stranger
from tests.e2e.test_order_journey import a_photo
from tests.waiting import eventually

pytestmark = pytest.mark.e2e

# What a Prometheus and a load balancer ask, on every port.
OPEN = {"/health/live", "/health/ready", "/metrics"}

UNAUTHENTICATED = 401
CSRF = (403, "csrf-header-missing")
ROLE = (403, "role-not-sufficient")
SIDE = (403, "wrong-side")
GONE = 404
FINE = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """What callers hear; `FINE` is any answer but 401, 403 and 404."""

    body: Any = None
    stranger: Any = FINE
    other_side: Any = FINE
    member: Any = FINE
    viewer: Any = FINE
    public: bool = False


# The owner of things in the paths is the buyer, whose order it is; the other side is its factory.
MATRIX: dict[str, Row] = {
    "register": Row(body={}, public=True),
    "login": Row(body={}, public=True),
    "logout": Row(),
    "me": Row(),
    "change_me": Row(body={}),
    "get_organisation": Row(stranger=GONE, other_side=GONE),
    "change_organisation": Row(
        body={"address": "Dock 4"}, stranger=GONE, other_side=GONE, member=ROLE, viewer=ROLE
    ),
    "set_logo": Row(body="logo", stranger=GONE, other_side=GONE, member=ROLE, viewer=ROLE),
    "get_logo": Row(),
    "delete_logo": Row(stranger=GONE, other_side=GONE, member=ROLE, viewer=ROLE),
    "invite": Row(body={}, stranger=GONE, other_side=GONE, member=ROLE, viewer=ROLE),
    "list_invitations": Row(stranger=GONE, other_side=GONE, member=ROLE, viewer=ROLE),
    "withdraw_invitation": Row(stranger=GONE, other_side=GONE, member=ROLE, viewer=ROLE),
    "list_members": Row(stranger=GONE, other_side=GONE),
    "change_role": Row(body={"role": "member"}, stranger=GONE, other_side=GONE, member=ROLE, viewer=ROLE),
    "remove_member": Row(stranger=GONE, other_side=GONE, member=ROLE, viewer=ROLE),
    "profile": Row(),
    "dashboard": Row(),
    "export_orders": Row(),
    "list_orders": Row(),
    "accept_quote": Row(body="quote", other_side=SIDE, viewer=ROLE),
    "get_order": Row(stranger=GONE),
    "advance": Row(body={"to": "in_production"}, stranger=GONE, member=SIDE, viewer=(403, None)),
    "confirm_receipt": Row(body={}, stranger=GONE, other_side=SIDE, viewer=ROLE),
    "request_receipt": Row(stranger=GONE, member=SIDE, viewer=(403, None)),
    "extend_receipt": Row(stranger=GONE, viewer=ROLE),
    "list_messages": Row(stranger=GONE),
    "send_message": Row(body={"text": "hello"}, stranger=GONE, viewer=ROLE),
    "appeal": Row(body={}, stranger=GONE, other_side=GONE, member=GONE, viewer=ROLE),
    "mark_read": Row(body={"up_to": 0}, stranger=GONE),
    "typing": Row(stranger=GONE, viewer=ROLE),
    "upload_attachment": Row(body="file", stranger=GONE, viewer=ROLE),
    "get_attachment": Row(stranger=GONE),
    "get_thumbnail": Row(stranger=GONE),
    "submit_review": Row(body={"rating": 5}, stranger=GONE, viewer=ROLE),
    "list_reviews": Row(stranger=GONE),
    "reply": Row(body={"text": "Thank you"}, stranger=GONE, member=SIDE, viewer=(403, None)),
    "stream": Row(),
    "list_notifications": Row(),
    "mark_notifications_read": Row(body={"all": True}),
    "get_preferences": Row(),
    "set_preferences": Row(body={}),
    "create_webhook": Row(body={"url": "http://127.0.0.1:9/other"}, viewer=ROLE),
    "list_webhooks": Row(viewer=ROLE),
    "change_webhook": Row(body={"enabled": True}, stranger=GONE, other_side=GONE, viewer=ROLE),
    "rotate_secret": Row(stranger=GONE, other_side=GONE, viewer=ROLE),
    "list_deliveries": Row(stranger=GONE, other_side=GONE, viewer=ROLE),
    "redeliver": Row(stranger=GONE, other_side=GONE, viewer=ROLE),
    "delete_webhook": Row(stranger=GONE, other_side=GONE, viewer=ROLE),
    "read_events": Row(),
    "give_feedback": Row(body={"page": "/help", "helpful": True}),
    "ask_support": Row(body={"subject": "A question", "message": "How do I …?"}),
    "show_unsubscribing": Row(public=True),
    "unsubscribe": Row(public=True),
}


@dataclass(frozen=True, kw_only=True)
class Market:
    """One order of two sides, with everything a path can name."""

    buyer: Person
    factory: Person
    member: Person
    viewer: Person
    third: Person
    removed: Person
    expired: Person
    names: dict[str, str]

    async def call(
        self, who: Person, method: str, path: str, body: Any, *, headers: dict[str, str] | None = None
    ) -> Answer:
        target = path.removeprefix("/api/v1").format(**self.names)
        if body == "file":
            return await who.upload(
                self.names["order_id"],
                "drawing.pdf",
                b"%PDF-1.4\n%%EOF\n",
                "application/pdf",
                headers=headers,
            )
        if body == "logo":
            return await who.set_logo(
                a_photo(), organisation_id=self.names["organisation_id"], headers=headers
            )
        if body == "quote":
            body = _quote(self.factory)
        if target == "/stream":
            return await _only_the_head(who, headers)
        if method == "GET":
            return await who.answered(target, headers)
        return await who.call(method, target, body, headers=headers)


def _quote(factory: Person) -> dict[str, Any]:
    return {
        "quote_id": uuid4().hex,
        "factory_id": factory.organisation_id,
        "product": {"name": "Bracket"},
        "quantity": 5,
        "unit_price": {"amount": "1.00", "currency": "EUR"},
        "deadline": (datetime.now(UTC) + timedelta(days=9)).date().isoformat(),
    }


async def _only_the_head(who: Person, headers: dict[str, str] | None) -> Answer:
    sent = (headers or {}) | ({"Authorization": f"Bearer {who.token}"} if who.token else {})
    async with who.http.get(f"{who.base}/api/v1/stream", headers=sent) as response:
        body = json.loads(await response.read()) if response.status >= 400 else None
        return Answer(status=response.status, headers={}, body=body)


@pytest.fixture
async def market(suite: Suite, buyer_and_factory: tuple[Person, Person], third_party: Person) -> Market:
    buyer, factory = buyer_and_factory
    order_id = (await buyer.call("POST", "/orders", _quote(factory))).ok(201)["id"]
    attachment = (await buyer.upload(order_id, "photo.jpg", a_photo(), "image/jpeg")).ok(201)
    await buyer.say(order_id, "The sample", attachment_ids=[attachment["id"]])
    for step in ("in_production", "quality_check", "shipped"):
        (await factory.advance(order_id, step)).ok()
    (await buyer.call("POST", f"/orders/{order_id}/receipt", {})).ok()
    review = (await buyer.call("POST", f"/orders/{order_id}/reviews", {"rating": 4})).ok(201)
    # Nobody listens there, which is all that a delivery needs to exist.
    (await buyer.set_logo(a_photo())).ok()
    blocked = await buyer.call("POST", f"/orders/{order_id}/messages", {"text": "call +1 202 555 0143"})
    webhook = (await buyer.call("POST", "/webhooks", {"url": "http://127.0.0.1:9/"})).ok(201)
    await buyer.say(order_id, "Something to deliver")
    deliveries = await eventually(lambda: _deliveries(buyer, webhook["id"]))
    viewer, member = await invited(buyer, role="viewer"), await invited(buyer, role="member")
    removed, expired = await invited(buyer, role="owner"), await invited(buyer, role="owner")
    _let_expire(suite, expired)
    members = f"/organisations/{buyer.organisation_id}/members"
    (await buyer.call("DELETE", f"{members}/{removed.user_id}")).ok(204)
    invitations = f"/organisations/{buyer.organisation_id}/invitations"
    invitation = (await buyer.call("POST", invitations, {})).ok(201)
    return Market(
        buyer=buyer,
        factory=factory,
        member=member,
        viewer=viewer,
        third=third_party,
        removed=removed,
        expired=expired,
        names={
            "order_id": order_id,
            "ref": blocked.body["ref"],
            "attachment_id": attachment["id"],
            "review_id": review["id"],
            "organisation_id": buyer.organisation_id,
            "invitation_id": invitation["id"],
            "user_id": viewer.user_id,
            "webhook_id": webhook["id"],
            "delivery_id": deliveries[0]["id"],
        },
    )


def _let_expire(suite: Suite, who: Person) -> None:
    """Move the end of somebody's session into the past, as only two weeks would."""
    prefix = suite._env["MILLRACE_MONGO_DB_PREFIX"]
    with MongoClient[dict[str, Any]](suite.endpoints.mongo) as client:
        found = client[f"{prefix}gateway"][SESSIONS].update_one(
            {"_id": digest(who.token)}, {"$set": {"expires_at": datetime.now(UTC) - timedelta(seconds=1)}}
        )
    assert found.modified_count == 1


async def _deliveries(who: Person, webhook_id: str) -> list[Any]:
    found: list[Any] = (await who.get(f"/webhooks/{webhook_id}/deliveries"))["items"]
    return found


async def test_every_route_answers_every_caller_as_it_should(market: Market) -> None:
    document = market.buyer.checker.document
    operations = {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert set(operations) == set(MATRIX), "each route has its row, and each row its route"

    wrong = []
    for name, row in MATRIX.items():
        method, path, operation = operations[name]
        assert ("security" in operation) != row.public, name
        if row.public:
            continue
        callers: list[tuple[str, Person, Any]] = [
            ("nobody", stranger(market.buyer), UNAUTHENTICATED),
            ("forged", stranger(market.buyer, token="x" * 43), UNAUTHENTICATED),
            ("expired", market.expired, UNAUTHENTICATED),
            ("removed", market.removed, UNAUTHENTICATED),
            ("stranger", market.third, row.stranger),
            ("other side", market.factory, row.other_side),
            ("viewer", market.viewer, row.viewer),
            ("member", market.member, row.member),
        ]
        if name == "logout":  # it would end the session of whoever may
            callers = callers[:4]
        answers = [
            (caller, await market.call(who, method, path, row.body), expected)
            for caller, who, expected in callers
        ]
        if method != "GET":
            cookie = {"Cookie": f"{COOKIE}={market.buyer.token}"}
            by_another_site = stranger(market.buyer)
            answers.append(
                (
                    "another site",
                    await market.call(by_another_site, method, path, row.body, headers=cookie),
                    CSRF,
                )
            )
        wrong += [
            f"{name} by {caller}: {answer.status} {answer.body}, expected {expected or 'fine'}"
            for caller, answer, expected in answers
            if not _as_expected(answer, expected)
        ]
    assert not wrong, "\n".join(wrong)


def test_what_the_document_leaves_out_is_known_and_tells_nobody_anything() -> None:
    app = app_of("gateway")

    undocumented = {path for path, _ in routes_of(app) if path not in app.openapi()["paths"]}

    assert undocumented == {
        "/api/v1/openapi.json",
        "/api/v1/docs",
        "/docs/oauth2-redirect",
        "/health/live",
        "/health/ready",
        "/metrics",
    }


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_answers_nothing_without_the_gateways_signature(suite: Suite, service: str) -> None:
    secret = (suite.home / "secrets" / "service").read_text()
    now = datetime.now(UTC)
    caller = Caller(
        user_id="u", name="U", role="owner", organisation_id="o", organisation_name="O", side="buyer"
    )
    claims = {"caller": caller.model_dump(), "exp": int((now + timedelta(minutes=1)).timestamp())}
    signatures = {
        "none": None,
        "empty": "",
        "nonsense": "not.a.token",
        "with another secret": identity.sign(caller, secret=secret[::-1], now=now),
        "expired": identity.sign(caller, secret=secret, now=now - identity.LIFETIME - timedelta(seconds=1)),
        "without algorithm": jwt.encode(claims, None, algorithm="none"),
        "without end": jwt.encode({"caller": claims["caller"]}, secret, algorithm="HS256"),
    }
    calls = [
        (path, method)
        for path, methods in routes_of(app_of(service))
        for method in methods
        if path not in OPEN
    ]
    assert calls

    answered = []
    async with aiohttp.ClientSession(base_url=suite.endpoints.services[service]) as http:
        for path, method in [*calls, ("/no/such/path", "GET"), ("/", "OPTIONS")]:
            for name, signature in signatures.items():
                headers = {} if signature is None else {identity.HEADER: signature}
                async with http.request(method, path, headers=headers) as response:
                    if response.status != 401:
                        answered.append(f"{method} {path} {name}: {response.status}")
    assert not answered, "\n".join(answered)


def routes_of(app: FastAPI) -> list[tuple[str, set[str]]]:
    """List every route of an application with its methods, also those that its document leaves out."""
    return [
        (context.path, set(context.methods or ()))
        for context in iter_route_contexts(app.routes)
        if context.path is not None
    ]


def _as_expected(answer: Answer, expected: Any) -> bool:
    if expected is FINE:
        return answer.status not in {401, 403, 404} and answer.status < 500
    if isinstance(expected, tuple):
        status, slug = expected
        return answer.status == status and slug in {None, answer.body["type"].removeprefix("/problems/")}
    return answer.status == expected
