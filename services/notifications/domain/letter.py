"""How a mail looks, as plain text and as HTML; pure.

No message text is ever part of it, so that a mailbox that others read tells them nothing of a deal.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import Policy
from email.policy import default as default_policy
from html import escape
from typing import Final

from shared.api.text import Language

_WORDS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "greeting": "Hello {name},",
        "open": "Open the order",
        "open_webhooks": "Open your webhooks",
        "digest": "What happened since yesterday: {count}",
        "why": "You get this mail because of your notification settings.",
        "settings": "Change them",
        "stop": "No more mails of this kind",
    },
    "zh": {
        "greeting": "{name}，您好：",
        "open": "查看订单",
        "open_webhooks": "查看 Webhook",
        "digest": "昨日以来的动态：{count} 条",
        "why": "您收到此邮件是因为您的通知设置。",
        "settings": "更改设置",
        "stop": "不再接收此类邮件",
    },
}
# The light colors stand on the elements themselves, for mail programs that read no style sheet; the dark ones
# take over where a program reads one and its reader's system is dark.
_PAGE: Final = (
    "margin: 0; background: #f3f5f7; color: #1c2530; "
    "font: 16px/1.5 system-ui, 'PingFang SC', 'Microsoft YaHei', sans-serif"
)
_CARD: Final = "background: #ffffff; border: 1px solid #d9dfe6; border-radius: 8px"
_QUIET: Final = "color: #56616e"
_BUTTON: Final = (
    "background: #14588f; color: #ffffff; display: inline-block; padding: 8px 16px; border-radius: 6px; "
    "text-decoration: none; font-weight: 600"
)
_STYLE: Final = """
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .page { background: #12171d !important; color: #e6eaef !important; }
  .card { background: #1b222b !important; border-color: #323c48 !important; }
  .quiet { color: #a3aebb !important; }
  .button { background: #8cc4f5 !important; color: #0d1b28 !important; }
}
"""
# Numbers of orders and dates, which a narrow screen would break at their hyphens.
_WHOLE: Final = re.compile(r"\b[A-Z0-9]+(?:-[0-9]+)+\b")


class _Unfolded(UnstructuredHeader, BaseHeader):
    """A header of one long address: the library would encode it to fit 78 characters, which no mail program undoes."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS: Final = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _Unfolded)
_POLICY: Final = default_policy.clone(header_factory=_HEADERS)


@dataclass(frozen=True, kw_only=True)
class Told:
    """One thing that a mail tells, or several that have the same to say beside their titles."""

    titles: tuple[str, ...]
    body: str


@dataclass(frozen=True, kw_only=True)
class Item:
    """What a mail tells of one order, or of something else that has a page."""

    told: tuple[Told, ...]
    url: str
    is_order: bool


@dataclass(frozen=True, kw_only=True)
class Envelope:
    sender: str
    to: str
    message_id: str
    at: datetime
    reply_to: str | None = None


@dataclass(frozen=True, kw_only=True)
class Links:
    settings: str
    unsubscribe: str


def notice(
    items: list[Item],
    *,
    is_digest: bool,
    name: str,
    language: Language,
    links: Links,
    envelope: Envelope,
) -> EmailMessage:
    """Write what happened, with a way to hear less of it (RFC 8058: one click, without signing in)."""
    words = _WORDS[language]
    count = sum(len(told.titles) for item in items for told in item.told)
    subject = words["digest"].format(count=count) if is_digest else items[0].told[0].titles[0]
    message = _addressed(envelope, subject=subject)
    message["List-Unsubscribe"] = f"<{links.unsubscribe}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"
    greeting = words["greeting"].format(name=name)
    message.set_content(_plain(items, greeting=greeting, words=words, links=links))
    message.add_alternative(
        _html(items, title=subject, greeting=greeting, words=words, links=links, language=language),
        subtype="html",
    )
    return message


def support_request(
    *, reference: str, subject: str, text: str, about: list[tuple[str, str]], envelope: Envelope
) -> EmailMessage:
    """Write a user's question to the operator, who can answer it as a mail."""
    message = _addressed(envelope, subject=f"[{reference}] {subject}")
    facts = "\n".join(f"{name}: {value}" for name, value in about)
    message.set_content(f"{text}\n\n-- \n{facts}\n")
    return message


def _addressed(envelope: Envelope, *, subject: str) -> EmailMessage:
    message = EmailMessage(policy=_POLICY)
    message["From"] = envelope.sender
    message["To"] = envelope.to
    message["Subject"] = " ".join(subject.split())
    message["Date"] = envelope.at
    message["Message-ID"] = envelope.message_id
    if envelope.reply_to:
        message["Reply-To"] = envelope.reply_to
    return message


def _plain(items: list[Item], *, greeting: str, words: dict[str, str], links: Links) -> str:
    told = "\n\n".join(
        "\n".join([line for told in item.told for line in (*told.titles, told.body)] + [item.url])
        for item in items
    )
    footer = f"{words['why']}\n{words['settings']}: {links.settings}\n{words['stop']}: {links.unsubscribe}"
    return f"{greeting}\n\n{told}\n\n-- \n{footer}\n"


def _html(
    items: list[Item], *, title: str, greeting: str, words: dict[str, str], links: Links, language: Language
) -> str:
    told = "".join(_card(item, words) for item in items)
    lang = "zh-CN" if language == "zh" else "en"
    return f"""<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body class="page" style="{_PAGE}">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" style="{_PAGE}"><tr><td align="center" style="padding: 24px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width: 560px">
<tr><td style="padding: 0 4px 16px">{escape(greeting)}</td></tr>
{told}
<tr><td class="quiet" style="padding: 8px 4px; font-size: 13px; {_QUIET}">
{escape(words["why"])}
<a class="quiet" href="{escape(links.settings)}" style="{_QUIET}">{escape(words["settings"])}</a> ·
<a class="quiet" href="{escape(links.unsubscribe)}" style="{_QUIET}">{escape(words["stop"])}</a>
</td></tr>
</table>
</td></tr></table>
</body>
</html>
"""


def _card(item: Item, words: dict[str, str]) -> str:
    label = words["open" if item.is_order else "open_webhooks"]
    told = "".join(_line(told) for told in item.told)
    return f"""<tr><td style="padding: 0 0 12px">
<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" style="{_CARD}"><tr><td style="padding: 16px 20px">
{told}<a class="button" href="{escape(item.url)}" style="{_BUTTON}">{escape(label)}</a>
</td></tr></table>
</td></tr>
"""


def _line(told: Told) -> str:
    titles = "<br>\n".join(_unbroken(title) for title in told.titles)
    return f"""<div style="font-size: 18px; font-weight: 600">{titles}</div>
<div class="quiet" style="padding: 4px 0 14px; {_QUIET}">{_unbroken(told.body)}</div>
"""


def _unbroken(text: str) -> str:
    return _WHOLE.sub(r'<span style="white-space: nowrap">\g<0></span>', escape(text))
