# ruff: noqa: PLR0911 - one decision a line, in the order in which they count
"""E-mail addresses, links and domains that stand in a text as they are."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from shared.contact_guard import hosts, messengers
from shared.contact_guard.finding import Finding, Kind
from shared.contact_guard.text import View
from shared.contact_guard.vocabulary import DENSE, Role, roles_of


class Place(NamedTuple):
    """A stretch of the folded text."""

    start: int
    end: int


class Link(NamedTuple):
    """A link, and whose it is: no kind for a carrier's."""

    place: Place
    kind: Kind | None
    rule: str


_NAME = rf"(?:[^\W{DENSE}]|-)"
_SCHEME = re.compile(r"(?<![a-z])(?:https?|hxxps?|ftp)\s?[:;]\s?[/\\]{1,2}\s?")
_TO_BLANK = re.compile(r"[^\s<>\"]+")
_HOST = re.compile(
    rf"(?<![\w.@\\-]){_NAME}+(?:\.{_NAME}+)+|(?:(?<=[{DENSE}])|(?<=[{DENSE}]\.)){_NAME}+(?:\.{_NAME}+)+"
)
_MAIL_HOST = re.compile(rf"\s?({_NAME}+(?:(?:\s?\.\s?|,| (?=(?:com|org|net|cn|example)\b)){_NAME}+)+)")
_GLUED_HOST = re.compile(rf"(?<![\w.@-]){_NAME}{{3,}}?dot(?:com|net|org|cn|example|info|biz)(?!\w)")
_LOCAL = re.compile(rf"[^\W{DENSE}]|[.+%'\-]")
_LOOSE_HOST = re.compile(
    rf"(?<![\w.@-])({_NAME}{{2,}})(?: \. ?|\. |,)(com|net|org|cn|example|de|co\.uk)(?![\w-])"
)
# Most texts hold nothing like a host, which these tell in one quick look.
_HOST_HINT = re.compile(rf"\.{_NAME}")
_LOOSE_PROFILE = re.compile(rf"(?<![\w.@-])({_NAME}+) ?\. ?({_NAME}{{2,}}) ?/ ?\w[^\s<>\"{DENSE}]*")
_LOOSE_HINT = re.compile(r"[.,] ?(?:com|net|org|cn|example|de|co\.uk)(?![\w-])")
_REST = re.compile(rf"(?::\d{{2,5}})?(?:[/?#][^\s<>\"{DENSE}]*)?")
_NATIVE_HOST = re.compile(rf"[\w-]+\.(?:[{DENSE}]+|рф|укр|бел|срб|мкд|бг|рус|онлайн|сайт)(?!\w)")
_FUNCTION_WORDS = frozenset(
    ("at", "to", "so", "in", "is", "as", "by", "do", "an", "or", "am", "my", "it", "be", "me", "us", "no")
)
_WORD_ENDING = re.compile(r"(?:ing|ed|ly|tion|sion|ment|ness|able|ance|ence|ies)$")
_NAME_LENGTH = 9
_ABBREVIATIONS = frozenset(
    "mr mrs ms dr st sr jr prof dipl ing eng co pte pvt pty inc corp ltd fig no nr pos max min approx appr ca incl excl resp dia thk qty"
    " pcs mat std dim tol ref rev ver vol art best part item dwg drg inv cat ser serial lot id tel ord order model kd zeichn teile"
    " asp vb ado bzw usw etc evtl ggf inkl zzgl abs nom cod num tlf cel fax mob attn hr fr eg ie vs al sig sra srl spa sa sas".split()
)


def find(view: View, cues: int) -> tuple[list[Finding], list[Place]]:
    """Find addresses; give also the places of carriers' links, whose digits are nobody's phone number."""
    findings: list[Finding] = []
    passed: list[Place] = []
    if "@" in view.norm:
        findings.extend(_mails(view))
    if "dot" in view.norm:
        findings.extend(
            Finding("url", *view.span(*m.span()), "url.glued") for m in _GLUED_HOST.finditer(view.norm)
        )
    if "." in view.norm or "," in view.norm:
        taken = [(f.start, f.end) for f in findings]
        for place, kind, rule in _links(view, site=bool(cues & Role.SITE)):
            start, end = view.span(*place)
            if kind is None:
                passed.append(place)
            elif not any(start < last and first < end for first, last in taken):
                findings.append(Finding(kind, start, end, rule))
    return findings, passed


