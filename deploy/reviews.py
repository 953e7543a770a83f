"""`millrace reviews`: take a review out of sight that breaks the marketplace's rules."""

from typing import Annotated, Any

import typer

from deploy.database import Mongo, Prefix, ask
from services.reviews import store, use_cases
from services.reviews.domain import ReviewNotFound
from shared.clock import utc_now

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
        hidden = ask(
            mongo_url,
            f"{prefix}reviews",
            lambda db: use_cases.hide_review(db, review_id=review_id, reason=reason, now=utc_now()),
        )
    except ReviewNotFound:
        typer.echo(f"There is no review {review_id}", err=True)
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
    rows = ask(mongo_url, f"{prefix}reviews", lambda db: store.find_blocked(db, limit=limit))
    for at, row in rows:
        typer.echo(
            f"{at:%Y-%m-%d %H:%M}  order {row.order_id}  user {row.user_id}  {row.where}: {', '.join(row.rules)}"
        )
