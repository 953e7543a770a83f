"""Reviews and profiles as clients send and see them."""

from typing import Annotated

from pydantic import AfterValidator, Field

from shared.api.orders import CompletedOrder, Frozen, Party, Status
from shared.api.page import Page
from shared.api.text import AsTyped
from shared.events.base import Instant
from shared.identity import Person, Side

Stars = Annotated[int, Field(strict=True, ge=1, le=5)]


def _says_something(text: str) -> str:
    if not text.strip():
        raise ValueError("must say something")
    return text


class Aspects(Frozen):
    quality: Stars | None = None
    communication: Stars | None = None
    on_time: Stars | None = None
    payment: Stars | None = None


class NewReview(Frozen):
    """Texts are as typed until they are stored: findings of contact information are told in their offsets."""

    rating: Stars
    text: Annotated[AsTyped, Field(max_length=4000)] | None = None
    aspects: Aspects | None = None


class ReviewedOrder(Frozen):
    """What reviews needs to know of an order, as the gateway has just read it."""

    order_id: str
    number: str
    status: Status
    buyer: Party
    factory: Party


class SubmittedReview(Frozen):
    review: NewReview
    order: ReviewedOrder


class NewReply(Frozen):
    text: Annotated[AsTyped, Field(min_length=1, max_length=4000), AfterValidator(_says_something)]


class Reply(Frozen):
    text: str
    by: Person
    created_at: Instant


class Hidden(Frozen):
    """An operator took the review out of sight."""

    reason: str
    at: Instant


class Review(Frozen):
    """A hidden review shows neither text, aspects nor reply, and counts in no rating."""

    id: str
    order_id: str
    order_number: str
    by_side: Side
    author: Person
    organisation: Party = Field(description="the reviewing organisation")
    about: Party = Field(description="the reviewed organisation")
    rating: int
    text: str | None
    aspects: Aspects | None
    reply: Reply | None
    hidden: Hidden | None = None
    created_at: Instant


class RatingSummary(Frozen):
    average: float | None
    count: int


class Rating(RatingSummary):
    distribution: dict[str, int] = Field(description='how many gave "1" to "5" stars')
    hidden: int = Field(default=0, description="reviews that an operator hid; they count in nothing else")


class Reputation(Frozen):
    """What reviews say of an organisation."""

    rating: Rating
    reviews: Page[Review]


class PublicOrganisation(Frozen):
    id: str
    name: str
    kind: Side
    country: str | None
    logo_url: str | None = None


class Profile(Frozen):
    organisation: PublicOrganisation
    rating: Rating | None
    on_time_rate: float | None
    completed_orders: Page[CompletedOrder] | None
    reviews: Page[Review] | None
    degraded: list[str]
