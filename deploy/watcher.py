"""Starting again what died: each program of a running suite, with a growing pause."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Event, Lock, Thread

from deploy.process import Program, stop

PAUSES = (0.5, 1, 2, 4, 8, 16, 30)
# After so many seconds of health a death counts as the first one again.
FORGIVEN_AFTER = 60


@dataclass
class _Watched:
    program: Program
    deaths: int = 0
    due_at: float | None = None
    ready_since: float | None = None


class Watcher:
    """Watches programs from a thread of its own, so that it works beside any event loop, or none."""

    def __init__(
        self, programs: Iterable[Program], *, on_back: Callable[[Program], None], say: Callable[[str], None]
    ) -> None:
        now = time.monotonic()
        self._watched = {program.name: _Watched(program, ready_since=now) for program in programs}
        self._on_back = on_back
        self._say = say
        self._lock = Lock()
        self._ended = Event()
        self._thread = Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Start nothing any more; what runs goes on."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def restart(self, name: str) -> None:
        """Stop a program in order and begin it anew; returns once it is ready."""
        watched = self._watched[name]
        with self._lock:
            stop([watched.program])
            self._begin(watched)
        while watched.ready_since is None and not self._ended.wait(0.05):
            pass

    def _run(self) -> None:
        while not self._ended.wait(0.1):
            for watched in self._watched.values():
                with self._lock:
                    try:
                        self._look_at(watched)
                    except OSError as error:  # such as a full disk: it may have room later
                        self._say(f"{watched.program.name} cannot be started: {error}")
                        self._schedule(watched)

    def _look_at(self, watched: _Watched) -> None:
        program, now = watched.program, time.monotonic()
        if watched.due_at is not None:
            if now >= watched.due_at:
                self._begin(watched)
        elif program.exit_code is not None:
            if watched.ready_since is not None and now - watched.ready_since > FORGIVEN_AFTER:
                watched.deaths = 0
            pause = self._schedule(watched)
            self._say(f"{program.name} ended (exit code {program.exit_code}); starts again in {pause} s")
        elif watched.ready_since is None and program.is_ready():
            self._on_back(program)
            watched.ready_since = now

    def _begin(self, watched: _Watched) -> None:
        watched.due_at, watched.ready_since = None, None
        watched.program.start()

    def _schedule(self, watched: _Watched) -> float:
        pause = PAUSES[min(watched.deaths, len(PAUSES) - 1)]
        watched.deaths += 1
        watched.due_at = time.monotonic() + pause
        return pause
