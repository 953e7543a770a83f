"""Positions in lists that are sorted by time, newest first."""

from datetime import datetime

from shared.api.page import read_cursor
from shared.errors import ValidationFailed
from shared.mongo import Document


def older_than(cursor: str | None) -> Document:
    """Make the condition for what follows a cursor of `created_at` and `_id`.

    Raises:
        ValidationFailed: it is no such cursor.
    """
    if cursor is None:
        return {}
    at, last_id = read_cursor(cursor, length=2)
    try:
        instant = datetime.fromisoformat(str(at))
    except ValueError as error:
        raise ValidationFailed.at("/cursor", "is no cursor of this list") from error
    if instant.tzinfo is None:
        raise ValidationFailed.at("/cursor", "is no cursor of this list")
    return {
        "created_at": {"$lte": instant},
        "$or": [{"created_at": {"$lt": instant}}, {"_id": {"$lt": str(last_id)}}],
    }
