"""Pages composed from several services in one answer, tolerant of a dead one.

The parts are fetched side by side under one time budget. What does not come in time is `null`, and its
service is named in `degraded`; only orders is required.
"""

import asyncio
import hashlib
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from gateway.accounts import store
from gateway.accounts.api import organisation_view
from gateway.accounts.domain import OrganisationNotFound
from gateway.clients import Answer, Services, ServiceUnavailable, within
from gateway.forward import CurrentServices, Forward, OrganisationId, download, respond
from gateway.introduce import ORGANISATION_NOT_KNOWN
from gateway.session import CurrentCaller
from shared import errors
from shared.api.accounts import Organisation
from shared.api.notifications import UnreadNotifications
from shared.api.orders import Card, Frozen, OrderStats
from shared.api.page import Page
from shared.api.reviews import Profile, RatingSummary
from shared.http import Cursor, Db, Limit, problems
from shared.identity import Caller
from shared.mongo import Database, DatabaseUnavailable
from shared.together import OneAnswer

router = APIRouter(tags=["dashboards"])

# Seconds that a page waits for the parts that it can do without.
BUDGET: Final = 1.0


async def _composing(request: Request) -> OneAnswer[Answer]:
    composing: OneAnswer[Answer] = request.app.state.composing
    return composing


# An event sends all tabs of a user back for the same page at once.
CurrentComposing = Annotated[OneAnswer[Answer], Depends(_composing)]


class Stats(OrderStats):
    unread_messages: int | None
    rating: RatingSummary | None


class Dashboard(Frozen):
    """The caller's side of the market at one glance."""

    organisation: Organisation
    stats: Stats
    active_orders: Page[Card]
    notifications: UnreadNotifications | None
    degraded: list[str]


