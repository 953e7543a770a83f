"""`make up` as an operator knows it: the command `millrace up`, its data folder, and signals."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from pymongo import MongoClient

from deploy import ports
from deploy.parts import PART_PORTS
from deploy.probes import http_is_ready
from deploy.process import OWNER, end_leftovers
from tests.waiting import eventually

pytestmark = pytest.mark.e2e

MILLRACE = Path(sys.executable).with_name("millrace")
APPLICATIONS = ["orders", "chat", "reviews", "notifications", "gateway"]


class Operator:
    """Somebody with a terminal and a data folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._log = home.with_suffix(".out")
        self._up: subprocess.Popen[bytes] | None = None

    def up(self) -> None:
        if not self.home.exists():
            # Of this worker's; the command itself would choose among all.
            self.home.mkdir(mode=0o700)
            ports.choose((*PART_PORTS, *APPLICATIONS), remembered_in=self.home / "ports.json")
        with self._log.open("wb") as log:
            self._up = subprocess.Popen(
                [MILLRACE, "up", "--home", self.home, "--port", "0"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def millrace(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [MILLRACE, *words, "--home", self.home]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    async def ready(self) -> dict[str, Any]:
        await eventually(lambda: self.endpoints or self.ended, within=200, every=0.1)
        assert self.endpoints, self.said
        return self.endpoints

    async def signal(self, number: signal.Signals) -> int:
        assert self._up
        self._up.send_signal(number)
        await eventually(lambda: self.ended, within=60)
        return self._up.returncode

    @property
    def ended(self) -> bool:
        return self._up is not None and self._up.poll() is not None

    @property
    def said(self) -> str:
        return self._log.read_text()

    @property
    def endpoints(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads((self.home / "endpoints.json").read_text())
        except FileNotFoundError:
            return None
        return found

    def processes(self) -> list[psutil.Process]:
        """Everything that was started for this data folder, however deep."""
        return [
            process
            for process in psutil.process_iter(["environ", "status"])
            if (process.info["environ"] or {}).get(OWNER) == str(self.home)
            and process.info["status"] != psutil.STATUS_ZOMBIE
        ]

    def leave(self) -> None:
        if self._up and not self.ended:
            self._up.kill()
            self._up.wait()
        end_leftovers(self.home, grace=0)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """One suite that several tests look at while it runs."""
    operator = Operator(tmp_path_factory.mktemp("busy") / "home")
    operator.up()
    yield operator
    operator.leave()


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    operator = Operator(tmp_path / "home")
    yield operator
    operator.leave()


async def test_endpoints_name_everything_that_runs_and_only_their_owner_reads_them(busy: Operator) -> None:
    endpoints = await busy.ready()

    assert endpoints.keys() == {"gateway", "amqp", "mongo", "s3", "smtp", "services", "pids"}
    assert endpoints["s3"].keys() == {"endpoint", "access_key", "secret_key"}
    assert [*endpoints["services"], "gateway"] == APPLICATIONS
    assert endpoints["pids"].keys() == {*APPLICATIONS, "mongod", "rabbitmq", "s3"}
    assert all(psutil.pid_exists(pid) for pid in endpoints["pids"].values())
    for url in (endpoints["gateway"], *endpoints["services"].values()):
        await eventually(partial(http_is_ready, f"{url}/health/ready"), every=0.5)
    assert (busy.home / "endpoints.json").stat().st_mode & 0o777 == 0o600
    assert all(path.stat().st_mode & 0o077 == 0 for path in (busy.home / "secrets").iterdir())


async def test_the_newcomer_is_told_where_to_go(busy: Operator) -> None:
    endpoints = await busy.ready()

    await eventually(lambda: "make down" in busy.said)
    assert endpoints["gateway"] in busy.said
    assert "Log in" in busy.said
    assert "make demo" in busy.said


@pytest.mark.parametrize("name", ["orders", "rabbitmq", "mongod", "s3"])
async def test_what_is_killed_comes_back_under_a_new_id(busy: Operator, name: str) -> None:
    killed = (await busy.ready())["pids"][name]

    os.kill(killed, signal.SIGKILL)

    def back() -> bool:
        endpoints = busy.endpoints
        return (
            endpoints is not None
            and endpoints["pids"][name] != killed
            and http_is_ready(f"{endpoints['gateway']}/health/ready")
        )

    await eventually(back, within=120)


async def test_a_second_start_on_the_same_folder_is_refused_in_one_line(busy: Operator) -> None:
    await busy.ready()

    second = busy.millrace("up", "--port", "0")

    assert second.returncode == 1
    assert second.stderr.startswith("Cannot start: Millrace already runs in ")
    assert len(second.stderr.splitlines()) == 1
    assert busy.endpoints


async def test_after_a_crash_of_the_supervisor_the_next_start_cleans_up_and_keeps_the_data(
    operator: Operator,
) -> None:
    operator.up()
    first = await operator.ready()
    with MongoClient[dict[str, Any]](first["mongo"]) as client:
        client.keepsakes.kept.insert_one({"_id": "one"})
    await operator.signal(signal.SIGKILL)
    orphans = operator.processes()
    assert len(orphans) >= len(first["pids"])

    operator.up()
    await eventually(lambda: "crash" in operator.said, within=60)
    second = await operator.ready()

    assert not any(orphan.is_running() and orphan.status() != psutil.STATUS_ZOMBIE for orphan in orphans)
    assert {**second, "pids": None} == {**first, "pids": None}
    with MongoClient[dict[str, Any]](second["mongo"]) as client:
        assert client.keepsakes.kept.count_documents({}) == 1
    assert await operator.signal(signal.SIGINT) == 0
    assert operator.processes() == []
    assert operator.endpoints is None


async def test_down_ends_a_start_under_way_and_clean_deletes_the_data(operator: Operator) -> None:
    operator.up()
    await eventually(lambda: "mongod" in operator.said, within=60)

    down = operator.millrace("down")

    assert down.stdout == "Stopped\n"
    await eventually(lambda: operator.ended)
    assert operator.processes() == []
    assert operator.millrace("clean").returncode == 0
    assert not operator.home.exists()


async def test_down_also_ends_what_a_crash_of_the_supervisor_left(operator: Operator) -> None:
    operator.up()
    await eventually(lambda: "mongod" in operator.said, within=60)
    await operator.signal(signal.SIGKILL)
    assert operator.processes() != []

    down = operator.millrace("down")

    assert down.stdout == "Stopped\n"
    await eventually(lambda: operator.processes() == [])
    assert operator.millrace("down").stdout == f"Nothing runs in {operator.home}\n"


def test_a_taken_port_is_told_in_one_line(operator: Operator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        failed = operator.millrace("up", "--port", str(port))

    assert failed.returncode == 1
    assert failed.stdout == ""
    assert (
        failed.stderr
        == f"Cannot start: port {port} is taken by another program; choose one with MILLRACE_PORT\n"
    )


def test_a_data_folder_that_cannot_be_one_is_told_in_one_line(operator: Operator) -> None:
    operator.home.write_text("a file")

    failed = operator.millrace("up")

    assert failed.returncode == 1
    assert failed.stderr == f"Cannot start: File exists: {operator.home}\n"


def test_a_folder_of_something_else_is_not_deleted(operator: Operator) -> None:
    operator.home.mkdir()
    (operator.home / "thesis.txt").write_text("years of work")

    refused = operator.millrace("clean")

    assert refused.returncode == 1
    assert (operator.home / "thesis.txt").exists()
