"""What commands need that work on a running suite's databases."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from pymongo.errors import PyMongoError

from deploy.here import endpoints_here
from shared import mongo
from shared.mongo import Database

T = TypeVar("T")


def _of_the_suite_here() -> str:
    return endpoints_here(otherwise="name the database with --mongo").mongo


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


def ask(url: str, name: str, act: Callable[[Database], Awaitable[T]]) -> T:
    """Do something with a database; where MongoDB does not answer, say so in one line and end the command."""

    async def acted() -> T:
        async with mongo.connect(url=url, name=name, driver="pymongo") as db:
            return await act(db)

    try:
        return asyncio.run(acted())
    except PyMongoError as error:
        typer.echo(f"MongoDB does not answer: {type(error).__name__}", err=True)
        raise typer.Exit(1) from None
