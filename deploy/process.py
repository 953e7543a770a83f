"""Processes of a suite that runs on this machine: started, awaited, ended, and found again after a crash."""

import json
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import psutil

# Every process that a suite starts inherits this variable, with the suite's data folder in it. So what
# is left over after the supervisor was killed can be told from everybody else's, without a list of ids
# that would itself be lost or stale after a crash.
OWNER = "MILLRACE_SUITE"


class CannotStart(Exception):  # noqa: N818 - the fact is its name
    """Something that a suite needs is missing, taken or broken; the message is one line for a person."""


class Interrupted(Exception):  # noqa: N818
    """Someone asked to stop while the suite was still starting."""


@dataclass(kw_only=True)
class Program:
    """A long-running program with a log of its own; `is_ready` says whether it can be used yet."""

    name: str
    command: list[str]
    env: Mapping[str, str]
    folder: Path
    log: Path
    is_ready: Callable[[], bool]
    grace: float = 15
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        """None while it runs, and before it was first started."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start it apart from the terminal, so that Ctrl-C reaches only the supervisor."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command lines
                self.command,
                env=self.env,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self, *, within: float, cancelled: Event) -> None:
        """Raise `CannotStart` when it ends or stays unready, `Interrupted` when `cancelled` is set."""
        give_up_at = time.monotonic() + within
        while not self.is_ready():
            if self.exit_code is not None:
                raise CannotStart(
                    f"{self.name} ended while starting (exit code {self.exit_code}): {self._last_words()}"
                )
            if time.monotonic() > give_up_at:
                raise CannotStart(f"{self.name} was not ready within {within:.0f} s: {self._last_words()}")
            if cancelled.wait(0.05):
                raise Interrupted

    def ask_to_stop(self) -> None:
        if self._process and self.exit_code is None:
            self._process.terminate()

    def kill(self) -> None:
        if self._process and self.exit_code is None:
            self._process.kill()
            self._process.wait()

    def _last_words(self) -> str:
        lines = [line for line in _tail(self.log).splitlines() if line.strip()]
        told = _message(lines[-1]) if lines else "it said nothing"
        return f"{told} (see {self.log})"


def stop(programs: Iterable[Program]) -> None:
    """Ask all of them to end, and make those end that take longer than their grace."""
    running = list(programs)
    asked_at = time.monotonic()
    asked = 0
    while running := [program for program in running if program.pid and program.exit_code is None]:
        waited = time.monotonic() - asked_at
        for program in running:
            if waited > program.grace:
                program.kill()
            elif waited >= asked:  # each second: in the first moments of a start a signal can get lost
                program.ask_to_stop()
        asked = int(waited) + 1
        time.sleep(0.02)


def end_leftovers(
    owner: Path, *, grace: float = 15, is_over: Callable[[], bool] = lambda: False
) -> list[int]:
    """End every process that was started for this owner and outlived its supervisor; answer their ids.

    It leaves the rest alone once `is_over`, which is for those who cannot know whether a new supervisor comes.

    Nobody keeps these from starting others meanwhile, as a start under way does; so it looks until twice
    in a row there are none. Once is not enough: a process that just becomes another program has no
    environment for a moment, and cannot be told.
    """
    asked_at: dict[psutil.Process, float] = {}
    kill_at = time.monotonic() + grace
    looks_in_vain = 0
    while looks_in_vain < 2 and not is_over():  # noqa: PLR2004 - twice in a row
        lasting = list(_started_for(owner))
        now = time.monotonic()
        for process in lasting:
            if now > kill_at:
                _signal(process.kill)
            elif process in asked_at and now < asked_at[process] + 1:
                continue  # each second again: in the first moments of a start a signal can get lost
            else:
                _signal(process.terminate)
            asked_at[process] = now
        looks_in_vain = 0 if lasting else looks_in_vain + 1
        time.sleep(0.1)
    return [process.pid for process in asked_at]


def _started_for(owner: Path) -> Iterable[psutil.Process]:
    me = psutil.Process()
    ours = {me.pid, *(parent.pid for parent in me.parents())}
    for process in psutil.process_iter():
        try:
            if process.pid not in ours and process.environ().get(OWNER) == str(owner):
                yield process
        except (psutil.Error, OSError):  # ended meanwhile, or another user's
            continue


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4000))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _message(line: str) -> str:
    """Pick the sentence out of a JSON log line, as mongod and our own applications write them."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line.strip()[:300]
    if not isinstance(entry, dict):
        return line.strip()[:300]
    told = entry.get("msg") or entry.get("event") or entry.get("message") or line
    return str(told)[:300]
