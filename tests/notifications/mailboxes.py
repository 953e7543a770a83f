"""A real SMTP server that keeps what it gets."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(kw_only=True)
class Mailbox:
    """Answers `refusal` instead of taking a mail, as long as there is one, and takes none to `put_off`."""

    mails: list[EmailMessage] = field(default_factory=list)
    written: list[bytes] = field(default_factory=list)
    refusal: str | None = None
    refused: int = 0
    put_off: str | None = None

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address == self.put_off:
            self.refused += 1
            return "450 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refusal:
            self.refused += 1
            return self.refusal
        content: Any = envelope.content
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.written.append(content)
        self.mails.append(message)  # last, as tests wait for it in another thread
        return "250 taken"

    def to(self, address: str) -> list[EmailMessage]:
        return [message for message in self.mails if message["To"] == address]


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    body = message.get_body((kind,))
    assert body is not None
    content: str = body.get_content()
    return content.replace("\r\n", "\n")


@contextmanager
def mail_server(mailbox: Mailbox, *, port: int) -> Iterator[None]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, ready_timeout=60)
    controller.start()
    try:
        yield
    finally:
        controller.stop()
