"""`HEAD`, as `curl -I`, uptime monitors and download managers ask it."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """Answer it with the head of what `GET` answers, and have the body not even read.

    Args:
        but: the path of what never ends, where it stays 405.
    """

    def __init__(self, app: ASGIApp, *, but: str) -> None:
        self.app = app
        self.but = but

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A route matches also with a line's end behind its path.
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"].rstrip("\n") == self.but:
            await self.app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b""})

        # A range is for GET alone.
        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
        await self.app({**scope, "method": "GET", "headers": headers}, receive, send_head)
