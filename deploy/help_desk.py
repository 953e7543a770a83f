"""`millrace help`: what readers think of the help pages, and what they asked support."""

import textwrap
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any

import typer

from deploy.database import Mongo, Prefix, ask
from services.notifications.store import mails, people, support
from services.notifications.store.support import SupportRequestNotFound
from shared.mongo import Database

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Read votes on help pages and requests to support."
)

Most = Annotated[int, typer.Option("--most", min=1, help="how many to show, the newest first")]


@app.command()
def votes(
    mongo_url: Mongo,
    prefix: Prefix = "",
    page: Annotated[str | None, typer.Option(help="of this page alone, such as /help/orders")] = None,
    most: Most = 50,
) -> None:
    """Count the votes on each help page, and show the comments; one vote a reader and page."""

    async def show(db: Database) -> None:
        for counted in await support.count_votes(db, page=page):
            typer.echo(f"{counted.page}: helped {counted.helpful}, did not help {counted.not_helpful}")
        for vote in await support.find_comments(db, page=page, limit=most):
            helped = "helped" if vote.helpful else "did not help"
            typer.echo(f"\n{_when(vote.at)}  {vote.page}  {helped} a {vote.side}")
            typer.echo(textwrap.indent(vote.comment, "  "))

    _run(show, url=mongo_url, prefix=prefix)


@app.command()
def requests(mongo_url: Mongo, prefix: Prefix = "", most: Most = 50) -> None:
    """List requests to support, and whether each has reached the support mailbox."""

    async def show(db: Database) -> None:
        for request in await support.find_requests(db, limit=most):
            state = await mails.find_state(db, request.mail_key) or "-"
            typer.echo(
                f"{request.reference}  {_when(request.created_at)}  {state:8}  "
                f"{request.organisation_name}, {request.user_name}: {request.subject}"
            )

    _run(show, url=mongo_url, prefix=prefix)


@app.command()
def request(reference: str, mongo_url: Mongo, prefix: Prefix = "") -> None:
    """Show one request whole, with the address to answer to."""

    async def show(db: Database) -> None:
        found = await support.get_request_by_reference(db, reference.strip().upper())
        typer.echo(f"{found.reference}: {found.subject}")
        typer.echo(f"{_when(found.created_at)}, {found.user_name}, {found.organisation_name} ({found.side})")
        typer.echo(
            f"Answer to {await people.find_address(db, found.user_id) or 'nobody: no address is known'}"
        )
        if found.order_id:
            typer.echo(f"Order {found.order_number or ''} {found.order_id}")
        typer.echo(f"\n{found.message}")

    _run(show, url=mongo_url, prefix=prefix)


def _run(show: Callable[[Database], Coroutine[Any, Any, None]], *, url: str, prefix: str) -> None:
    try:
        ask(url, f"{prefix}notifications", show)
    except SupportRequestNotFound:
        typer.echo("There is no request with this reference", err=True)
        raise typer.Exit(1) from None


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
