"""The whole suite on this machine without containers: what `make up` runs.

Data, logs, secrets and the choice of ports live in one folder, the suite's home; two suites with two
homes and two gateway ports know nothing of each other.
"""

import asyncio
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import IO, Self

from pydantic import BaseModel, ConfigDict

from deploy import ports
from deploy.parts import PART_PORTS, S3, START_SECONDS, Parts, check_room, plan, secret
from deploy.probes import http_is_ready
from deploy.process import OWNER, CannotStart, Program, end_leftovers, stop
from deploy.watcher import Watcher

ROOT = Path(__file__).parents[1]
SERVICES = ("orders", "chat", "reviews", "notifications")
LOCK = "supervisor.pid"
BUCKET = "attachments"
ENDPOINTS = "endpoints.json"
# They promise to end within 15 s; this is the time after which they are ended.
APPLICATION_GRACE = 20


class Endpoints(BaseModel):
    """What `endpoints.json` tells: where everything listens, and the processes that were started."""

    model_config = ConfigDict(frozen=True)

    gateway: str
    amqp: str
    mongo: str
    s3: S3
    smtp: str | None
    services: dict[str, str]
    pids: dict[str, int]


def _silent(_: str) -> None:
    pass


class Suite:
    """Runs while its `async with` (or `with`) block does; a program that dies in it is started again.

    Args:
        home: the data folder; it is made if it is not there.
        port: the gateway's; 0 takes a free one, the same at each start of this home.
        env: the environment of everything that is started; its `MILLRACE_*` variables are settings.
        say: called with one line for each step of the way.
    """

    def __init__(
        self, *, home: Path, port: int = 8080, env: Mapping[str, str], say: Callable[[str], None] = _silent
    ) -> None:
        self.home = home.resolve()
        self.is_new = not (self.home / "mongod").exists()
        # Set it from anywhere to call off a start under way; whoever waits on it then stops the suite.
        self.stopping = Event()
        self._port = port
        self._env = dict(env)
        self._say = say
        self._lock_file: IO[str] | None = None
        self._programs: list[Program] = []
        self._watcher: Watcher | None = None
        self._describe: Callable[[], Endpoints] | None = None

    @property
    def endpoints(self) -> Endpoints:
        if self._describe is None:
            raise RuntimeError("the suite is not started")
        return self._describe()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything side by side and return once all of it is ready.

        Raises:
            CannotStart: with one line that says why; nothing is left running.
            Interrupted: `stopping` was set meanwhile; nothing is left running either.
        """
        try:
            self._start()
        except OSError as error:
            self.stop()
            raise CannotStart(f"{error.strerror or error}: {error.filename or self.home}") from error
        except CannotStart:
            self.stop()
            check_room(self.home)  # a disk that has become full is what to tell, whoever stumbled over it
            raise
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything in order: the gateway, the services, then what they stand on."""
        if self._lock_file is None:
            return
        self.stopping.set()
        if self._watcher:
            self._watcher.end()
        by_name = {program.name: program for program in self._programs}
        stop(program for name, program in by_name.items() if name == "gateway")
        stop(program for name, program in by_name.items() if name in SERVICES)
        stop(by_name.values())
        end_leftovers(self.home)
        self._endpoints_file.unlink(missing_ok=True)
        self._lock_file.close()
        self._lock_file = None

    def kill(self, name: str) -> None:
        """End a program as a crash would (`kill -9`); it is started again by itself."""
        self._program(name).kill()

    async def restart(self, name: str) -> None:
        """Stop a program in order, start it again, and wait until it is ready."""
        assert self._watcher  # noqa: S101 - a started suite has one
        await asyncio.to_thread(self._watcher.restart, name)

    def _start(self) -> None:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock_file = _lock(self.home)
        self._endpoints_file.unlink(missing_ok=True)
        if leftovers := end_leftovers(self.home):
            self._say(f"Ended {len(leftovers)} processes that a crash of the last start had left")
        parts, urls = self._plan()
        self._say(f"Starting Millrace in {self.home}")
        for program in self._programs:
            program.start()
        self._wait_for_all()
        self._describe = lambda: self._endpoints(parts, urls)
        self._watcher = Watcher(self._programs, on_back=self._is_back, say=self._say)
        self._write_endpoints()
        self._watcher.start()

    def _plan(self) -> tuple[Parts, dict[str, str]]:
        """Lay out all programs; answer the parts, and the applications' addresses by their names."""
        check_room(self.home)
        host = self._env.get("MILLRACE_HOST", "127.0.0.1")
        if self._port and not ports.is_free(self._port, host=host):
            raise CannotStart(f"port {self._port} is taken by another program; choose one with MILLRACE_PORT")
        at = ports.choose(
            (*PART_PORTS, *SERVICES, "gateway"), remembered_in=self.home / "ports.json", avoid=self._port
        )
        at["gateway"] = self._port or at["gateway"]
        _keep_last_logs(self.home / "logs")
        parts = plan(home=self.home, env=self._env, at=at)
        reachable = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104
        urls = {name: f"http://127.0.0.1:{at[name]}" for name in SERVICES}
        urls["gateway"] = f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{at['gateway']}"
        settings = self._settings(parts, urls)
        self._programs = [
            *parts.programs,
            *(self._application(name, urls[name], settings) for name in SERVICES),
            self._application("gateway", urls["gateway"], settings | {"MILLRACE_HOST": host}),
        ]
        return parts, urls

    def _settings(self, parts: Parts, urls: Mapping[str, str]) -> dict[str, str]:
        ours = {f"MILLRACE_{name.upper()}_URL": urls[name] for name in SERVICES} | {
            "MILLRACE_HOST": "127.0.0.1",
            "MILLRACE_MONGO_URL": parts.mongo_url,
            "MILLRACE_AMQP_URL": parts.amqp_url,
            "MILLRACE_S3_ENDPOINT": parts.s3.endpoint,
            "MILLRACE_S3_ACCESS_KEY": parts.s3.access_key,
            "MILLRACE_S3_SECRET_KEY": parts.s3.secret_key,
            "PYTHONUNBUFFERED": "1",
            OWNER: str(self.home),
        }
        defaults = {
            "MILLRACE_PUBLIC_URL": urls["gateway"],
            "MILLRACE_S3_BUCKET": BUCKET,
            "MILLRACE_SERVICE_SECRET": secret(self.home, "service"),
        }
        return defaults | self._env | ours

    def _application(self, name: str, url: str, settings: Mapping[str, str]) -> Program:
        module = "gateway.main" if name == "gateway" else f"services.{name}.main"
        return Program(
            name=name,
            command=[sys.executable, "-m", module],
            env={**settings, "MILLRACE_PORT": url.rpartition(":")[2]},
            folder=ROOT,
            log=self.home / "logs" / f"{name}.log",
            is_ready=lambda: http_is_ready(f"{url}/health/ready"),
            grace=APPLICATION_GRACE,
        )

    def _wait_for_all(self) -> None:
        began = time.monotonic()
        with ThreadPoolExecutor(max_workers=len(self._programs)) as pool:
            waits = {pool.submit(self._wait_for, program): program for program in self._programs}
            try:
                for done in as_completed(waits):
                    done.result()
                    self._say(f"  {waits[done].name:<14} ready  {time.monotonic() - began:5.1f} s")
            except CannotStart:
                self.stopping.set()  # so that the others stop waiting
                raise

    def _wait_for(self, program: Program) -> None:
        program.wait_until_ready(within=START_SECONDS, cancelled=self.stopping)

    def _program(self, name: str) -> Program:
        return next(program for program in self._programs if program.name == name)

    def _endpoints(self, parts: Parts, urls: Mapping[str, str]) -> Endpoints:
        return Endpoints(
            gateway=urls["gateway"],
            amqp=parts.amqp_url,
            mongo=parts.mongo_url,
            s3=parts.s3,
            smtp=self._env.get("MILLRACE_SMTP_URL"),
            services={name: urls[name] for name in SERVICES},
            pids={program.name: program.pid for program in self._programs if program.pid},
        )

    def _is_back(self, program: Program) -> None:
        self._write_endpoints()
        self._say(f"{program.name} is back")

    def _write_endpoints(self) -> None:
        new = self._endpoints_file.with_suffix(".new")
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        new.write_text(self.endpoints.model_dump_json(indent=2) + "\n")
        new.rename(self._endpoints_file)

    @property
    def _endpoints_file(self) -> Path:
        return self.home / ENDPOINTS


