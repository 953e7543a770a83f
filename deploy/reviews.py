"""`millrace reviews`: take a review out of sight that breaks the marketplace's rules."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

import typer
from pymongo.errors import PyMongoError

from deploy.database import Mongo, Prefix
from services.reviews import store, use_cases
from services.reviews.domain import Review, ReviewNotFound
from shared import mongo
from shared.clock import utc_now
from shared.events.chat import MessageBlocked

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look after the reviews.")

_MOST = 500


@app.callback()
def reviews() -> None:
    """Look after the reviews."""


@app.command()
def hide(
    review_id: str,
    reason: Annotated[str, typer.Option(help="why; shown to everybody in place of the review")],
    mongo_url: Mongo,
    prefix: Prefix = "",
) -> None:
    """Show a review to nobody any more and count it in no rating; the record stays.

    Everybody sees that a review was hidden, when and why. One that is hidden stays so for its first reason.
    """
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= _MOST:
        raise typer.BadParameter(f"must have 1 to {_MOST} characters", param_hint="--reason")
    try:
        hidden = asyncio.run(_hide(review_id, reason=reason, url=mongo_url, name=f"{prefix}reviews"))
    except ReviewNotFound:
        typer.echo(f"There is no review {review_id}", err=True)
        raise typer.Exit(1) from None
    except PyMongoError as error:
        typer.echo(f"MongoDB does not answer: {type(error).__name__}", err=True)
        raise typer.Exit(1) from None
    told: Any = hidden.hidden
    typer.echo(f"Hidden since {told.at:%Y-%m-%d %H:%M} UTC: {told.reason}")


@app.command()
def blocked(
    mongo_url: Mongo,
    prefix: Prefix = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="how many at most")] = 50,
) -> None:
    """List reviews and replies refused for contact information within the last 30 days; the texts are not kept."""

    async def read() -> list[tuple[datetime, MessageBlocked]]:
        async with mongo.connect(url=mongo_url, name=f"{prefix}reviews", driver="pymongo") as db:
            return await store.find_blocked(db, limit=limit)

    try:
        rows = asyncio.run(read())
    except PyMongoError as error:
        typer.echo(f"MongoDB does not answer: {type(error).__name__}", err=True)
        raise typer.Exit(1) from None
    for at, row in rows:
        typer.echo(
            f"{at:%Y-%m-%d %H:%M}  order {row.order_id}  user {row.user_id}  {row.where}: {', '.join(row.rules)}"
        )


async def _hide(review_id: str, *, reason: str, url: str, name: str) -> Review:
    async with mongo.connect(url=url, name=name, driver="pymongo") as db:
        return await use_cases.hide_review(db, review_id=review_id, reason=reason, now=utc_now())
