# ruff: noqa: C901, PLR0911, PLR0912 - one decision a line, in the order in which they count
"""Handles and numbers given as a messenger's or a network's."""

import functools
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from shared.contact_guard.finding import Finding, Kind
from shared.contact_guard.text import View
from shared.contact_guard.text import read as fold
from shared.contact_guard.tokens import Token
from shared.contact_guard.vocabulary import VOCABULARY, Role, is_dense, roles_of


@dataclass(frozen=True, slots=True)
class Messenger:
    """One way to talk elsewhere; see messengers.toml."""

    key: str
    kind: Kind
    shy: bool
    number: str


_GLUES = ("-", "_", ".", "*", "/", "'", "~", "+", " - ")
_SPACE = re.compile(r"\s+")


def _key(name: str) -> str:
    return _SPACE.sub("", name)


def _load() -> tuple[dict[str, Messenger], dict[str, Messenger], dict[str, Kind]]:
    tables = tomllib.loads((resources.files("shared.contact_guard") / "messengers.toml").read_text("utf-8"))
    names: dict[str, Messenger] = {}
    prefixes: dict[str, Messenger] = {}
    owners: dict[str, Kind] = {}
    for key, table in tables.items():
        split = [glue.join(halves) for halves in table.get("parts", ()) for glue in _GLUES]
        for shy in (True, False):
            for name in table.get("shy", ()) if shy else [*split, *table.get("names", ())]:
                VOCABULARY.add(name, Role.MESSENGER | (Role.SHY if shy else 0))
                messenger = Messenger(key, table["kind"], shy, table.get("number", ""))
                folded = _key(fold(name).norm)
                (prefixes if folded.endswith("*") else names)[folded.rstrip("*")] = messenger
        owners.update(dict.fromkeys(table["hosts"], table["kind"]))
    return names, prefixes, owners


_NAMES, _PREFIXES, HOSTS = _load()


@functools.lru_cache(maxsize=4096)
def named(word: str) -> Messenger | None:
    """Give the messenger that a token names."""
    key = _key(word)
    for length in range(len(key), 0, -1):
        found = _NAMES.get(key) if length == len(key) else None
        found = found or _PREFIXES.get(key[:length])
        if found:
            return found
    return None


_HANDLE = re.compile(r"@?[a-z0-9](?:[a-z0-9_]|[.:\-]{1,2}(?=[a-z0-9_])){0,48}_?")
_AT_HANDLE = re.compile(r"(?<![\w.@])@[a-z][a-z0-9_]{1,40}(?:[.\-][a-z0-9_]{1,40}){0,4}")
_FILE = re.compile(
    r"\.(?:pdf|docx?|xlsx?|csv|txt|zip|rar|7z|jpe?g|png|gif|webp|heic|bmp|tiff?|svg|eps|ai|psd|step|stp|iges|igs|dwg|dxf|sldprt|sldasm|stl|x_t|prt|mp4|mov|avi|md|ppt|pptx|nc|gcode)$"
)
_FILE_START = re.compile(
    r"(?:img|dsc|pxl|vid|mov|scan|image|photo|screenshot|mmexport|fb_img|signal-20|dcim)[_\-]?\d|.*(?:_|-)(?:v|rev)\d*$|.*_final\d*$"
)
_STRICT = re.compile(
    r"(?=.*[a-z]{3})(?:.*[a-z0-9]_+[a-z0-9].*|(?=.*[a-z]{4}).*[a-z][._\-]?\d{2,}|.*[a-z]{5,}\d)$"
)
_LENIENT = re.compile(r"(?=(?:[^a-z]*[a-z]){2})(?:.*[\d_.:].*|.*-.*)$")
_MARKS = frozenset(":=@>»→-~|")
_STOPS = frozenset(".!?;")
_FAR_WORDS = 3
_MOST_NAMES = 3
_NEAR_TOKENS = 10
_SHORTEST = 4
_LONGEST_HANDLE = 64
_SHORTEST_WORD = 5
_SHORTEST_AFTER_AT = 3


