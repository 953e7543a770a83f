"""How a text with contact information is refused, wherever people write something for the other side."""

from collections.abc import Sequence

from shared import contact_guard
from shared.contact_guard import Context, Finding
from shared.errors import Invalid


class ContactInfoBlocked(Invalid):
    """The text would take the deal off the platform.

    The answer tells where each finding is, in code points of the text as it was submitted. `kinds` and
    `rules` say, each once and in order, what was found and by what; they are for moderators.
    """

    title = "Contact information is not allowed here"

    def __init__(self, found: Sequence[Finding], *, pointer: str) -> None:
        self.kinds: list[str] = sorted({finding.kind for finding in found})
        self.rules = sorted({finding.rule for finding in found})
        super().__init__(
            f"remove the contact information ({', '.join(self.kinds)}) and send the rest",
            pointer=pointer,
            findings=[
                {"kind": finding.kind, "start": finding.start, "end": finding.end} for finding in found
            ],
        )


def refuse_contact_info(
    text: str, *, pointer: str, context: Context | None = None, submitted: str | None = None
) -> None:
    """Let a text pass, or refuse it.

    Args:
        pointer: the field of the request that holds the text.
        submitted: the text before it was brought into NFC, where findings are to be told in its offsets.

    Raises:
        ContactInfoBlocked: it holds contact information, by itself or together with what `context` tells.
    """
    context = context or Context()
    found = contact_guard.check(text, context=context)
    if not found:
        return
    if submitted is not None and submitted != text:
        found = contact_guard.check(submitted, context=context) or found
    raise ContactInfoBlocked(found, pointer=pointer)
