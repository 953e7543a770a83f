"""The guard: reads a text in every way that it can be read, and says what was found."""

import re

from shared.contact_guard import addresses, disguise, messengers, phones, sequences, text
from shared.contact_guard.finding import Context, Finding
from shared.contact_guard.text import View
from shared.contact_guard.tokens import Token, tokenize, unleet

_SHORTEST_KNOWN = 4
_FILE_ENDING = re.compile(r"(?:\.[a-z][a-z0-9_]{0,6}| ?\(\d+\))+$")
# Names that apps give by themselves: the app, words for what it is, a date or a count.
_APP_FILE = re.compile(
    r"(?>whatsapp|wechat|weixin|telegram|desktop|signal|line|album|kakaotalk|zalo|viber|skype|fb|facebook|messenger|instagram|snapchat|dingtalk|lark|qq|wx|tim|wecom"
    r"|微信|微信图片|微信截图|企业微信|企业微信截图|钉钉|截图|图片|视频|飞书|录屏|照片|写真|카카오톡"
    r"|image|images|img|imag|photo|pic|picture|video|vid|audio|aud|ptt|voice|document|doc|screenshot|screen|shot|recording|mmexport|dsc|dscn|pxl|mvimg|camscanner|scan|export|wa|at|am|pm|received|sent|file|bild|foto|captura|copy|camera|cam|video_call|story|temp|thumb|edited|collage"
    r"|[\d\s_\-.,()@])++"
)
_CAD_ENDING = re.compile(
    r"\.(?:dwg|dxf|step|stp|iges|igs|sldprt|sldasm|slddrw|ipt|iam|prt|asm|catpart|x_t|stl|3mf|nc|gcode)$"
)
# UUIDs and digests: sooner or later one of them holds the digits of a phone number.
_HASH = re.compile(
    r"(?<![a-z0-9])(?=[0-9-]*[a-f])(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32,128})(?![a-z0-9])"
)
# The name of a model or drawing is its number, unless a word in it asks to call.
_SHAPE_ALONE = frozenset(("phone.formatted", "phone.possible"))
_DATE = re.compile(r"20\d\d|1[4-9]\d{11}|\d{2}-\d{2}-20\d\d|wa\d{4}")


def check(raw: str, *, context: Context = Context()) -> list[Finding]:  # noqa: B008 - frozen
    """Find contact information in a text, in the order in which it stands there.

    A finding that only earlier messages explain is placed on the part of it that this text holds.
    """
    if context.is_filename:
        return _merged(_in_file_name(raw, context.known))
    findings = _merged(_read(text.read(raw), context.known))
    findings = [found for found in findings if not sequences.explains(context.previous, raw, found)]
    if not findings and context.previous:
        findings = _merged(sequences.find(context.previous, raw, lambda view: _read(view, context.known)))
    return findings


def _read(view: View, known: tuple[str, ...]) -> list[Finding]:
    """Read a text plainly and in every other way that it offers."""
    view = unleet(_without_known(_without_hashes(view), known))
    tokens = tokenize(view.norm)
    findings = _detect(view, tokens)
    for other, other_tokens in disguise.other_views(view, tokens):
        findings += _detect(other, other_tokens)
    return findings


def _detect(view: View, tokens: list[Token]) -> list[Finding]:
    cues = 0
    for token in tokens:
        cues |= token.role
    findings, passed = addresses.find(view, cues)
    findings += messengers.find(view, tokens, cues)
    findings += phones.find(view, tokens, cues, passed)
    return findings


def _without_hashes(view: View) -> View:
    if not _HASH.search(view.norm):
        return view
    return text.replaced(view, _HASH.sub(lambda found: "\x00" * len(found[0]), view.norm))


def _without_known(view: View, known: tuple[str, ...]) -> View:
    norm = view.norm
    for word in known:
        folded = text.read(word).norm.strip()
        if len(folded) >= _SHORTEST_KNOWN:
            norm = norm.replace(folded, "\x00" * len(folded))
    return view if norm == view.norm else text.replaced(view, norm)


def _in_file_name(raw: str, known: tuple[str, ...]) -> list[Finding]:
    view = text.read(raw)
    ending = _FILE_ENDING.search(view.norm)
    stem = view.norm[: ending.start()] if ending else view.norm
    if _APP_FILE.fullmatch(stem) and _DATE.search(stem):
        return []
    if ending and ending.start() > 0:
        # The ending itself is no part of a domain: "catalog.example.pdf".
        last = stem.rfind(".")
        cut = view.norm.rfind(".")
        view = text.without(view, [(cut, len(view.norm))]) if cut > last else view
    findings = _read(view, known)
    if "_" in view.norm:
        findings += _read(text.replaced(view, view.norm.replace("_", " ")), known)
    if ending and _CAD_ENDING.search(ending.group()):
        return [found for found in findings if found.rule not in _SHAPE_ALONE]
    return findings


def _merged(findings: list[Finding]) -> list[Finding]:
    """Keep the first and longest of findings that overlap."""
    if len(findings) < 2:  # noqa: PLR2004
        return findings
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda f: (f.start, -f.end)):
        if not kept or finding.start >= kept[-1].end:
            kept.append(finding)
    return kept
