"""Events that the reviews service publishes."""

from typing import ClassVar

from shared.events.base import Fact
from shared.identity import Side


class _ReviewFact(Fact):
    source: ClassVar[str] = "/services/reviews"

    order_id: str
    buyer_id: str
    factory_id: str
    by_side: Side
    """The reviewing side."""

    @property
    def subject(self) -> str:
        return self.order_id


class ReviewOpened(_ReviewFact):
    """A side may review from now on: the buyer from delivery, the factory from completion."""

    type: ClassVar[str] = "review.opened.v1"


class ReviewSubmitted(_ReviewFact):
    """One side reviewed the other; a buyer's review completes the order."""

    type: ClassVar[str] = "review.submitted.v1"

    review_id: str
    rating: int
    user_id: str
    user_name: str