def _mails(view: View) -> list[Finding]:
    norm = view.norm
    findings = []
    at = norm.find("@")
    while at >= 0:
        start = at
        if norm[start - 1 : start] == " " and start >= 2:  # noqa: PLR2004 - one blank and a letter
            start -= 1
        edge = start
        while start > 0 and _LOCAL.match(norm[start - 1]):
            start -= 1
        match = _MAIL_HOST.match(norm, at + 1)
        if match and start < edge:
            end = _mail_end(match)
            spaced = edge < at or " " in match.group()[: end - at - 1].strip() or norm[at + 1 : at + 2] == " "
            if (
                end
                and norm[max(0, start - 2) : start] != "//"
                and not (spaced and not _strong(norm[at + 1 : end]))
            ):
                first, last = view.span(start, end)
                findings.append(Finding("email", first, last, "email.plain"))
        at = norm.find("@", at + 1)
    return findings


def _strong(host: str) -> bool:
    suffix = host.rsplit(".", 1)[-1].strip()
    return suffix not in hosts.WORD_SUFFIXES and suffix not in hosts.FILE_SUFFIXES


def _mail_end(match: re.Match[str]) -> int:
    """Give where the longest believable host of an address ends, 0 if there is none."""
    host = match.group(1)
    host = host.replace(",", ".")
    if "." not in host:
        host = host.replace(" ", ".")
    dots = [place for place, char in enumerate(host) if char == "."]
    ends = [*dots[1:], len(host)]
    for end in reversed(ends):
        labels = [label.strip() for label in host[:end].split(".")]
        last = labels[-1].split("_")[0]
        if (
            hosts.is_suffix(last)
            and labels[-2]
            and not (
                " " in host[:end]
                and host[:end].rsplit(".", 1)[-1].startswith(" ")
                and last in hosts.WORD_SUFFIXES
            )
        ):
            return match.start(1) + end - (len(labels[-1]) - len(last))
    return 0


def _links(view: View, *, site: bool) -> list[Link]:
    """Give every link and domain, in the order in which the kinds of writing them are looked for."""
    norm = view.norm
    found: list[Link] = []
    if ":" in norm or ";" in norm:
        found.extend(_with_scheme(norm))
    done = found[-1].place.end if found else 0
    if _HOST_HINT.search(norm):
        found.extend(_bare_hosts(view, start=done, site=site))
    done = found[-1].place.end if found else 0
    if _LOOSE_HINT.search(norm):
        found.extend(_loose_hosts(view, start=done, site=site))
    if "/" in norm and "." in norm:
        found.extend(_profiles(norm, done))
    if site:
        found.extend(Link(Place(*m.span()), "url", "url.native") for m in _NATIVE_HOST.finditer(norm))
    return found


def _with_scheme(norm: str) -> Iterator[Link]:
    done = 0
    for match in _SCHEME.finditer(norm):
        rest = _TO_BLANK.match(norm, match.end())
        if not rest or match.start() < done:
            continue
        authority = re.split(r"[/?#\\]", rest.group(), maxsplit=1)[0]
        host = authority.rsplit("@", 1)[-1].split(":")[0].strip(".,;)('")
        if "." not in host:
            continue
        done = rest.end()
        if _private(host):
            yield Link(Place(match.start(), done), None, "private")
        else:
            yield Link(Place(match.start(), done), *_owner(host))


def _bare_hosts(view: View, *, start: int, site: bool) -> Iterator[Link]:
    norm, done = view.norm, start
    for match in _HOST.finditer(norm):
        if match.start() < done:
            continue
        begin, end, host = _trim(match)
        if not host or norm[end : end + 1] == "@":
            continue
        rest = _REST.match(norm, end)
        tail = rest.group() if rest else ""
        if host.startswith("www.") or _is_site(view, begin, end, host, cue=site, path=len(tail) > 1):
            done = end + len(tail)
            yield Link(Place(begin, end + len(tail.rstrip(".,;:!?)"))), *_owner(host))