@router.get(
    "/dashboard",
    response_model=Dashboard,
    responses=problems(errors.Unauthenticated, ServiceUnavailable)
    | {304: {"description": "nothing has changed since the answer with this `ETag`"}},
)
async def dashboard(
    caller: CurrentCaller,
    services: CurrentServices,
    db: Db,
    composing: CurrentComposing,
    limit: Limit = 20,
    cursor: Cursor = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Show stats and active orders, the most urgent deadline first."""
    paging = _paging(limit, cursor)
    page = await composing(("dashboard", caller, paging), partial(_compose, services, db, caller, paging))
    return _unless_known(page.body, known=if_none_match) if page.ok else respond(page)


async def _compose(services: Services, db: Database, caller: Caller, paging: str) -> Answer:
    board, rating, notifications, organisation = await within(
        BUDGET * 2,
        services.call("orders", "GET", "/dashboard", caller=caller, query=paging),
        _part(services, "reviews", f"/organisations/{caller.organisation_id}/rating", caller=caller),
        _part(services, "notifications", "/notifications/unread", caller=caller),
        store.get_organisation(db, caller.organisation_id),
    )
    if not isinstance(board, Answer):
        raise ServiceUnavailable("orders")
    if isinstance(organisation, asyncio.CancelledError):  # it did not come in time
        raise DatabaseUnavailable
    if isinstance(organisation, BaseException):
        raise organisation
    if not board.ok:
        return board
    page = board.json()
    degraded = []
    unread = await add_chat(services, page["active_orders"]["items"], caller=caller, with_total=True)
    if unread is None:
        degraded.append("chat")
    for name, part in (("reviews", rating), ("notifications", notifications)):
        if not isinstance(part, Answer):
            degraded.append(name)
    page["stats"]["unread_messages"] = unread
    page["stats"]["rating"] = rating.json() if isinstance(rating, Answer) else None
    page["notifications"] = notifications.json() if isinstance(notifications, Answer) else None
    page["organisation"] = organisation_view(organisation).model_dump()
    page["degraded"] = degraded
    return _page(page)


@router.get(
    "/dashboard/orders.csv",
    status_code=200,
    response_class=StreamingResponse,
    responses=problems(errors.Unauthenticated, ServiceUnavailable)
    | {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def export_orders(forward: Forward) -> Response:
    """Download one's active orders for a spreadsheet."""
    return await download(forward, "orders", "/dashboard/orders.csv")


async def add_chat(
    services: Services, cards: list[dict[str, Any]], *, caller: Caller, with_total: bool = False
) -> int | None:
    """Put what chat knows on the cards; give all that is unread if wanted, or `None` where chat does not answer."""
    body = orjson.dumps({"order_ids": [card["id"] for card in cards], "with_total": with_total})
    (answer,) = await within(
        BUDGET, _part(services, "chat", "/summaries", caller=caller, method="POST", body=body)
    )
    summaries = answer.json() if isinstance(answer, Answer) else None
    threads = {thread["order_id"]: thread for thread in summaries["items"]} if summaries else {}
    for card in cards:
        thread = threads.get(card["id"])
        # An order whose thread has not been heard of yet has no messages.
        card["unread_messages"] = thread["unread"] if thread else (0 if summaries else None)
        card["last_message_at"] = thread["last_message_at"] if thread else None
    return summaries["unread_total"] if summaries else None


@router.get(
    "/organisations/{organisation_id}/profile",
    response_model=Profile,
    tags=["reviews"],
    responses=problems(errors.Unauthenticated, OrganisationNotFound, errors.ValidationFailed),
)
async def profile(
    organisation_id: OrganisationId,
    caller: CurrentCaller,
    services: CurrentServices,
    db: Db,
    composing: CurrentComposing,
    limit: Limit = 20,
    orders_cursor: Annotated[str | None, Query(min_length=1, max_length=1000)] = None,
    reviews_cursor: Annotated[str | None, Query(min_length=1, max_length=1000)] = None,
) -> Response:
    """Show what an organisation's completed orders and reviews say of it, to anybody signed in."""
    of_orders, of_reviews = _paging(limit, orders_cursor), _paging(limit, reviews_cursor)
    page = await composing(
        ("profile", organisation_id, of_orders, of_reviews),
        partial(
            _compose_profile,
            services,
            db,
            caller,
            organisation_id,
            of_orders=of_orders,
            of_reviews=of_reviews,
        ),
    )
    return respond(page)


async def _compose_profile(
    services: Services, db: Database, caller: Caller, organisation_id: str, *, of_orders: str, of_reviews: str
) -> Answer:
    organisation = await store.get_organisation(db, organisation_id)
    record, reputation = await within(
        BUDGET,
        services.call(
            "orders",
            "GET",
            f"/organisations/{organisation_id}/track-record",
            caller=caller,
            query=of_orders,
        ),
        services.call(
            "reviews",
            "GET",
            f"/organisations/{organisation_id}/reputation",
            caller=caller,
            query=of_reviews,
        ),
    )
    degraded: list[str] = []
    parts: dict[str, Any] = {}
    for name, answer in (("orders", record), ("reviews", reputation)):
        if isinstance(answer, Answer) and answer.ok:
            parts |= answer.json()
        elif isinstance(answer, Answer) and answer.is_problem(ORGANISATION_NOT_KNOWN):
            parts |= {"on_time_rate": None, "completed_orders": {"items": [], "next_cursor": None}}
        elif isinstance(answer, Answer) and answer.is_problem(errors.ValidationFailed.slug()):
            # To the service it is a cursor; the client knows two.
            raise errors.ValidationFailed.at(f"/{name}_cursor", "is no cursor of this list")
        elif isinstance(answer, Answer) and answer.status < 500:  # noqa: PLR2004
            return answer
        else:
            degraded.append(name)
    public = {
        "id": organisation.id,
        "name": organisation.name,
        "kind": organisation.kind,
        "country": organisation.country,
        "logo_url": organisation.logo_url,
    }
    page = {
        "organisation": public,
        "rating": parts.get("rating"),
        "on_time_rate": parts.get("on_time_rate"),
        "completed_orders": parts.get("completed_orders"),
        "reviews": parts.get("reviews"),
        "degraded": degraded,
    }
    return _page(page)


def _page(content: dict[str, Any]) -> Answer:
    return Answer(status=200, headers={}, body=orjson.dumps(content))


def _unless_known(body: bytes, *, known: str | None) -> Response:
    """Answer with a page, or with 304 to a client that has it already."""
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    # A proxy that compresses makes a weak tag of it, which means the same page.
    if known and tag in {each.strip().removeprefix("W/") for each in known.split(",")}:
        return Response(status_code=304, headers={"ETag": tag})
    return Response(body, headers={"ETag": tag}, media_type="application/json")


def _paging(limit: int, cursor: str | None) -> str:
    return urlencode({"limit": limit} | ({"cursor": cursor} if cursor else {}))


async def _part(
    services: Services,
    service: Any,
    path: str,
    *,
    caller: Caller,
    method: str = "GET",
    body: bytes | None = None,
) -> Answer:
    answer = await services.call(service, method, path, caller=caller, body=body, timeout=BUDGET)
    if not answer.ok:
        raise ServiceUnavailable(service)
    return answer
