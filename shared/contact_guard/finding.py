"""What the guard is asked and what it answers."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["email", "phone", "messenger", "url", "social"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One identifier in the text, in code points of the text as it was given, `end` exclusive.

    `rule` names the rule that found it, for moderators and for the score; it is not part of a promise.
    """

    kind: Kind
    start: int
    end: int
    rule: str


@dataclass(frozen=True, slots=True)
class Context:
    """What is known about a text beside its words.

    `known` are strings of the order itself (its number, SKU, tracking number, quote id) that always pass.
    `previous` are up to four earlier messages of the same sender, oldest first; the caller chooses how far
    back in time they reach. `is_filename` says that the text is the name of a file.
    """

    known: tuple[str, ...] = ()
    previous: tuple[str, ...] = ()
    is_filename: bool = False
