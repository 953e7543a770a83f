"""Sends mails by SMTP."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib

from services.notifications.domain.addresses import literal

_SECONDS: Final = 30
_PERMANENT: Final = 500

# What is worth trying again: the server is away, busy, or broke off.
Trouble = (aiosmtplib.SMTPException, OSError, ssl.SSLError)


class MailRefused(Exception):  # noqa: N818 - the server's answer, not a fault
    """The server will not take this mail, now or later; `code` is its reason."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the mail server answered {code}")
        self.code = code


class MailPutOff(Exception):  # noqa: N818 - the server's answer, not a fault
    """The server will take mails, but not yet one to this address."""


@dataclass(frozen=True, kw_only=True)
class Connection:
    smtp: aiosmtplib.SMTP

    async def send(self, message: EmailMessage) -> None:
        """Hand a mail over.

        Raises:
            MailRefused: it is of no use to try again.
            MailPutOff: it is, but others need not wait for it.
            SMTPException, OSError: it may be.
        """
        try:
            await self.smtp.send_message(message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            code = error.recipients[0].code
            if code >= _PERMANENT:
                raise MailRefused(code) from error
            raise MailPutOff from error
        except aiosmtplib.SMTPDataError as error:
            if error.code >= _PERMANENT:
                raise MailRefused(error.code) from error
            raise


def parse_url(url: str) -> SplitResult:
    """Read `smtp://user:password@host:587` (STARTTLS where the server offers it) or `smtps://host`.

    Raises:
        ValueError: it is neither.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError("must look like smtp://host:25 or smtps://user:password@host:465")
    _ = parts.port
    return parts


def parse_address(text: str) -> Address:
    """Read one address such as `Millrace <no-reply@millrace.example>`.

    Raises:
        ValueError: it is none, or several, or would write a header of its own.
    """
    message = EmailMessage()
    message["From"] = text
    found: tuple[Address, ...] = message["From"].addresses
    if len(found) != 1 or not found[0].username or not found[0].domain:
        raise ValueError("must look like Millrace <no-reply@millrace.example>")
    return found[0]


def sender_at(public_url: str) -> str:
    """Give the address that mails come from where the operator names none."""
    host = "localhost" if is_own_address(public_url) else urlsplit(public_url).hostname
    return f"Millrace <no-reply@{host}>"


def is_own_address(public_url: str) -> bool:
    """Tell whether a URL names no host that others could send an answer to."""
    host = urlsplit(public_url).hostname or ""
    return "." not in host or literal(host) is not None


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """Open a connection to the mail server.

    Raises:
        SMTPException, OSError: the server does not answer.
    """
    parts = parse_url(url)
    smtp = aiosmtplib.SMTP(
        hostname=parts.hostname,
        port=parts.port,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        use_tls=parts.scheme == "smtps",
        timeout=_SECONDS,
    )
    async with smtp:
        yield Connection(smtp=smtp)
