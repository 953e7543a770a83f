"""Reviews and their rules: pure."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shared.api.orders import HistoryEntry, Party, Status
from shared.api.reviews import Aspects, Hidden, NewReview, Reply, ReviewedOrder
from shared.api.text import tidy
from shared.errors import Conflict, NotFound, WrongSide
from shared.events.reviews import ReviewSubmitted
from shared.identity import Caller, Person, Side

_OPEN_FROM: Final[dict[Side, Status]] = {"buyer": Status.DELIVERED, "factory": Status.COMPLETED}
_PIPELINE: Final = tuple(Status)


@dataclass(frozen=True, kw_only=True)
class Review:
    id: str
    order_id: str
    order_number: str
    author: Person
    organisation: Party
    about: Party
    rating: int
    text: str | None
    aspects: Aspects | None
    repeatable: str | None
    """Names the very call that made the review; see `repeat_of`."""
    reply: Reply | None
    reply_repeatable: str | None
    hidden: Hidden | None
    created_at: datetime

    @property
    def buyer(self) -> Party:
        return self.organisation if self.author.side == "buyer" else self.about

    @property
    def factory(self) -> Party:
        return self.organisation if self.author.side == "factory" else self.about


class OrderNotYours(NotFound):
    """No such order, or none of the caller's: which of the two is not told."""

    title = "No such order"


class ReviewNotFound(NotFound):
    """No such review, or none of an order of the caller's: which of the two is not told."""

    title = "No such review"

    def __init__(self, review_id: str) -> None:
        super().__init__(f"there is no review {review_id[:100]!r} of an order of yours")


class ReviewNotOpen(Conflict):
    """The order has not come far enough for this side's review."""

    title = "Too early for a review"

    def __init__(self, side: Side, status: Status) -> None:
        opens_at = _OPEN_FROM[side]
        super().__init__(
            f"the {side} reviews from {opens_at} on; the order is {status.replace('_', ' ')}",
            current_status=status,
            opens_at=opens_at,
        )


class ReviewAlreadySubmitted(Conflict):
    """Each side reviews an order once."""

    title = "Already reviewed by your side"

    def __init__(self, review_id: str) -> None:
        super().__init__("your side has reviewed this order", review_id=review_id)


class ReplyAlreadyGiven(Conflict):
    """The reviewed side answers once."""

    title = "Already answered by your side"

    def __init__(self, review_id: str) -> None:
        super().__init__("your side has answered this review", review_id=review_id)


def submit(
    new: NewReview,
    *,
    review_id: str,
    order: ReviewedOrder,
    by: Caller,
    repeatable: str | None,
    now: datetime,
) -> tuple[Review, ReviewSubmitted]:
    """Record what one side of an order says of the other.

    Raises:
        OrderNotYours: the caller's organisation is not on its side of the order.
        RoleNotSufficient: a viewer only reads.
        ReviewNotOpen: too early.
    """
    own, other = (order.buyer, order.factory) if by.side == "buyer" else (order.factory, order.buyer)
    if own.id != by.organisation_id:
        raise OrderNotYours(f"there is no order {order.order_id!r} of yours")
    by.must_write()
    if not is_open(by.side, status=order.status):
        raise ReviewNotOpen(by.side, order.status)
    review = Review(
        id=review_id,
        order_id=order.order_id,
        order_number=order.number,
        author=by.person,
        organisation=own,
        about=other,
        rating=new.rating,
        text=tidy(new.text or "") or None,
        aspects=new.aspects,
        repeatable=repeatable,
        reply=None,
        reply_repeatable=None,
        hidden=None,
        created_at=now,
    )
    submitted = ReviewSubmitted(
        order_id=order.order_id,
        buyer_id=order.buyer.id,
        factory_id=order.factory.id,
        by_side=by.side,
        review_id=review_id,
        rating=new.rating,
        user_id=by.user_id,
        user_name=by.name,
    )
    return review, submitted


def reply(review: Review, *, text: str, by: Caller, repeatable: str | None, now: datetime) -> Review:
    """Add the reviewed side's public answer.

    Raises:
        ReviewNotFound: the caller has no part in the order.
        WrongSide, RoleNotSufficient: the caller is no one to answer.
        ReplyAlreadyGiven: there is an answer.
    """
    if by.organisation_id not in {review.about.id, review.organisation.id}:
        raise ReviewNotFound(review.id)
    if by.organisation_id != review.about.id:
        raise WrongSide("only the reviewed side may answer")
    by.must_write()
    if review.reply is not None:
        raise ReplyAlreadyGiven(review.id)
    answer = Reply(text=tidy(text), by=by.person, created_at=now)
    return replace(review, reply=answer, reply_repeatable=repeatable)


def hide(review: Review, *, reason: str, now: datetime) -> Review:
    """Take a review out of sight and out of the rating; the record stays, and so does the first reason."""
    return review if review.hidden else replace(review, hidden=Hidden(reason=reason, at=now))


def repeat_of(*, caller: Caller, key: str | None, body: str) -> str | None:
    """Name a call, so that its repeat is known: same user, same Idempotency-Key, same body."""
    if key is None:
        return None
    return hashlib.sha256(f"{caller.user_id}\0{key}\0{body}".encode()).hexdigest()


def is_open(side: Side, *, status: Status) -> bool:
    return _PIPELINE.index(status) >= _PIPELINE.index(_OPEN_FROM[side])


def open_sides(history: list[HistoryEntry]) -> list[Side]:
    """List the sides that may review an order with this history."""
    reached = {entry.status for entry in history}
    return [side for side, status in _OPEN_FROM.items() if status in reached]
