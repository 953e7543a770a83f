"""The suite that `make up` runs here, for commands that are told of no other."""

import os
from pathlib import Path

import typer

from deploy.local import Endpoints


def endpoints_here(*, otherwise: str) -> Endpoints:
    """Find the suite that runs in `MILLRACE_HOME`.

    Raises:
        typer.BadParameter: none does; `otherwise` says what to name instead.
    """
    home = Path(os.environ.get("MILLRACE_HOME", ".millrace"))  # noqa: TID251 - the command's own option
    try:
        return Endpoints.model_validate_json((home / "endpoints.json").read_text())
    except FileNotFoundError:
        raise typer.BadParameter(f"no suite runs in {home}: {otherwise}") from None
