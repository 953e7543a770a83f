"""The `millrace` command: runs the suite on this machine and looks after a running one."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from deploy import local
from deploy.process import CannotStart, Interrupted

TOOLS = {
    "dead-letters": "deploy.dead_letters",
    "guard": "deploy.moderation",
    "help": "deploy.help_desk",
    "organisations": "deploy.organisations",
    "reviews": "deploy.reviews",
}


class _WithTools(typer.core.TyperGroup):
    """Imports the operators' tools only when one is asked for: `up` has no second to lose."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *TOOLS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in TOOLS:
            return typer.main.get_group(import_module(TOOLS[cmd_name]).app)
        return super().get_command(ctx, cmd_name)


app = typer.Typer(
    cls=_WithTools,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Run Millrace on this machine, fill it with an example, and look after it.",
)

Home = Annotated[
    Path,
    typer.Option(envvar="MILLRACE_HOME", help="data folder: databases, files, logs, secrets, endpoints.json"),
]
DEFAULT_HOME = Path(".millrace")


@app.command()
def up(
    home: Home = DEFAULT_HOME,
    port: Annotated[
        int,
        typer.Option(envvar="MILLRACE_PORT", min=0, max=65535, help="the gateway's port; 0 takes a free one"),
    ] = 8080,
) -> None:
    """Start MongoDB, RabbitMQ, S3 and the five applications, and watch over them until Ctrl-C.

    Data stays in the data folder for the next start. Two suites with two folders and two ports run side
    by side. While it runs, endpoints.json in the data folder tells addresses, credentials and process
    ids; what dies is started again. Any MILLRACE_* variable is handed on to the applications as a
    setting; MILLRACE_MONGO_URL, MILLRACE_AMQP_URL and MILLRACE_S3_ENDPOINT name servers to use
    instead of starting them.
    """
    suite = local.Suite(
        home=home,
        port=port,
        env=dict(os.environ),  # noqa: TID251 - handed on to the applications, whose main.py reads it
        say=_say,
    )
    try:
        asyncio.run(_run_until_asked(suite))
    except CannotStart as problem:
        typer.echo(f"Cannot start: {problem}", err=True)
        raise typer.Exit(1) from None
    except Interrupted:
        pass
    _say("Stopped; nothing is left running")


@app.command()
def down(home: Home = DEFAULT_HOME) -> None:
    """Stop the suite that runs in the data folder, from another terminal."""
    try:
        stopped = local.shut_down(home)
    except CannotStart as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None
    _say("Stopped" if stopped else f"Nothing runs in {home}")


@app.command()
def clean(home: Home = DEFAULT_HOME) -> None:
    """Stop the suite and delete its data folder, with all orders, messages and files in it."""
    down(home)
    if not home.exists():
        return
    if not (home / local.LOCK).exists():
        typer.echo(f"{home} is no data folder of Millrace; nothing was deleted", err=True)
        raise typer.Exit(1)
    shutil.rmtree(home.resolve())
    _say(f"Deleted {home}")


@app.command()
def demo(home: Home = DEFAULT_HOME) -> None:
    """Fill the running suite with an example: a dozen organisations, 60 orders, chats, files, reviews.

    It speaks to the public API and the broker like anybody else, and takes about a minute. In the end it
    tells the accounts to sign in with.
    """
    from deploy import demo as example  # noqa: PLC0415 - as the tools above

    try:
        asyncio.run(example.fill(home, say=_say))
    except CannotStart as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="the backup to write; `-` for standard output")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Save all databases, at one moment, and the files of chats, while the suite runs or while it rests.

    MILLRACE_MONGO_URL and MILLRACE_S3_ENDPOINT, with its keys, name servers other than those of the data
    folder. Keep the backup as safe as the data: it holds all of them.
    """
    from deploy import backup as tool  # noqa: PLC0415 - as the tools above
    from deploy.places import place  # noqa: PLC0415

    if file.exists():
        raise typer.BadParameter(f"{file} exists already")
    with _one_line_if_it_cannot():
        env = dict(os.environ)  # noqa: TID251 - settings, as for `up`
        with place(home, env, at_rest=False, say=_aside) as found:
            if str(file) == "-":
                tool.save(found, sys.stdout.buffer, say=_aside)
                return
            unfinished = file.with_name(f"{file.name}.unfinished")
            unfinished.touch(mode=0o600)
            with unfinished.open("wb") as content:
                tool.save(found, content, say=_aside)
            unfinished.rename(file)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="the backup to read; `-` for standard input")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Read a backup into a place that holds nothing yet, while no application runs."""
    from deploy import backup as tool  # noqa: PLC0415 - as the tools above
    from deploy.places import place  # noqa: PLC0415

    if str(file) != "-" and not file.is_file():
        raise typer.BadParameter(f"there is no file {file}")
    with _one_line_if_it_cannot():
        env = dict(os.environ)  # noqa: TID251 - settings, as for `up`
        with place(home, env, at_rest=True, say=_aside) as found:
            if str(file) == "-":
                tool.restore(found, sys.stdin.buffer, say=_aside)
                return
            with file.open("rb") as content:
                tool.restore(found, content, say=_aside)


@contextmanager
def _one_line_if_it_cannot() -> Iterator[None]:
    from minio.error import MinioException  # noqa: PLC0415
    from pymongo.errors import PyMongoError  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    from deploy.backup import CannotSave  # noqa: PLC0415

    try:
        yield
    except (CannotSave, CannotStart, HTTPError, MinioException, OSError, PyMongoError) as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None


def _aside(line: str) -> None:
    """Tell a person what a program on standard output should not read."""
    typer.echo(line, err=True)


async def _run_until_asked(suite: local.Suite) -> None:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if name != signal.SIGHUP or signal.getsignal(name) != signal.SIG_IGN:  # as after `nohup`
            loop.add_signal_handler(name, suite.stopping.set)
    async with suite:
        _greet(suite)
        await asyncio.to_thread(suite.stopping.wait)
        _say("Stopping")


def _greet(suite: local.Suite) -> None:
    address = suite.endpoints.gateway
    _say(f"""
Millrace is ready.

  Address   {address}
  Log in    open the address and register, or take an account of the example data
  Example   {"the data folder is new: " if suite.is_new else ""}`make demo` in another terminal fills it and tells the accounts
  HTTP API  {address}/api/v1/docs
  Logs      {suite.home / "logs"}
  Stop      Ctrl-C here, or `make down` in another terminal
""")


def _say(line: str) -> None:
    try:
        print(line, flush=True)
    except OSError:  # whoever read this has gone; the suite goes on
        return