def running_supervisor(home: Path) -> int | None:
    """Answer the id of the process that runs the suite of this home."""
    try:
        with (home / LOCK).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return int((home / LOCK).read_text() or 0) or None
    return None


def shut_down(home: Path) -> bool:
    """Stop the suite of this home, or what a crash left of it; false when there was nothing to stop."""
    home = home.resolve()
    supervisor = running_supervisor(home)
    if supervisor is None:
        (home / ENDPOINTS).unlink(missing_ok=True)
        return bool(end_leftovers(home, is_over=lambda: running_supervisor(home) is not None))
    os.kill(supervisor, signal.SIGTERM)
    give_up_at = time.monotonic() + 90
    while running_supervisor(home):
        if time.monotonic() > give_up_at:
            raise CannotStart(f"process {supervisor} does not end")
        time.sleep(0.1)
    return True


@contextmanager
def claimed(home: Path) -> Iterator[None]:
    """Keep a home for oneself, so that no suite starts in it.

    Raises:
        CannotStart: one runs in it.
    """
    file = _lock(home)
    try:
        yield
    finally:
        file.close()


def _lock(home: Path) -> IO[str]:
    """Claim the home; the kernel gives it back when this process ends, however that happens."""
    file = (home / LOCK).open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise CannotStart(
            f"Millrace already runs in {home} (process {running_supervisor(home)}); `make down` stops it"
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _keep_last_logs(folder: Path) -> None:
    """Begin with empty logs; those of the start before stay beside them."""
    folder.mkdir(exist_ok=True)
    for log in folder.glob("*.log"):
        log.rename(log.with_suffix(".log.1"))
