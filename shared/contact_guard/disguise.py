# ruff: noqa: C901 - one decision a line, in the order in which they count
"""Other ways to read a text: spread letters closed up, spelled signs written, announced reversals undone."""

import re
from collections.abc import Iterator, Sequence

from shared.contact_guard import hosts, text
from shared.contact_guard.text import View
from shared.contact_guard.tokens import Token, tokenize
from shared.contact_guard.vocabulary import DENSE, Role, roles_of

_SPREAD = re.compile(rf"(?<![^\s:,;=(\"{DENSE}])(?:[^\s{DENSE}] ){{2,}}[^\s{DENSE}](?![^\s{DENSE}])")
_DOTTED = re.compile(r"(?<![^\W_])(?:[a-z][.\-_*~|/·'+] ?){3,}[a-z](?![^\W_])")
_BROKEN = re.compile(
    rf"(?<=[vw{DENSE}])(?:[^\w\s,.!?:;()/@\"'、+{DENSE}]{{1,3}}| )(?=[{DENSE}])|(?<=[vw])[^\w\s,.!?:;()/@\"'+-]{{1,3}}(?=x)"
)
_LOOSE_SIGN = re.compile(r"www|[\[({<]\s?[@.]\s?[\])}>]| \.[a-z]")
_LETTER = re.compile(r"[a-z]")
_ENOUGH_LETTERS = 3
_LOOKAHEAD = 9
_FILL_LIMIT = 6


def other_views(view: View, tokens: Sequence[Token]) -> Iterator[tuple[View, list[Token]]]:
    """Give the readings that differ from the plain one; for most texts there are none."""
    closed = _closed(view)
    if closed is not None:
        view, tokens = closed, tokenize(closed.norm)
        yield view, tokens
    roles = 0
    for token in tokens:
        roles |= token.role
    if roles & (Role.AT_SURE | Role.AT | Role.DOT | Role.DOT_COM | Role.UNDERSCORE) or _LOOSE_SIGN.search(
        view.norm
    ):
        written = _written(view, tokens)
        if written is not None:
            yield written, tokenize(written.norm)
    if roles & Role.BACKWARDS:
        reverse = text.backwards(view)
        yield reverse, tokenize(reverse.norm)


def _closed(view: View) -> View | None:
    """Close up words whose letters stand apart: "w w w", "W.e.C.h.a.t", "微*信"."""
    gaps: list[tuple[int, int]] = []
    for match in _SPREAD.finditer(view.norm):
        if len(_LETTER.findall(match.group())) >= _ENOUGH_LETTERS:
            gaps.extend((place, place + 1) for place in range(match.start() + 1, match.end(), 2))
    for match in _DOTTED.finditer(view.norm):
        word = "".join(_LETTER.findall(match.group()))
        if roles_of(word) & (Role.MESSENGER | Role.CALL | Role.MAIL | Role.SITE):
            gaps.extend(
                (place, place + 1) for place in range(*match.span()) if not view.norm[place].isalpha()
            )
    gaps.extend(match.span() for match in _BROKEN.finditer(view.norm))
    if not gaps:
        return None
    return text.without(view, sorted(set(gaps)))


def _written(view: View, tokens: Sequence[Token]) -> View | None:
    """Write "at", "dot", "underscore" as signs, where they can be meant as such."""
    edits = [
        (tokens[place - 1].end, token.end, ".com")
        for place, token in enumerate(tokens)
        if place and token.role & Role.DOT_COM
    ]
    if edits:
        view = text.edited(view, edits)
        tokens = tokenize(view.norm)
    signs = _signs(view, tokens)
    if not signs:
        return view if edits else None
    edits = []
    for place, marked in sorted(signs.items()):
        first = last = place
        sign = marked.removeprefix("+")
        if marked != sign:  # a dot that nobody wrote, between this token and the next
            first = place + 1
            last = place
        generous = bool(tokens[place].role & Role.AT_SURE) or first > last or tokens[place].word == "."
        left = _part(view, tokens, first - 1, -1, generous=generous)
        right = _part(view, tokens, last + 1, +1, generous=generous)
        if left is None or right is None:
            continue
        start, end = tokens[left].end, tokens[right].start
        if edits and start < edits[-1][1]:
            continue
        edits.append((start, end, sign))
    return text.edited(view, edits) if edits else None


def _signs(view: View, tokens: Sequence[Token]) -> dict[int, str]:
    signs: dict[int, str] = {}
    certain = any(token.role & (Role.AT_SURE | Role.SITE | Role.MAIL) for token in tokens) or "@" in view.norm
    for place, token in enumerate(tokens):
        role = token.role
        if role & Role.AT_SURE:
            signs[place] = "@"
            _implied_dots(tokens, place, signs)
        elif role & Role.AT and (_bracketed(tokens, place) or _leads_to_suffix(view, tokens, place)):
            signs[place] = "@"
            certain = True
        elif role & Role.DOT and (
            _bracketed(tokens, place) or _before_suffix(tokens, place, certain=certain)
        ):
            signs[place] = "."
        elif role & Role.UNDERSCORE and not role & Role.AT:
            signs[place] = "_"
        elif role & (Role.DASH | Role.SLASH) and any(sign in ".@_" for sign in signs.values()):
            signs[place] = "-" if role & Role.DASH else "/"
        elif token.word in ("@", ".") and (_bracketed(tokens, place) or _loose_dot(view, tokens, place)):
            signs[place] = token.word
        elif token.word == "www" and view.norm[token.end : token.end + 1] != ".":
            _implied_dots(tokens, place, signs, from_here=True)
    if "." in signs.values() or "@" in signs.values():
        for place, token in enumerate(tokens):
            if token.role & Role.DASH and place not in signs and token.word != "-":
                signs[place] = "-"
            elif token.role & Role.DOT and place not in signs and any(signs.get(place + n) for n in (2, 3)):
                signs[place] = "."
    return signs


