"""The reviews service over HTTP, for the gateway alone."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header

from services.reviews import store, use_cases, views
from shared.api.page import Page, page_of
from shared.api.reviews import NewReply, RatingSummary, Reputation, Review, SubmittedReview
from shared.errors import ValidationFailed
from shared.http import CurrentCaller, Cursor, Db, Limit, Now

router = APIRouter()

IdempotencyKey = Annotated[str | None, Header(max_length=128)]


@router.post("/orders/{order_id}/reviews", status_code=201)
async def submit_review(
    order_id: str,
    body: SubmittedReview,
    caller: CurrentCaller,
    db: Db,
    now: Now,
    idempotency_key: IdempotencyKey = None,
) -> Review:
    if body.order.order_id != order_id:
        raise ValidationFailed.at("/order/order_id", "is another order than the path names")
    review = await use_cases.submit_review(
        db, submitted=body, caller=caller, idempotency_key=idempotency_key, now=now
    )
    return views.review(review)


@router.get("/orders/{order_id}/reviews")
async def list_reviews(
    order_id: str, caller: CurrentCaller, db: Db, limit: Limit = 20, cursor: Cursor = None
) -> Page[Review]:
    found = await store.find_reviews_of_order(db, order_id, caller=caller)
    reviews = [views.review(review) for review in found]
    return page_of(reviews, id_of=lambda review: review.id, limit=limit, cursor=cursor)


@router.post("/reviews/{review_id}/reply", status_code=201)
async def reply(
    review_id: str,
    body: NewReply,
    caller: CurrentCaller,
    db: Db,
    now: Now,
    idempotency_key: IdempotencyKey = None,
) -> Review:
    review = await use_cases.reply(
        db, review_id=review_id, answer=body, caller=caller, idempotency_key=idempotency_key, now=now
    )
    return views.review(review)


@router.get("/organisations/{organisation_id}/reputation")
async def reputation(
    organisation_id: str, caller: CurrentCaller, db: Db, limit: Limit = 20, cursor: Cursor = None
) -> Reputation:
    del caller  # anybody signed in may see it
    rating, (reviews, next_cursor) = await asyncio.gather(
        store.rating(db, organisation_id),
        store.find_reviews_about(db, organisation_id, limit=limit, cursor=cursor),
    )
    page = Page[Review](items=[views.review(review) for review in reviews], next_cursor=next_cursor)
    return Reputation(rating=rating, reviews=page)


@router.get("/organisations/{organisation_id}/rating")
async def rating(organisation_id: str, caller: CurrentCaller, db: Db) -> RatingSummary:
    del caller  # anybody signed in may see it
    found = await store.rating(db, organisation_id)
    return RatingSummary(average=found.average, count=found.count)
