"""Threads, their messages and what is unread."""

import asyncio
import re
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response

from services.chat import views
from services.chat.api.needs import CurrentRules, CurrentSignals, Key
from services.chat.store import messages, reads, threads
from services.chat.use_cases import messages as use_cases
from shared.api.chat import (
    Message,
    MessageQuery,
    Messages,
    NewMessage,
    ReadUpTo,
    Signal,
    Summaries,
    SummariesOf,
    ThreadFacts,
    ThreadSummary,
    Unread,
)
from shared.errors import ValidationFailed
from shared.http import CurrentCaller, Db, Now

router = APIRouter()


@router.put("/threads/{order_id}", status_code=204)
async def introduce_thread(order_id: str, body: ThreadFacts, caller: CurrentCaller, db: Db, now: Now) -> None:
    """Hear of an order from the gateway at once, where its event would take a moment."""
    del caller
    await use_cases.bring_up_to_date(db, body.model_copy(update={"order_id": order_id}), now=now)


@router.get("/orders/{order_id}/messages")
async def list_messages(
    order_id: str,
    query: Annotated[MessageQuery, Query()],
    response: Response,
    caller: CurrentCaller,
    db: Db,
) -> Messages:
    before, after = _window(query)
    # First: each line that its version promises has to be in what is read after it.
    thread = await threads.get_thread(db, order_id, caller=caller)
    (found, goes_on), read_up_to = await asyncio.gather(
        messages.find_page(db, order_id, before=before, after=after, q=query.q, limit=query.limit),
        reads.find_read_up_to(db, order_id),
    )
    response.headers["X-Order-Version"] = str(thread.version)
    return Messages.model_construct(
        items=[views.message(message, read_up_to=read_up_to) for message in found],
        next_cursor=str(goes_on) if goes_on else None,
    )


def _window(query: MessageQuery) -> tuple[int | None, int | None]:
    if query.cursor is None:
        return query.before, query.after
    if not re.fullmatch(r"[0-9]{1,9}", query.cursor):
        raise ValidationFailed.at("/cursor", "is no cursor of this list")
    goes_on = int(query.cursor)
    return (goes_on, None) if query.after is None else (query.before, goes_on)


@router.post("/orders/{order_id}/messages", status_code=201)
async def send_message(
    order_id: str,
    body: NewMessage,
    request: Request,
    caller: CurrentCaller,
    db: Db,
    now: Now,
    rules: CurrentRules,
    key: Key = None,
) -> Message:
    message = await use_cases.send(
        db,
        order_id=order_id,
        message=body,
        submitted=(await request.json()).get("text"),
        request=key,
        caller=caller,
        now=now,
        rules=rules,
        lock=request.app.state.lock,
    )
    return views.message(message, read_up_to={})


@router.post("/orders/{order_id}/messages/read")
async def mark_read(order_id: str, body: ReadUpTo, caller: CurrentCaller, db: Db, now: Now) -> Unread:
    unread = await use_cases.mark_read(db, order_id=order_id, up_to=body.up_to, caller=caller, now=now)
    return Unread.model_construct(unread=unread)


@router.post("/orders/{order_id}/typing", status_code=204)
async def show_typing(
    order_id: str,
    caller: CurrentCaller,
    db: Db,
    now: Now,
    signals: CurrentSignals,
    body: Annotated[Signal | None, Body()] = None,
) -> None:
    await signals.show(db, order_id=order_id, signal=body or Signal(), caller=caller, now=now)


@router.post("/summaries")
async def summaries(body: Annotated[SummariesOf, Body()], caller: CurrentCaller, db: Db) -> Summaries:
    states, total = await reads.find_states(db, body.order_ids, caller=caller, with_total=body.with_total)
    return Summaries.model_construct(
        items=[
            ThreadSummary.model_construct(
                order_id=order_id, unread=state.unread, last_message_at=state.last_message_at
            )
            for order_id, state in states.items()
        ],
        unread_total=total,
    )