def _implied_dots(
    tokens: Sequence[Token], place: int, signs: dict[int, str], *, from_here: bool = False
) -> None:
    """Put the dots of "a-sign, then example, then com" and "www , valvehouse , example"."""
    labels: list[int] = []
    for ahead in range(place + 1, min(place + _LOOKAHEAD, len(tokens))):
        token = tokens[ahead]
        if token.role & Role.DOT or token.word == ".":
            if token.word != "." or from_here is False:
                return
            continue
        if not token.word[0].isalnum() or (token.role & Role.FILL and not hosts.is_suffix(token.word)):
            continue
        labels.append(ahead)
        if len(labels) > 1 and _strong(token.word):
            ends = [place, *labels[:-1]] if from_here else labels[:-1]
            for end in ends[-3:]:
                if end not in signs:
                    signs[end] = "+."
            return


def _strong(label: str) -> bool:
    return hosts.is_suffix(label) and label not in hosts.WORD_SUFFIXES and label not in hosts.FILE_SUFFIXES


def _bracketed(tokens: Sequence[Token], place: int) -> bool:
    return (
        0 < place < len(tokens) - 1
        and tokens[place - 1].word in ("(", "[", "{", "<", "*", "_", "-", '"', "'")
        and tokens[place + 1].word in (")", "]", "}", ">", "*", "_", "-", '"', "'")
    )


def _loose_dot(view: View, tokens: Sequence[Token], place: int) -> bool:
    """Tell whether a dot stands before a suffix and apart from its domain: "halden, then .com"."""
    dot = tokens[place]
    return (
        dot.word == "."
        and place + 1 < len(tokens)
        and tokens[place + 1].start == dot.end
        and view.norm[dot.start - 1 : dot.start] == " "
        and _strong(tokens[place + 1].word)
    )


def _leads_to_suffix(view: View, tokens: Sequence[Token], place: int) -> bool:
    """Tell whether a domain with a written or spelled dot comes soon after this "at"."""
    for ahead in range(place + 2, min(place + _LOOKAHEAD, len(tokens) - 1)):
        token = tokens[ahead]
        if token.role & Role.DOT or token.word == ".":
            following = _next_word(tokens, ahead)
            if following and _strong(following):
                return bool(token.role & Role.DOT) or (
                    ahead == place + 2 and _is_address(view, tokens, place)
                )
            if following and hosts.is_suffix(following) and token.role & Role.DOT:
                return len(view.norm[tokens[place].end : token.start].split()) == 1
    return False


def _is_address(view: View, tokens: Sequence[Token], place: int) -> bool:
    """Tell "m.lopez AT example.com" from "we are at example.com"."""
    if place == 0 or tokens[place + 1].word == "www":
        return False
    token, before = tokens[place], tokens[place - 1]
    shouted = (
        view.original(token.start, token.end).isupper()
        and not view.original(before.start, before.end).isupper()
    )
    return shouted or not before.word.isalpha() or any(t.role & Role.MAIL for t in tokens)


def _next_word(tokens: Sequence[Token], place: int) -> str:
    for token in tokens[place + 1 : place + 4]:
        if token.word[0].isalnum():
            return token.word
    return ""


def _before_suffix(tokens: Sequence[Token], place: int, *, certain: bool) -> bool:
    if place == 0 or place + 1 >= len(tokens):
        return False
    following = _next_word(tokens, place)
    if not following or not hosts.is_suffix(following):
        return False
    if _strong(following):
        return True
    short = f"{tokens[place - 1].word}.{following}"
    return short in hosts.SHORT or (certain and not (roles_of(tokens[place - 1].word) & Role.COMMON))


def _part(view: View, tokens: Sequence[Token], place: int, step: int, *, generous: bool) -> int | None:
    """Find the part of the address beside a sign, past brackets and words like "then"."""
    skipped = 0
    while 0 <= place < len(tokens) and skipped <= _FILL_LIMIT:
        token = tokens[place]
        if token.word == "www":
            return place
        if token.role & Role.FILL and generous and len(token.word) > 0 and token.word.isalpha():
            skipped += 1
        elif token.word[0].isalnum():
            return place
        elif token.word in ".@":
            return None if not generous else _part(view, tokens, place + step, step, generous=generous)
        elif token.word not in "()[]{}<>,'\"*-_:;|~ ":
            return None
        place += step
    return None
