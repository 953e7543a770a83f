"""Headers that every answer carries for the sake of browsers."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
# Only what came over HTTPS may ask for it: browsers ignore it elsewhere.
_HTTPS_FROM_NOW_ON: Final = (b"strict-transport-security", b"max-age=31536000")
_NOT_STORED: Final = (b"cache-control", b"private, no-cache")


class SecurityHeaders:
    """Plain ASGI, as it runs on every call; an answer's own headers win."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                own = {name.lower() for name, _ in headers}
                ours = (*_ALWAYS, _NOT_STORED, *((_HTTPS_FROM_NOW_ON,) if scope["scheme"] == "https" else ()))
                headers.extend(pair for pair in ours if pair[0] not in own)
            await send(message)

        await self.app(scope, receive, send_with_headers)
