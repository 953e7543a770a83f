"""`HEAD`, as `curl -I`, uptime monitors and download managers ask it."""

from starlette.types import ASGIApp, Receive, Scope, Send


class HeadAsGet:
    """Answer it as `GET`; uvicorn keeps back the body.

    Args:
        but: the path of what never ends, where it stays 405.
    """

    def __init__(self, app: ASGIApp, *, but: str) -> None:
        self.app = app
        self.but = but

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD" and scope["path"] != self.but:
            scope = {**scope, "method": "GET"}
        await self.app(scope, receive, send)
