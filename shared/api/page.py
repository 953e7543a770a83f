"""Lists: `{"items": [...], "next_cursor": "..." | null}`, and the opaque cursors that continue them."""

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import orjson
from pydantic import BaseModel

from shared.errors import ValidationFailed

ItemT = TypeVar("ItemT")


class Page(BaseModel, Generic[ItemT]):
    items: list[ItemT]
    next_cursor: str | None


def page_of(
    items: Iterable[ItemT], *, id_of: Callable[[ItemT], str], limit: int, cursor: str | None
) -> Page[ItemT]:
    """Cut a page, by ids and so by age, from a list that is short enough to be read whole.

    Raises:
        ValidationFailed: the text is no cursor of such a list.
    """
    after = "" if cursor is None else read_cursor(cursor, length=1)[0]
    if not isinstance(after, str):
        raise ValidationFailed.at("/cursor", "is no cursor of this list")
    found = sorted((item for item in items if id_of(item) > after), key=id_of)
    next_cursor = write_cursor(id_of(found[limit - 1])) if len(found) > limit else None
    return Page(items=found[:limit], next_cursor=next_cursor)


def write_cursor(*position: Any) -> str:
    """Write where a list stopped: the sort keys of its last item."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).rstrip(b"=").decode()


def read_cursor(cursor: str, *, length: int) -> list[Any]:
    """Read the sort keys back; `length` is how many there must be.

    Raises:
        ValidationFailed: the text is no cursor of such a list.
    """
    try:
        position = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise ValidationFailed.at("/cursor", "is no cursor of this list") from error
    if not isinstance(position, list) or len(position) != length:
        raise ValidationFailed.at("/cursor", "is no cursor of this list")
    return position
