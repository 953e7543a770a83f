"""Programs that a suite runs: their start, their end, and what a crash leaves of them."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import psutil
import pytest

from deploy.process import OWNER, CannotStart, Interrupted, Program, end_leftovers, stop
from tests.waiting import eventually

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
SLEEPER = "import time; time.sleep(60)"


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    end_leftovers(tmp_path, grace=0)


@pytest.fixture
def started(owner: Path) -> Iterator[Callable[..., Program]]:
    programs: list[Program] = []

    def start(script: str, *, ready: bool = True, grace: float = 15) -> Program:
        program = Program(
            name="a-program",
            command=[sys.executable, "-c", script],
            env={OWNER: str(owner)},
            folder=owner,
            log=owner / "a-program.log",
            is_ready=lambda: ready,
            grace=grace,
        )
        program.start()
        programs.append(program)
        return program

    yield start

    for program in programs:
        program.kill()


def test_a_start_that_fails_is_told_with_the_programs_last_words(started: Callable[..., Program]) -> None:
    program = started("raise SystemExit('no licence')", ready=False)

    with pytest.raises(CannotStart, match=r"a-program ended while starting \(exit code 1\): no licence"):
        program.wait_until_ready(within=60, cancelled=Event())


def test_the_sentence_is_picked_out_of_a_json_log(started: Callable[..., Program]) -> None:
    line = '{"t": {"$date": "2026-01-01"}, "msg": "no space left"}'
    program = started(f"print('''{line}'''); raise SystemExit(1)", ready=False)

    with pytest.raises(CannotStart, match=r": no space left \(see"):
        program.wait_until_ready(within=60, cancelled=Event())


def test_waiting_ends_when_the_start_is_called_off(started: Callable[..., Program]) -> None:
    program = started(SLEEPER, ready=False)
    called_off = Event()
    called_off.set()

    with pytest.raises(Interrupted):
        program.wait_until_ready(within=60, cancelled=called_off)


async def test_a_program_that_will_not_stop_is_ended_after_its_grace(
    started: Callable[..., Program],
) -> None:
    program = started(STUBBORN, grace=0.2)
    await eventually(lambda: "deaf" in program.log.read_text())

    stop([program])

    assert program.exit_code == -9


def test_what_a_dead_supervisor_left_is_found_and_ended_with_its_children(owner: Path) -> None:
    with_child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPER!r}])"
    supervisor = f"""
import os, subprocess, sys
print(subprocess.Popen([sys.executable, '-c', {with_child!r}], stdout=subprocess.DEVNULL).pid, flush=True)
os.kill(os.getpid(), 9)
"""
    left = subprocess.run(
        [sys.executable, "-c", supervisor], env={OWNER: str(owner)}, stdout=subprocess.PIPE, check=False
    )
    orphan = psutil.Process(int(left.stdout))
    while not orphan.children():
        time.sleep(0.01)

    ended = end_leftovers(owner)

    assert len(ended) == 2
    assert orphan.pid in ended
    assert end_leftovers(owner) == []


def test_what_is_started_while_all_is_being_ended_is_ended_too(owner: Path) -> None:
    leaves_a_child = f"""
import signal, subprocess, sys, time
def leave(*_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "-c", {SLEEPER!r}], start_new_session=True)
    sys.exit()
signal.signal(signal.SIGTERM, leave)
print("here", flush=True)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", leaves_a_child], env={OWNER: str(owner)}, stdout=subprocess.PIPE
    ) as last_words:
        assert last_words.stdout
        assert last_words.stdout.readline() == b"here\n"

        ended = end_leftovers(owner)

    assert len(ended) == 2
    assert end_leftovers(owner) == []


def test_processes_of_another_suite_are_left_alone(owner: Path, started: Callable[..., Program]) -> None:
    program = started(SLEEPER)

    assert end_leftovers(owner / "other") == []
    assert program.exit_code is None
