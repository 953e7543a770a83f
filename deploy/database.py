"""The options of commands that read a running suite's databases."""

import os
from pathlib import Path
from typing import Annotated

import typer

from deploy.local import Endpoints


def _of_the_suite_here() -> str:
    home = Path(os.environ.get("MILLRACE_HOME", ".millrace"))  # noqa: TID251 - the command's own option
    try:
        return Endpoints.model_validate_json((home / "endpoints.json").read_text()).mongo
    except FileNotFoundError:
        raise typer.BadParameter(f"no suite runs in {home}: name the database with --mongo") from None


Mongo = Annotated[
    str,
    typer.Option(
        "--mongo",
        envvar="MILLRACE_MONGO_URL",
        default_factory=_of_the_suite_here,
        help="MongoDB, mongodb://host:27017/?replicaSet=rs0; without it, that of the suite which `make up` runs here",
    ),
]
Prefix = Annotated[
    str, typer.Option("--prefix", envvar="MILLRACE_MONGO_DB_PREFIX", help="put before every database name")
]