def _loose_hosts(view: View, *, start: int, site: bool) -> Iterator[Link]:
    """Find "boltmaker . com", "boltmaker .com" and, where a web site is spoken of, "boltmaker. com"."""
    for match in _LOOSE_HOST.finditer(view.norm):
        stem, suffix = match.groups()
        comma = "," in match.group()
        if match.start() < start or stem.isdigit() or stem in _ABBREVIATIONS:
            continue
        if suffix in ("net", "de") and (comma or not site):
            continue
        if not comma and view.original(*match.span(2))[:1].isupper():
            continue
        if roles_of(stem) and not site:
            continue
        yield Link(Place(*match.span()), *_owner(f"{stem.rsplit('_')[-1]}.{suffix}"))


def _profiles(norm: str, start: int) -> Iterator[Link]:
    """Find links of messengers that blanks pull apart: "t . me / someone"."""
    for match in _LOOSE_PROFILE.finditer(norm, start):
        host = f"{match[1]}.{match[2]}"
        if " " in match.group() and hosts.belongs(host, messengers.HOSTS):
            yield Link(Place(*match.span()), messengers.HOSTS[host], "url.profile")


def _trim(match: re.Match[str]) -> tuple[int, int, str]:
    """Cut a dotted word down to the host in it: what stands before `_`, or after a suffix, is not part of it."""
    labels = match.group().split(".")
    start = match.start()
    cut = labels[0].rfind("_") + 1
    first = labels[0][cut:]
    if not first:
        return 0, 0, ""
    for count in range(len(labels), 1, -1):
        last = labels[count - 1].split("_")[0]
        if not hosts.is_suffix(last):
            continue
        if count < len(labels) and not (last not in hosts.WORD_SUFFIXES and last not in hosts.FILE_SUFFIXES):
            continue
        parts = [first, *labels[1 : count - 1], last]
        if all(parts):
            begin = start + cut
            return begin, begin + len(".".join(parts)), ".".join(parts)
    if labels[0].endswith("www") and len(labels) > 2 and all(labels):  # noqa: PLR2004
        return start, match.end(), "www." + ".".join(labels[1:])
    return 0, 0, ""


def _is_site(view: View, start: int, end: int, host: str, *, cue: bool, path: bool) -> bool:
    """Tell a bare domain from a missing blank after a full stop, a file name or an abbreviation."""
    labels = host.split(".")
    stem, suffix = labels[-2], labels[-1]
    if hosts.is_public(host):
        return False
    if hosts.belongs(host, messengers.HOSTS) or hosts.belongs(host, hosts.CARRIERS) or host in hosts.SHORT:
        return True
    if len(labels) == 2 and (len(stem) == 1 or stem in _ABBREVIATIONS):  # noqa: PLR2004
        return False
    if stem.isdigit() and suffix not in ("com", "cn", "net"):
        return False
    if suffix not in hosts.WORD_SUFFIXES and suffix not in hosts.FILE_SUFFIXES:
        raw = view.original(end - len(suffix), end)
        return not (raw.istitle() and not view.original(start, start + 1).isupper() and roles_of(stem))
    if path or "-" in stem or cue:
        return True
    if suffix in hosts.FILE_SUFFIXES or any(label in _ABBREVIATIONS for label in labels):
        return False
    raw = view.original(end - len(suffix), end)
    if raw[:1].isupper() and not view.original(start, end - len(suffix)).isupper():
        return False
    if suffix in _FUNCTION_WORDS and re.match(r" [^\W\d_]", view.norm[end : end + 2]):
        return len(stem) >= _NAME_LENGTH and not _WORD_ENDING.search(stem) and not roles_of(stem)
    return not (roles_of(stem) or len(stem) <= 3 or not stem.isascii() or _WORD_ENDING.search(stem))  # noqa: PLR2004


def _private(host: str) -> bool:
    return bool(re.match(r"(?:10|127|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.[\d.]+$", host))


def _owner(host: str) -> tuple[Kind | None, str]:
    host = host.strip(".-")
    if hosts.belongs(host, hosts.CARRIERS):
        return None, "carrier"
    if hosts.belongs(host, hosts.MEETINGS):
        return "url", "url.meeting"
    owner = hosts.belongs(host, messengers.HOSTS)
    if owner:
        return messengers.HOSTS[owner], "url.profile"
    return "url", "url.domain"
