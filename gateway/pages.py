"""The web client: the files that its build made, with the right caching and a strict policy."""

from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

BUILT: Final = Path(__file__).parent / "web" / "dist"

# Mantine sets styles by attribute; scripts and everything else come from here alone.
_POLICY: Final = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)


class _Pages(StaticFiles):
    """Files by their names; any other path is the application's own to route."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or path.startswith(("api/", "assets/")):  # noqa: PLR2004
                raise
            response = FileResponse(BUILT / "index.html")
        hashed = path.startswith("assets/")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        response.headers["Content-Security-Policy"] = _POLICY
        return response


def mount(app: FastAPI) -> None:
    """Serve the web client where it has been built."""
    if BUILT.is_dir():
        app.mount("/", _Pages(directory=BUILT, html=True), name="web")
