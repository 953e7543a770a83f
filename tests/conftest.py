"""Real MongoDB, RabbitMQ and S3 for every test that asks for them; nothing imports this file."""

import os
import signal
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from pymongo import MongoClient

from deploy.local import Endpoints, Suite
from deploy.parts import S3, Parts, running
from shared import messaging
from tests import containers
from tests.suites import keep_to_own_ports, settings_of

# A machine that stalls makes no example wrong. The same examples each time, as what is green has to stay so;
# others are tried with --hypothesis-profile=others.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("others", _PATIENT)
settings.register_profile("millrace", _PATIENT, derandomize=True)
settings.load_profile("millrace")


def pytest_configure() -> None:
    # As for Ctrl-C, so that a session that is told to end stops what it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    keep_to_own_ports()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and "parts" in item.fixturenames:
            item.add_marker("parts")


@pytest.fixture(scope="session")
def parts() -> Iterator[Parts]:
    """Find those that `MILLRACE_*` variables name, else containers, else processes of this session."""
    env = dict(os.environ)
    with (
        TemporaryDirectory(prefix="millrace-tests-") as home,
        containers.running(env) as named,
        running(home=Path(home), env=env | named) as parts,
    ):
        yield parts


@pytest.fixture(autouse=True)
def _streams_settle_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody kills the session's RabbitMQ, and each test has a log of its own to make."""
    monkeypatch.setattr(messaging, "FIRST_STREAM_SETTLES", 0)


@pytest.fixture(scope="session")
def s3(parts: Parts) -> S3:
    return parts.s3


@pytest.fixture(scope="session")
def mongo_url(parts: Parts) -> str:
    return parts.mongo_url


@pytest.fixture
def mongo_db_prefix(mongo_url: str) -> Iterator[str]:
    """Stands before every database name of one test; its databases are dropped after it."""
    prefix = f"t{uuid4().hex[:10]}_"

    yield prefix

    with MongoClient(mongo_url) as client:
        for name in client.list_database_names():
            if name.startswith(prefix):
                client.drop_database(name)


@pytest.fixture
def amqp_url(parts: Parts) -> Iterator[str]:
    """Give each test a virtual host of its own, or the default one of a broker that cannot be asked."""
    with _own_virtual_host(parts) as url:
        yield url


@pytest.fixture(scope="session")
def suite(parts: Parts) -> Iterator[Suite]:
    """Run what `make up` runs, once for the whole session."""
    with (
        _own_virtual_host(parts) as amqp_url,
        TemporaryDirectory(prefix="millrace-suite-") as home,
        Suite(
            home=Path(home), port=0, env=settings_of(parts, name="suite", amqp_url=amqp_url)
        ) as running_suite,
    ):
        yield running_suite


@pytest.fixture
def endpoints(suite: Suite) -> Endpoints:
    return suite.endpoints


@contextmanager
def _own_virtual_host(parts: Parts) -> Iterator[str]:
    if parts.management_url is None:
        yield parts.amqp_url
        return
    name = f"t{uuid4().hex[:10]}"
    _management(parts.management_url, "PUT", name)
    try:
        yield parts.amqp_url.rstrip("/") + "/" + name
    finally:
        with suppress(OSError):  # it goes with its broker
            _management(parts.management_url, "DELETE", name)


def _management(url: str, method: str, vhost: str) -> None:
    address = urlsplit(url)
    login = b64encode(f"{address.username}:{address.password}".encode()).decode()
    request = urllib.request.Request(
        f"http://{address.hostname}:{address.port}/api/vhosts/{vhost}",
        method=method,
        headers={"Authorization": f"Basic {login}"},
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    direct.open(request, timeout=60).close()