def find(view: View, tokens: Sequence[Token], cues: int) -> list[Finding]:
    """Find handles that a messenger's name, an "add me" or an at-sign gives away."""
    findings: list[Finding] = []
    unnamed: list[Finding] = []
    announced = cues & (Role.MESSENGER | Role.ADD | Role.FIND)
    for place, token in enumerate(tokens) if announced else ():
        if token.role & Role.MESSENGER:
            messenger = named(token.word)
            if messenger is None or (place and tokens[place - 1].digits and messenger.shy):
                continue
            if view.norm[token.start - 1 : token.start].isdigit():
                continue
            hit = _after(view, tokens, place, messenger) or _before(view, tokens, place, messenger)
            if hit:
                findings.append(_finding(view, *hit, messenger.kind, f"{messenger.key}.handle"))
        elif token.role & (Role.ADD | Role.FIND):
            hit = _after(view, tokens, place, _ANYWHERE) or _before(view, tokens, place, _ANYWHERE)
            if hit:
                unnamed.append(_finding(view, *hit, "messenger", "add_me.handle"))
    if "@" in view.norm:
        unnamed.extend(_bare(view, tokens))
    return findings + unnamed


_ANYWHERE = Messenger("anywhere", "messenger", True, "")


def _finding(view: View, start: int, end: int, kind: Kind, rule: str) -> Finding:
    first, last = view.span(start, end)
    return Finding(kind, first, last, rule)


def _after(view: View, tokens: Sequence[Token], place: int, messenger: Messenger) -> tuple[int, int] | None:
    name = tokens[place]
    norm = view.norm
    marked = name.word[-1] in ":：@" or bool(name.role & Role.ID)
    mine = is_dense(name.word[-1]) or any(token.role & Role.MY for token in tokens[max(0, place - 2) : place])
    near = True
    refused = _refused(tokens, place)
    skipped = names = 0
    end = name.end
    for offset, token in enumerate(tokens[place + 1 : place + 1 + _NEAR_TOKENS + _FAR_WORDS]):
        gap = norm[end : token.start]
        if token.word in _STOPS and norm[token.end : token.end + 1] in ("", " ", "\n"):
            if not _goes_on(tokens, place + offset + 2):
                return None
            end = token.end
            continue
        if "\n" in gap:
            near = near and offset == 0
        if refused and offset > 1:
            return None
        names += bool(token.role & Role.MESSENGER)
        if names > _MOST_NAMES:
            return None
        hit = _handle_at(
            view,
            token,
            messenger,
            marked=marked or (mine and _ends_there(view, token)),
            near=near,
            first=offset == 0,
        )
        if hit:
            return hit
        end = token.end
        if token.word in _MARKS or token.role & Role.ID:
            if not (token.word == "-" and offset == 0 and not gap):
                marked = marked or token.word != "-" or bool(gap)
        elif (
            token.role & Role.LINK
            or not token.word[0].isalnum()
            or token.role & (Role.MESSENGER | Role.ADD | Role.AT_SURE | Role.FILL)
        ):
            marked = marked or bool(token.role & Role.AT_SURE)
        else:
            near = False
            skipped += 1
            if skipped > _FAR_WORDS or messenger.shy or token.role & Role.NOT:
                return None
    return None


def _goes_on(tokens: Sequence[Token], place: int) -> bool:
    """Tell whether a new sentence gives the handle: "on WeChat? Mine is …"."""
    following = tokens[place : place + 2]
    return (
        len(following) == 2  # noqa: PLR2004 - two words
        and bool(following[0].role & Role.MY)
        and (following[1].word == ":" or bool(following[1].role & (Role.IS | Role.ID)))
    )


def _refused(tokens: Sequence[Token], place: int) -> bool:
    """Tell whether the words before a name say that it is not used: "we cannot use WeChat"."""
    for token in reversed(tokens[max(0, place - 5) : place]):
        if not token.word[0].isalnum() and token.word not in "'’":
            return False
        if token.role & Role.NOT:
            return True
    return False


def _ends_there(view: View, token: Token) -> bool:
    """Tell whether a word is the last of its sentence, as the name in "my wechat is linmold" is."""
    after = view.norm[token.end : token.end + 2]
    return not after.strip() or after[0] in ",;!?)\n" or is_dense(after[0]) or after in (". ", ".")


