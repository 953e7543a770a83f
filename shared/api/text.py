"""Texts that people type: what every field of a body refuses, said once."""

import re
import unicodedata
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

# Format characters that people need: joiners inside emoji and Indic or Persian words, direction marks.
_LINE_BREAKS: Final = "\n\r\t"


def tidy(text: str) -> str:
    """Bring a text into the form in which it is kept: trimmed, NFC."""
    return unicodedata.normalize("NFC", text).strip()


def _composed(value: Any) -> Any:
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def _trimmed(value: Any) -> Any:
    return tidy(value) if isinstance(value, str) else value


def _one_line(value: str) -> str:
    if any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in value):
        raise ValueError("must be one line without control characters")
    return value


def _calendar_date(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError('must be a calendar date such as "2026-12-31"')
    return value


def _many_lines(value: str) -> str:
    # Half of a surrogate pair is no character: nothing could store or send it.
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in _LINE_BREAKS for char in value):
        raise ValueError("must not contain control characters")
    return value


Line = Annotated[str, BeforeValidator(_trimmed), AfterValidator(_one_line)]
"""One line, trimmed, NFC; give it lengths with `Field`."""
Paragraphs = Annotated[str, BeforeValidator(_trimmed), AfterValidator(_many_lines)]
"""Several lines, trimmed, NFC."""
Verbatim = Annotated[str, BeforeValidator(_composed), AfterValidator(_many_lines)]
"""Several lines exactly as typed, but for NFC."""

CalendarDate = Annotated[date, BeforeValidator(_calendar_date, json_schema_input_type=date)]
"""`YYYY-MM-DD` and nothing else: no time of day, no seconds since 1970."""

AsTyped = Annotated[str, AfterValidator(_many_lines)]
"""Several lines exactly as they came, since a refusal points into them; `tidy` makes what is kept."""
Note = Annotated[AsTyped, Field(max_length=1000)]
Id = Annotated[Line, Field(min_length=1, max_length=100)]

Language = Literal["en", "zh"]
"""What Millrace is written in."""
