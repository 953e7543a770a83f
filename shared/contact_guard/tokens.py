# ruff: noqa: C901, PLR0912 - one pass over the run, for speed
"""A text as words with roles."""

import re
from typing import NamedTuple

from shared.contact_guard.text import View, replaced
from shared.contact_guard.vocabulary import TOKEN, VOCABULARY, Role, compound, is_dense, roles_of

NUMERALS = {
    char: str(digit)
    for digit, chars in enumerate(
        (
            "〇零洞０",
            "一幺壹妖弌",
            "二贰貳两弐",
            "三叁參参",
            "四肆",
            "五伍",
            "六陆陸",
            "七柒拐漆",
            "八捌",
            "九玖勾",
        )
    )
    for char in chars
}
_SHORTEST_COMPOUND = 8
_FIRST_DENSE = "\u0e00"
_COUNTING = frozenset("十百千万亿拾佰仟萬億点")
_HANGUL_DIGITS = {
    char: str(d)
    for d, chars in enumerate(("공영", "일", "이", "삼", "사", "오", "육륙", "칠", "팔", "구"))
    for char in chars
}
_HANGUL_ENDINGS = ("으로", "에", "로", "은", "는", "번", "입니다", "이에요", "예요", "")

_LEET = str.maketrans("0134578@$!|€", "oleastbasile")
_SUFFIXES = frozenset(("com", "net", "org"))
_MIXED = re.compile(r"[a-z][0-9@$!|€]|[0-9@$!|€][a-z]")
_CHUNK = re.compile(r"(?<![\w.@])[a-z0-9@$!|€]*[a-z][a-z0-9@$!|€]*(?![\w@])")


class Token(NamedTuple):
    """One word, number or sign; `digits` is what it is worth as part of a phone number, if anything."""

    start: int
    end: int
    word: str
    role: int
    digits: str = ""


def unleet(view: View) -> View:
    """Undo digits written for letters, in words that matter and nowhere else."""
    if not _MIXED.search(view.norm):
        return view
    return replaced(view, _CHUNK.sub(_unleet_word, view.norm))


def _unleet_word(chunk: re.Match[str]) -> str:
    word = chunk.group()
    if word.isalpha():
        return word
    for one in "li":
        plain = word.replace("1", one).translate(_LEET)
        if plain in _SUFFIXES or roles_of(plain) & (Role.MESSENGER | Role.DOT | Role.CALL | Role.MAIL):
            return plain
    return word


def tokenize(norm: str) -> list[Token]:
    """Split a folded text into tokens; phrases of the vocabulary become one token."""
    tokens: list[Token] = []
    for match in TOKEN.finditer(norm):
        word = match[0]
        first = word[0]
        start, end = match.span()
        if first <= "9" and first.isdigit():
            tokens.append(Token(start, end, word, 0, word))
        elif first >= _FIRST_DENSE and is_dense(first):
            _split_dense(word, start, tokens)
        else:
            role = roles_of(word)
            parts = compound(word) if not role and len(word) >= _SHORTEST_COMPOUND else ()
            for part in parts:
                tokens.append(Token(start, start + len(part), part, Role.DIGITS))
                start += len(part)
            if not parts:
                tokens.append(Token(start, end, word, role))
    return _join_phrases(norm, tokens)


def _split_dense(run: str, offset: int, tokens: list[Token]) -> None:
    hangul = run
    for ending in _HANGUL_ENDINGS:
        if ending and run.endswith(ending) and len(run) > len(ending) + 1:
            hangul = run.removesuffix(ending)
            break
    if all(char in _HANGUL_DIGITS for char in hangul):
        digits = "".join(_HANGUL_DIGITS[char] for char in hangul)
        tokens.append(Token(offset, offset + len(hangul), hangul, Role.DIGITS, digits))
        return
    place = rest = 0
    while place < len(run):
        char = run[place]
        end = place
        role = 0
        for word, known in VOCABULARY.dense.get(char, ()):
            if run.startswith(word, place):
                end, role = place + len(word), known
                break
        digits = ""
        if end <= place + 1 and char in NUMERALS:
            end = place
            while end < len(run) and run[end] in NUMERALS:
                end += 1
            counting = run[place - 1 : place] in _COUNTING or run[end : end + 1] in _COUNTING
            counting = counting and (place > 0 or end < len(run))
            if (place and run[place - 1] in _COUNTING) or (end < len(run) and run[end] in _COUNTING):
                role = 0
            else:
                role, digits = Role.DIGITS, "".join(NUMERALS[c] for c in run[place:end])
        if end == place:
            place += 1
            continue
        if rest < place:
            tokens.append(Token(offset + rest, offset + place, run[rest:place], 0))
        tokens.append(Token(offset + place, offset + end, run[place:end], role, digits))
        place = rest = end
    if rest < len(run):
        tokens.append(Token(offset + rest, offset + len(run), run[rest:], 0))


def _join_phrases(norm: str, tokens: list[Token]) -> list[Token]:
    words = [token.word for token in tokens]
    phrases, begins = VOCABULARY.phrases, VOCABULARY.phrase_starts
    starts = [
        place
        for place, word in enumerate(words[:-1])
        if word in begins and (word, words[place + 1]) in phrases
    ]
    if not starts:
        return tokens
    joined: list[Token] = []
    done = 0
    for place in starts:
        if place < done:
            continue
        length, role = _phrase(words, place)
        if not length:
            continue
        joined.extend(tokens[done:place])
        done = place + length
        if not role & Role.COMMON:
            for inner in tokens[place:done]:
                role |= inner.role & (Role.CALL | Role.ID | Role.MY | Role.AT | Role.LINK)
        start, end = tokens[place].start, tokens[done - 1].end
        joined.append(Token(start, end, norm[start:end], role))
    joined.extend(tokens[done:])
    return joined


def _phrase(words: list[str], place: int) -> tuple[int, int]:
    """Give the length and the role of the longest phrase that begins here."""
    length, role = 0, 0
    for rest, known in VOCABULARY.phrases[words[place], words[place + 1]].items():
        if len(rest) + 2 > length and tuple(words[place + 2 : place + 2 + len(rest)]) == rest:
            length, role = len(rest) + 2, known
    return length, role
