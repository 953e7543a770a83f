"""The guard: reads a text in every way that it can be read, and says what was found."""

import re

from shared.contact_guard import addresses, messengers, phones, text
from shared.contact_guard.finding import Context, Finding
from shared.contact_guard.text import View
from shared.contact_guard.tokens import tokenize, unleet

_SPREAD = re.compile(r"(?<!\S)[^\s\u3000-\uffff](?: ?[ ][^\s\u3000-\uffff])(?: [^\s\u3000-\uffff]){2,}(?!\S)")


def check(raw: str, *, context: Context = Context()) -> list[Finding]:  # noqa: B008 - frozen
    """Find contact information in a text, in the order in which it stands there."""
    findings: list[Finding] = []
    view = unleet(text.read(raw))
    findings.extend(_detect(view))
    return _merged(findings)


def _detect(view: View) -> list[Finding]:
    tokens = tokenize(view.norm)
    findings, passed = addresses.find(view, tokens)
    findings += messengers.find(view, tokens)
    findings += phones.find(view, tokens, passed)
    return findings


def _merged(findings: list[Finding]) -> list[Finding]:
    """Keep the first and longest of findings that overlap."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda f: (f.start, -f.end)):
        if not kept or finding.start >= kept[-1].end:
            kept.append(finding)
    return kept