def _handle_at(
    view: View, token: Token, messenger: Messenger, *, marked: bool, near: bool, first: bool
) -> tuple[int, int] | None:
    norm = view.norm
    match = _HANDLE.match(norm, token.start)
    if not match:
        return None
    before = norm[token.start - 1 : token.start]
    if before.isalnum() and not is_dense(before):
        return None
    start, end = match.span()
    word = match.group()
    if norm[end : end + 1] == "@" or norm[end : end + 2] == "//" or _FILE.search(word):
        return None
    name = word.lstrip("@")
    if name.replace("-", "").replace(".", "").isdigit():
        return None
    raw = view.original(start, end)
    if first and before == "-" and raw.upper() == raw:
        return None  # VX-200 is a machine
    if _is_work(name, raw):
        return None
    if word.startswith("@"):
        if name.isalpha() and raw[1:].istitle() and "\n" in norm[max(0, start - 3) : start]:
            return None  # "@Anna" begins another message
        return (start, end) if len(name) >= _SHORTEST_AFTER_AT else None
    if _STRICT.match(name) and not raw.isupper():
        sure = near and messenger is not _ANYWHERE
        return None if not sure and _is_familiar(name) else (start, end)
    if messenger is _ANYWHERE:
        return (start, end) if marked and near and _LENIENT.match(name) and not _is_familiar(name) else None
    if not near or (token.role and not _LENIENT.match(name)):
        return None
    if (
        _LENIENT.match(name)
        and len(name) >= _SHORTEST
        and not raw.isupper()
        and (marked or not messenger.shy)
    ):
        return start, end
    if marked and name.isalpha() and len(name) >= _SHORTEST_WORD and not token.role:
        return start, end
    return None


def _is_familiar(name: str) -> bool:
    """Tell whether a name is made of ordinary words only: "part_list", "tool_offset_12"."""
    return all(len(part) < 3 or roles_of(part) for part in re.findall(r"[a-z]+", name))  # noqa: PLR2004


def _is_work(name: str, raw: str) -> bool:
    """Tell whether a word with digits is a name of the trade: PO-4471, rev2, IMG_2231, 6061-t6, M8x30."""
    if _FILE_START.match(name):
        return True
    if name[0].isdigit() and sum(char.isalpha() for char in name) < _SHORTEST:
        return True
    head = re.match(r"[a-z]+", name)
    if head and head.end() < len(name) and "_" not in name:
        rest = name[head.end() :]
        role = VOCABULARY.words.get(head.group(), 0)
        if role & (Role.LABEL | Role.UNIT) and rest.strip("-.#").replace("-", "").isdigit():
            return True
    letters = [char for char in raw if char.isalpha()]
    return (
        bool(letters)
        and all(char.isupper() for char in letters)
        and any(char.isdigit() for char in raw)
        and "_" not in raw
    )


def _before(view: View, tokens: Sequence[Token], place: int, messenger: Messenger) -> tuple[int, int] | None:
    if messenger.shy and messenger is not _ANYWHERE:
        return None
    back = place - 1
    while back >= 0 and place - back <= _FAR_WORDS:
        token = tokens[back]
        if token.word in _STOPS or token.word == ",":
            return None
        if not (token.role & (Role.LINK | Role.ID) or token.word in "()=-:|/"):
            break
        back -= 1
    if back < 0:
        return None
    start = tokens[back].start
    edge = max(0, start - _LONGEST_HANDLE)
    while start > edge and not view.norm[start - 1].isspace() and not is_dense(view.norm[start - 1]):
        start -= 1
    match = _HANDLE.match(view.norm, start)
    if not match or match.end() < tokens[back].end:
        return None
    word = match.group()
    name = word.lstrip("@")
    raw = view.original(*match.span())
    if _FILE.search(word) or _is_work(name, raw) or raw.isupper():
        return None
    if word.startswith("@") or (_STRICT.match(name) and not (messenger is _ANYWHERE and _is_familiar(name))):
        return match.span()
    if (
        messenger.kind == "email"
        and back + 1 < place
        and tokens[back + 1].role & Role.AT
        and len(name) >= _SHORTEST
    ):
        return match.span()
    return None


def _bare(view: View, tokens: Sequence[Token]) -> list[Finding]:
    """Find at-handles that nothing announces; "@RT", "@Anna" and "@USD14" are none."""
    asked = any(token.role & (Role.ADD | Role.MESSENGER) for token in tokens)
    findings = []
    for match in _AT_HANDLE.finditer(view.norm):
        name = match.group()[1:]
        raw = view.original(*match.span())[1:]
        dotted = (
            all(len(part) >= _SHORTEST_AFTER_AT and part.isalpha() for part in name.split("."))
            and "." in name
        )
        if _FILE.search(name) or _is_work(name, raw):
            continue
        if (
            (_STRICT.match(name) and not raw.isupper())
            or (dotted and raw.islower())
            or (asked and len(name) >= _SHORTEST and raw.islower())
        ):
            findings.append(_finding(view, *match.span(), "social", "at_sign.handle"))
    return findings
