"""What dies under `make up` is started again."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.process import Program, stop
from deploy.watcher import Watcher
from tests.waiting import eventually


class Watched:
    """A program under a watcher, and what the watcher said."""

    def __init__(self, folder: Path, script: str) -> None:
        self.said: list[str] = []
        self.back: list[int | None] = []
        self.program = Program(
            name="a-program",
            command=[sys.executable, "-c", script],
            env={},
            folder=folder,
            log=folder / "a-program.log",
            is_ready=lambda: self.program.exit_code is None,
        )
        self.program.start()
        self.watcher = Watcher(
            [self.program], on_back=lambda program: self.back.append(program.pid), say=self.said.append
        )
        self.watcher.start()


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path, "import time; time.sleep(60)")
    yield watched
    watched.watcher.end()
    stop([watched.program])


@pytest.fixture
def crasher(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path, "raise SystemExit(3)")
    yield watched
    watched.watcher.end()
    stop([watched.program])


async def test_a_program_that_died_comes_back_as_a_new_process(sleeper: Watched) -> None:
    first = sleeper.program.pid
    assert first

    os.kill(first, signal.SIGKILL)

    await eventually(lambda: sleeper.back)
    assert sleeper.back == [sleeper.program.pid] != [first]
    assert sleeper.said == ["a-program ended (exit code -9); starts again in 0.5 s"]


async def test_the_pause_grows_while_a_program_keeps_dying(crasher: Watched) -> None:
    await eventually(lambda: len(crasher.said) >= 3)

    pauses = [line.rpartition(" in ")[2] for line in crasher.said]
    assert pauses[:3] == ["0.5 s", "1 s", "2 s"]


def test_a_restart_on_demand_returns_once_it_is_ready(sleeper: Watched) -> None:
    first = sleeper.program.pid

    sleeper.watcher.restart("a-program")

    assert sleeper.back == [sleeper.program.pid] != [first]
    assert sleeper.said == []


async def test_nothing_comes_back_after_the_watch_has_ended(sleeper: Watched) -> None:
    sleeper.watcher.end()

    sleeper.program.kill()

    assert sleeper.program.exit_code == -9
    assert sleeper.back == []
