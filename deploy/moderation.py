"""`millrace guard`, for moderators: what was blocked, the appeals against it, and files that hold contact information."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from deploy.database import Mongo, Prefix, ask
from deploy.guard import app
from deploy.parts import secret
from services.chat.store import blocks, inside
from services.chat.use_cases.blocking import APPEALS
from shared.clock import utc_now
from shared.locked import Lock, NotReadable
from shared.mongo import Database, Document

__all__ = ["app"]

T = TypeVar("T")

_LONGEST_NOTE = 500


def _of_the_suite_here() -> str:
    home = Path(os.environ.get("MILLRACE_HOME", ".millrace"))  # noqa: TID251 - the command's own option
    if not (home / "secrets" / "service").exists():
        raise typer.BadParameter(f"no suite has run in {home}: set MILLRACE_SERVICE_SECRET")
    return secret(home, "service")


Limit = Annotated[int, typer.Option(min=1, max=1000, help="how many at most")]
Note = Annotated[str, typer.Option(help="what the author is told")]
Secret = Annotated[
    str,
    typer.Option(
        envvar="MILLRACE_SERVICE_SECRET",
        default_factory=_of_the_suite_here,
        show_default=False,
        help="opens what authors handed in; without it, that of the suite which `make up` runs here",
    ),
]


@app.command()
def blocked(mongo_url: Mongo, prefix: Prefix = "", limit: Limit = 50) -> None:
    """List what was refused in chats within the last 30 days, the newest first; the texts are not kept."""
    for row in _with_chat(mongo_url, prefix, lambda db: blocks.find_blocked(db, limit=limit)):
        appeal = row.get("appeal", {}).get("state", "-")
        typer.echo(f"{_when(row['blocked_at'])}  {_refusal(row)}  appeal: {appeal}")


@app.command()
def appeals(mongo_url: Mongo, service_secret: Secret, prefix: Prefix = "", limit: Limit = 50) -> None:
    """List the appeals that wait for a decision, the oldest first, with what their authors handed in."""
    lock = Lock(service_secret, purpose=APPEALS)
    rows = _with_chat(mongo_url, prefix, lambda db: blocks.find_waiting_appeals(db, limit=limit))
    for row in rows:
        appeal = row["appeal"]
        typer.echo(f"{_when(appeal['at'])}  {_refusal(row)}")
        typer.echo(f"    text:        {_opened(lock, appeal['text'])}")
        typer.echo(f"    explanation: {_opened(lock, appeal['explanation'])}")
    typer.echo(f"{len(rows)} waiting")


@app.command()
def grant(ref: str, mongo_url: Mongo, note: Note = "", prefix: Prefix = "") -> None:
    """Let the text of an appeal pass: its author can send it in that thread for 30 days."""
    _decide(ref, granted=True, note=note, mongo_url=mongo_url, prefix=prefix)


@app.command()
def reject(ref: str, mongo_url: Mongo, note: Note = "", prefix: Prefix = "") -> None:
    """Let a refusal stand."""
    _decide(ref, granted=False, note=note, mongo_url=mongo_url, prefix=prefix)


@app.command()
def flags(mongo_url: Mongo, prefix: Prefix = "", limit: Limit = 50) -> None:
    """List files in which contact information was found, the newest first, and where in them."""
    for row in _with_chat(mongo_url, prefix, lambda db: inside.find_flagged(db, limit=limit)):
        found = row["inside"]
        state = "withheld" if found["withheld"] else "passed on"
        typer.echo(
            f"{_when(found['flagged_at'])}  {row['_id']}  order {row['order_id']}  user {row['uploaded_by']}"
            f"  {row['file']['content_type']}  {state}"
        )
        for each in found["found"]:
            typer.echo(f"    {each['kind']} in {each['place']} ({each['rule']})")


@app.command()
def withhold(attachment_id: str, mongo_url: Mongo, prefix: Prefix = "") -> None:
    """Keep a flagged file from everybody but its uploader."""
    _keep_withheld(attachment_id, withheld=True, mongo_url=mongo_url, prefix=prefix)


@app.command()
def release(attachment_id: str, mongo_url: Mongo, prefix: Prefix = "") -> None:
    """Pass a withheld file on after all."""
    _keep_withheld(attachment_id, withheld=False, mongo_url=mongo_url, prefix=prefix)


def _decide(ref: str, *, granted: bool, note: str, mongo_url: str, prefix: str) -> None:
    note = " ".join(note.split())
    if len(note) > _LONGEST_NOTE:
        raise typer.BadParameter(f"must have at most {_LONGEST_NOTE} characters", param_hint="--note")
    decided = _with_chat(
        mongo_url,
        prefix,
        lambda db: blocks.decide(db, ref, granted=granted, note=note or None, now=utc_now()),
    )
    if not decided:
        typer.echo(f"No appeal {ref} waits for a decision", err=True)
        raise typer.Exit(1)
    typer.echo(f"{'Granted' if granted else 'Rejected'} {ref}; what was handed in with it is deleted")


def _keep_withheld(attachment_id: str, *, withheld: bool, mongo_url: str, prefix: str) -> None:
    if not _with_chat(
        mongo_url, prefix, lambda db: inside.keep_withheld(db, attachment_id, withheld=withheld)
    ):
        typer.echo(f"No file {attachment_id} is flagged", err=True)
        raise typer.Exit(1)
    typer.echo(f"{attachment_id} is {'withheld' if withheld else 'passed on'}")


def _refusal(row: Document) -> str:
    rules = ", ".join(row["rules"])
    return f"{row['_id']}  order {row['order_id']}  user {row['user_id']}  {row['where']}: {rules}"


def _opened(lock: Lock, locked: str | None) -> str:
    if locked is None:
        return "(none)"
    try:
        return repr(lock.open(locked))
    except NotReadable as error:
        return f"({error})"


def _when(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _with_chat(url: str, prefix: str, act: Callable[[Database], Awaitable[T]]) -> T:
    return ask(url, f"{prefix}chat", act)
