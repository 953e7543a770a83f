"""Texts that people type: what every field of a body refuses, said once."""

import unicodedata
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field

# Format characters that people need: joiners inside emoji and Indic or Persian words, direction marks.
_LINE_BREAKS: Final = "\n\r\t"


def _composed(value: Any) -> Any:
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def _trimmed(value: Any) -> Any:
    return unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else value


def _one_line(value: str) -> str:
    if any(unicodedata.category(char) in {"Cc", "Zl", "Zp"} for char in value):
        raise ValueError("must be one line without control characters")
    return value


def _many_lines(value: str) -> str:
    if any(unicodedata.category(char) == "Cc" and char not in _LINE_BREAKS for char in value):
        raise ValueError("must not contain control characters")
    return value


Line = Annotated[str, BeforeValidator(_trimmed), AfterValidator(_one_line)]
"""One line, trimmed, NFC; give it lengths with `Field`."""
Paragraphs = Annotated[str, BeforeValidator(_trimmed), AfterValidator(_many_lines)]
"""Several lines, trimmed, NFC."""
Verbatim = Annotated[str, BeforeValidator(_composed), AfterValidator(_many_lines)]
"""Several lines exactly as typed, but for NFC."""

Note = Annotated[Paragraphs, Field(max_length=1000)]
Id = Annotated[Line, Field(min_length=1, max_length=100)]
