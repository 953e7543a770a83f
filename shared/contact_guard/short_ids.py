"""Numbers that are no phone's but a messenger's: QQ numbers, meeting ids."""

import re
from collections.abc import Sequence

from shared.contact_guard import messengers, trade
from shared.contact_guard.finding import Finding
from shared.contact_guard.text import View
from shared.contact_guard.tokens import Token
from shared.contact_guard.vocabulary import Role

_MEETING = re.compile(r"\d{3}[ -]?\d{3,4}[ -]?\d{3,4}(?:[ -]?\d{2,3})?(?!\d)")
_QQ = re.compile(r"[1-9]\d{4,10}(?![\d\-])")
_NEAR = 8
_SHORTEST_AFTER_SHY = 8  # "Q: 12500 pcs?" is a question


def find(view: View, tokens: Sequence[Token]) -> list[Finding]:
    """Find what follows the name of a messenger that gives out numbers."""
    findings = []
    for place, token in enumerate(tokens):
        if not token.role & Role.MESSENGER:
            continue
        messenger = messengers.named(token.word)
        if messenger is None or messenger.number not in ("qq", "meeting"):
            continue
        pattern = _QQ if messenger.number == "qq" else _MEETING
        for offset, near in enumerate(tokens[place + 1 : place + _NEAR]):
            if near.digits and near.word.isdigit():
                match = pattern.match(view.norm, near.start)
                if match and messenger.shy and len(near.word) < _SHORTEST_AFTER_SHY:
                    break
                glued = view.norm[near.start - 1] == "-" and offset == 1
                # A waybill's letters can be any: 1Z0000QQ1000000005.
                if match and not glued and not trade.measures(view.norm, token.start, token.end):
                    first, last = view.span(*match.span())
                    findings.append(Finding(messenger.kind, first, last, f"{messenger.key}.id"))
                break
            if not (
                near.role & (Role.LINK | Role.ID | Role.MESSENGER | Role.NUMBER | Role.MEETING)
                or not near.word[0].isalnum()
            ):
                break
    return findings
