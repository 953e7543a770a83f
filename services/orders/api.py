"""The orders service over HTTP, for the gateway alone."""

import asyncio
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from services.orders import sheet, store, use_cases, views
from services.orders.domain import Rules
from shared.api.orders import (
    Advance,
    NewOrder,
    Order,
    OrderCard,
    OrderQuery,
    OrderStats,
    ReceiptNote,
    ReviewRecorded,
    TrackRecord,
)
from shared.api.page import Page
from shared.events.accounts import OrganisationChanged
from shared.http import CurrentCaller, Cursor, Db, ExpectedVersion, Limit, Now

router = APIRouter()


async def _rules(request: Request) -> Rules:
    rules: Rules = request.app.state.rules
    return rules


CurrentRules = Annotated[Rules, Depends(_rules)]


class Board(BaseModel):
    """What orders gives to the dashboard."""

    stats: OrderStats
    active_orders: Page[OrderCard]


@router.post("/orders", status_code=201)
async def accept_quote(
    body: NewOrder, response: Response, caller: CurrentCaller, db: Db, now: Now, rules: CurrentRules
) -> Order:
    order, is_new = await use_cases.accept_quote(db, quote=body, caller=caller, now=now)
    response.status_code = 201 if is_new else 200
    response.headers["ETag"] = f'"{order.version}"'
    return views.order(order, caller=caller, now=now, rules=rules)


@router.get("/orders", response_model=Page[OrderCard])
async def list_orders(
    query: Annotated[OrderQuery, Query()], caller: CurrentCaller, db: Db, now: Now, rules: CurrentRules
) -> Response:
    orders, next_cursor = await store.find_orders(db, query, caller=caller, now=now)
    cards = [views.card(order, caller=caller, now=now, rules=rules) for order in orders]
    return _json({"items": cards, "next_cursor": next_cursor})


@router.get("/dashboard", response_model=Board)
async def board(
    caller: CurrentCaller, db: Db, now: Now, rules: CurrentRules, limit: Limit = 20, cursor: Cursor = None
) -> Response:
    stats, (orders, next_cursor) = await asyncio.gather(
        store.stats(db, caller=caller, now=now),
        store.find_orders(db, OrderQuery(state="active", limit=limit, cursor=cursor), caller=caller, now=now),
    )
    cards = [views.card(order, caller=caller, now=now, rules=rules) for order in orders]
    page = {"items": cards, "next_cursor": next_cursor}
    return _json({"stats": stats.model_dump(mode="json"), "active_orders": page})


@router.get("/dashboard/orders.csv", response_class=StreamingResponse)
async def export_orders(caller: CurrentCaller, db: Db, now: Now) -> StreamingResponse:
    """Give the dashboard's orders, all of them, as CSV."""
    return StreamingResponse(
        sheet.write(store.each_active_order(db, caller=caller), side=caller.side, now=now),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="orders-{now:%Y-%m-%d}.csv"'},
    )


@router.get("/orders/{order_id}")
async def get_order(
    order_id: str, response: Response, caller: CurrentCaller, db: Db, now: Now, rules: CurrentRules
) -> Order:
    order = await store.get_order(db, order_id, caller=caller)
    response.headers["ETag"] = f'"{order.version}"'
    return views.order(order, caller=caller, now=now, rules=rules)


@router.post("/orders/{order_id}/status")
async def advance(
    order_id: str,
    body: Advance,
    response: Response,
    caller: CurrentCaller,
    db: Db,
    now: Now,
    rules: CurrentRules,
    expected_version: ExpectedVersion,
) -> Order:
    order = await use_cases.advance(
        db,
        order_id=order_id,
        step=body,
        caller=caller,
        expected_version=expected_version,
        now=now,
        rules=rules,
    )
    response.headers["ETag"] = f'"{order.version}"'
    return views.order(order, caller=caller, now=now, rules=rules)


@router.post("/orders/{order_id}/receipt")
async def confirm_receipt(
    order_id: str,
    response: Response,
    caller: CurrentCaller,
    db: Db,
    now: Now,
    rules: CurrentRules,
    expected_version: ExpectedVersion,
    body: Annotated[ReceiptNote | None, Body()] = None,
) -> Order:
    order = await use_cases.confirm_receipt(
        db,
        order_id=order_id,
        note=body.note if body else None,
        caller=caller,
        expected_version=expected_version,
        now=now,
        rules=rules,
    )
    response.headers["ETag"] = f'"{order.version}"'
    return views.order(order, caller=caller, now=now, rules=rules)


@router.post("/orders/{order_id}/receipt-request", status_code=202)
async def request_receipt(
    order_id: str,
    response: Response,
    caller: CurrentCaller,
    db: Db,
    now: Now,
    rules: CurrentRules,
    expected_version: ExpectedVersion,
) -> Order:
    order = await use_cases.request_receipt(
        db, order_id=order_id, caller=caller, expected_version=expected_version, now=now, rules=rules
    )
    response.headers["ETag"] = f'"{order.version}"'
    return views.order(order, caller=caller, now=now, rules=rules)


@router.post("/orders/{order_id}/receipt-extension")
async def extend_receipt(
    order_id: str,
    response: Response,
    caller: CurrentCaller,
    db: Db,
    now: Now,
    rules: CurrentRules,
    expected_version: ExpectedVersion,
) -> Order:
    order = await use_cases.extend_receipt(
        db, order_id=order_id, caller=caller, expected_version=expected_version, now=now, rules=rules
    )
    response.headers["ETag"] = f'"{order.version}"'
    return views.order(order, caller=caller, now=now, rules=rules)


@router.get("/organisations/{organisation_id}/track-record")
async def track_record(
    organisation_id: str, caller: CurrentCaller, db: Db, limit: Limit = 20, cursor: Cursor = None
) -> TrackRecord:
    del caller  # anybody signed in may see it
    (orders, next_cursor), rate = await asyncio.gather(
        store.find_completed(db, organisation_id=organisation_id, limit=limit, cursor=cursor),
        store.on_time_rate(db, organisation_id=organisation_id),
    )
    completed = Page.model_construct(
        items=[views.completed(order) for order in orders], next_cursor=next_cursor
    )
    return TrackRecord.model_construct(on_time_rate=rate, completed_orders=completed)


@router.post("/orders/{order_id}/reviews-recorded", status_code=204)
async def record_review(
    order_id: str, body: ReviewRecorded, caller: CurrentCaller, db: Db, now: Now, rules: CurrentRules
) -> None:
    """Hear of a review from the gateway at once, where its event would take a moment."""
    await store.get_order(db, order_id, caller=caller)
    await use_cases.record_review(db, order_id=order_id, review=body, now=now, rules=rules)


@router.put("/organisations/{organisation_id}", status_code=204)
async def introduce_organisation(
    organisation_id: str,
    body: Annotated[OrganisationChanged, Body()],
    caller: CurrentCaller,
    db: Db,
    now: Now,
) -> None:
    """Hear of an organisation from the gateway at once, where its event would take a moment."""
    del caller
    record = body.model_copy(update={"organisation_id": organisation_id})
    await use_cases.keep_organisation(db, record=record, now=now)


def _json(page: dict[str, Any]) -> Response:
    return Response(orjson.dumps(page), media_type="application/json")
