"""Where a suite's data are, for whoever looks after them: named by settings, of the suite that runs here, or at rest."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from deploy import local, ports
from deploy.backup import Place
from deploy.local import Endpoints
from deploy.parts import PART_PORTS, S3, START_SECONDS, Parts, check_room, plan
from deploy.process import CannotStart, stop

_NAMED = ("MILLRACE_MONGO_URL", "MILLRACE_S3_ENDPOINT", "MILLRACE_S3_ACCESS_KEY", "MILLRACE_S3_SECRET_KEY")
_KEEP_DATA = {"mongod", "s3"}


@contextmanager
def place(
    home: Path, env: Mapping[str, str], *, at_rest: bool, say: Callable[[str], None]
) -> Iterator[Place]:
    """Find the data, and start MongoDB and S3 for as long as the context lasts where nothing runs.

    Args:
        at_rest: refuse a suite that runs in the data folder.

    Raises:
        CannotStart: with one line that says why.
    """
    if all(name in env for name in _NAMED):
        s3 = S3(
            endpoint=env["MILLRACE_S3_ENDPOINT"],
            access_key=env["MILLRACE_S3_ACCESS_KEY"],
            secret_key=env["MILLRACE_S3_SECRET_KEY"],
        )
        yield _place(env, mongo_url=env["MILLRACE_MONGO_URL"], s3=s3)
        return
    home = home.resolve()
    if local.running_supervisor(home) is None:
        say(f"Nothing runs in {home}: MongoDB and S3 are started for this")
        with _resting(home, env) as parts:
            yield _place(env, mongo_url=parts.mongo_url, s3=parts.s3)
    elif at_rest:
        raise CannotStart(f"Millrace runs in {home}; `make down` stops it")
    else:
        found = Endpoints.model_validate_json((home / local.ENDPOINTS).read_text())
        yield _place(env, mongo_url=found.mongo, s3=found.s3)


def _place(env: Mapping[str, str], *, mongo_url: str, s3: S3) -> Place:
    return Place(
        mongo_url=mongo_url,
        prefix=env.get("MILLRACE_MONGO_DB_PREFIX", ""),
        s3=s3,
        bucket=env.get("MILLRACE_S3_BUCKET", local.BUCKET),
    )


@contextmanager
def _resting(home: Path, env: Mapping[str, str]) -> Iterator[Parts]:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with local.claimed(home):
        check_room(home)
        parts = plan(home=home, env=env, at=ports.choose(PART_PORTS, remembered_in=home / "ports.json"))
        programs = [program for program in parts.programs if program.name in _KEEP_DATA]
        try:
            for program in programs:
                program.start()
            for program in programs:
                program.wait_until_ready(within=START_SECONDS, cancelled=Event())
            yield parts
        finally:
            stop(programs)
