"""The web client: the files that its build made, with the right caching and a strict policy."""

from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

BUILT: Final = Path(__file__).parent / "web" / "dist"

_POLICY: Final = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
# The build writes these beside each text file; the smaller comes first.
_ENCODINGS: Final = {"br": ".br", "gzip": ".gz"}


class _Pages(StaticFiles):
    """Files by their names; any other path is the application's own to route."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            raise HTTPException(404)
        await super().__call__(scope, receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        if not (BUILT / path).is_file():
            if path.startswith("assets/"):
                raise HTTPException(404)
            path = "index.html"
        accepted = Headers(scope=scope).get("accept-encoding", "")
        encoding = next(
            (
                name
                for name, ending in _ENCODINGS.items()
                if name in accepted and (BUILT / f"{path}{ending}").is_file()
            ),
            None,
        )
        response = await super().get_response(path + _ENCODINGS.get(encoding or "", ""), scope)
        if encoding:
            response.headers["Content-Encoding"] = encoding
        hashed = path.startswith("assets/")
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        response.headers["Content-Security-Policy"] = _POLICY
        return response


def mount(app: FastAPI) -> None:
    """Serve the web client, where it has been built, for whatever no route matches.

    A route at `/` would match every path, and so hide that a path exists with another method.
    """
    if BUILT.is_dir():
        app.router.default = _Pages(directory=BUILT)
