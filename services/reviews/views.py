"""Reviews as everybody sees them."""

from services.reviews.domain import Review
from shared.api import reviews as api


def review(review: Review) -> api.Review:
    is_hidden = review.hidden is not None
    return api.Review(
        id=review.id,
        order_id=review.order_id,
        order_number=review.order_number,
        by_side=review.author.side,
        author=review.author,
        organisation=review.organisation,
        about=review.about,
        rating=review.rating,
        text=None if is_hidden else review.text,
        aspects=None if is_hidden else review.aspects,
        reply=None if is_hidden else review.reply,
        hidden=review.hidden,
        created_at=review.created_at,
    )
