"""`millrace organisations`: close an organisation that has left the marketplace, or open it again."""

from typing import Annotated

import typer

from deploy.database import Mongo, Prefix, ask
from gateway.accounts import store, use_cases
from gateway.accounts.domain import Organisation, OrganisationNotFound
from shared.clock import utc_now
from shared.mongo import Database
from shared.outbox import Outbox

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look after the organisations.")


@app.callback()
def organisations() -> None:
    """Look after the organisations."""


@app.command()
def close(
    organisation_id: str,
    mongo_url: Mongo,
    prefix: Prefix = "",
    reopen: Annotated[bool, typer.Option("--reopen", help="open it again")] = False,  # noqa: FBT002
) -> None:
    """Let nobody write into an organisation's chats any more; its people still read what is theirs.

    It takes effect within ten seconds while a gateway runs, else at the gateway's next start.
    """
    try:
        changed = ask(
            mongo_url, f"{prefix}gateway", lambda db: _close(db, organisation_id, is_closed=not reopen)
        )
    except OrganisationNotFound:
        typer.echo(f"There is no organisation {organisation_id}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{changed.name} is {'closed' if changed.closed else 'open'}")


async def _close(db: Database, organisation_id: str, *, is_closed: bool) -> Organisation:
    # The event stays in the record; a running gateway finds it there and publishes it.
    db.outbox = Outbox(db=db, collections=(store.ORGANISATIONS,), publish=_left_to_the_gateway)
    return await use_cases.close_organisation(
        db, organisation_id=organisation_id, is_closed=is_closed, now=utc_now()
    )


async def _left_to_the_gateway(_: object) -> None:
    raise NotImplementedError
