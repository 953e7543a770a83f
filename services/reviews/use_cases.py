"""One function for each thing that a user, an operator or an event can cause."""

from datetime import datetime
from typing import Literal

from services.reviews import domain, store
from services.reviews.domain import ReplyAlreadyGiven, Review, ReviewAlreadySubmitted
from shared.api.reviews import NewReply, SubmittedReview
from shared.api.text import tidy
from shared.contact_guard import Context
from shared.contact_refusal import ContactInfoBlocked, refuse_contact_info
from shared.events.chat import MessageBlocked
from shared.events.orders import OrderStatusChanged
from shared.events.reviews import ReviewOpened
from shared.identity import Caller
from shared.ids import new_id
from shared.mongo import Database
from shared.outbox import sealed


async def submit_review(
    db: Database, *, submitted: SubmittedReview, caller: Caller, idempotency_key: str | None, now: datetime
) -> Review:
    """Review an order, once a side; the same call again gives the first review again.

    Raises:
        OrderNotYours, RoleNotSufficient, ReviewNotOpen: the caller may not review, or not yet.
        ReviewAlreadySubmitted: this side has.
        ContactInfoBlocked: the text holds contact information.
    """
    order = submitted.order
    repeatable = domain.repeat_of(
        caller=caller, key=idempotency_key, body=f"{order.order_id} {submitted.review.model_dump_json()}"
    )
    review, event = domain.submit(
        submitted.review, review_id=new_id(), order=order, by=caller, repeatable=repeatable, now=now
    )
    existing = await store.find_review_of_side(db, order_id=order.order_id, side=caller.side)
    if existing is None:
        await _refuse_contact_info(
            db, review, review.text, submitted=submitted.review.text, where="review", caller=caller, now=now
        )
        try:
            await store.insert_review(db, review, sealed([event], now=now))
        except store.SideTaken:
            existing = await store.find_review_of_side(db, order_id=order.order_id, side=caller.side)
    if existing is None:
        return review
    if repeatable is None or existing.repeatable != repeatable:
        raise ReviewAlreadySubmitted(existing.id)
    return existing


async def reply(
    db: Database,
    *,
    review_id: str,
    answer: NewReply,
    caller: Caller,
    idempotency_key: str | None,
    now: datetime,
) -> Review:
    """Answer a review in public, once.

    Raises:
        ReviewNotFound, WrongSide, RoleNotSufficient: the caller is no one to answer.
        ReplyAlreadyGiven: there is an answer.
        ContactInfoBlocked: the text holds contact information.
    """
    review = await store.get_review(db, review_id)
    repeatable = domain.repeat_of(caller=caller, key=idempotency_key, body=f"{review_id} {answer.text}")
    if repeatable and review.reply_repeatable == repeatable:
        return review
    replied = domain.reply(review, text=answer.text, by=caller, repeatable=repeatable, now=now)
    await _refuse_contact_info(
        db, review, tidy(answer.text), submitted=answer.text, where="reply", caller=caller, now=now
    )
    if await store.save_reply(db, replied):
        return replied
    winner = await store.get_review(db, review_id)
    if repeatable is None or winner.reply_repeatable != repeatable:
        raise ReplyAlreadyGiven(review_id)
    return winner


async def _refuse_contact_info(
    db: Database,
    review: Review,
    text: str | None,
    *,
    submitted: str | None,
    where: Literal["review", "reply"],
    caller: Caller,
    now: datetime,
) -> None:
    """Refuse a text with contact information, and tell moderators of it without a copy."""
    if not text:
        return
    try:
        refuse_contact_info(
            text, pointer="/text", context=Context(known=(review.order_number,)), submitted=submitted
        )
    except ContactInfoBlocked as refusal:
        blocked = MessageBlocked(
            order_id=review.order_id,
            buyer_id=review.buyer.id,
            factory_id=review.factory.id,
            user_id=caller.user_id,
            where=where,
            kinds=refusal.kinds,
            rules=refusal.rules,
        )
        await store.insert_block(db, blocked, sealed([blocked], now=now), now=now)
        raise


async def hide_review(db: Database, *, review_id: str, reason: str, now: datetime) -> Review:
    """Take a review out of sight; again, it stays hidden for the first reason.

    Raises:
        ReviewNotFound: there is no such review.
    """
    review = await store.get_review(db, review_id)
    await store.save_hidden(db, domain.hide(review, reason=reason, now=now))
    return await store.get_review(db, review_id)


async def open_reviews(db: Database, *, order: OrderStatusChanged, now: datetime) -> None:
    """Tell each side, once, that it may review; what an earlier event should have told is made up for."""
    for side in domain.open_sides(order.history):
        opened = ReviewOpened(
            order_id=order.order_id, buyer_id=order.buyer_id, factory_id=order.factory_id, by_side=side
        )
        await store.insert_opening(db, opened, sealed([opened], now=now))
