"""How a mail looks, as plain text and as HTML; pure.

No message text is ever part of it, so that a mailbox that others read tells them nothing of a deal.
"""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
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
# Colors are said twice: for mail programs that ask the reader's system for light or dark, and those that do not.
_STYLE: Final = """
:root { color-scheme: light dark; supported-color-schemes: light dark; }
body { margin: 0; background: #f3f5f7; color: #1c2530; font: 16px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; }
.card { background: #ffffff; border: 1px solid #d9dfe6; border-radius: 8px; }
.quiet, .quiet a { color: #56616e; }
.button { background: #14588f; color: #ffffff; }
@media (prefers-color-scheme: dark) {
  body { background: #12171d; color: #e6eaef; }
  .card { background: #1b222b; border-color: #323c48; }
  .quiet, .quiet a { color: #a3aebb; }
  .button { background: #8cc4f5; color: #0d1b28; }
}
"""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that a mail tells."""

    title: str
    body: str
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
    subject = words["digest"].format(count=len(items)) if is_digest else items[0].title
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
    message = EmailMessage()
    message["From"] = envelope.sender
    message["To"] = envelope.to
    message["Subject"] = " ".join(subject.split())
    message["Date"] = envelope.at
    message["Message-ID"] = envelope.message_id
    if envelope.reply_to:
        message["Reply-To"] = envelope.reply_to
    return message


def _plain(items: list[Item], *, greeting: str, words: dict[str, str], links: Links) -> str:
    told = "\n\n".join(f"{item.title}\n{item.body}\n{item.url}" for item in items)
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
<body>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center" style="padding: 24px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width: 560px">
<tr><td style="padding: 0 4px 16px">{escape(greeting)}</td></tr>
{told}
<tr><td class="quiet" style="padding: 8px 4px; font-size: 13px">
{escape(words["why"])}
<a href="{escape(links.settings)}">{escape(words["settings"])}</a> ·
<a href="{escape(links.unsubscribe)}">{escape(words["stop"])}</a>
</td></tr>
</table>
</td></tr></table>
</body>
</html>
"""


def _card(item: Item, words: dict[str, str]) -> str:
    label = words["open" if item.is_order else "open_webhooks"]
    return f"""<tr><td style="padding: 0 0 12px">
<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0"><tr><td style="padding: 16px 20px">
<div style="font-size: 18px; font-weight: 600">{escape(item.title)}</div>
<div class="quiet" style="padding: 4px 0 14px">{escape(item.body)}</div>
<a class="button" href="{escape(item.url)}" style="display: inline-block; padding: 8px 16px; border-radius: 6px; text-decoration: none; font-weight: 600">{escape(label)}</a>
</td></tr></table>
</td></tr>
"""
