"""One running suite, as `make up` runs it, for the whole session."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import pytest

from deploy.local import Endpoints, Suite
from deploy.parts import Parts
from tests.e2e.market import Person, person
from tests.e2e.openapi import Checker
from tests.e2e.suites import settings_of


@pytest.fixture(scope="session")
def suite(parts: Parts) -> Iterator[Suite]:
    env = settings_of(parts, name="e2e", amqp_url=parts.amqp_url)
    with (
        TemporaryDirectory(prefix="millrace-e2e-") as home,
        Suite(home=Path(home), port=0, env=env) as running,
    ):
        yield running


@pytest.fixture
def endpoints(suite: Suite) -> Endpoints:
    return suite.endpoints


@pytest.fixture
async def checker(endpoints: Endpoints) -> Checker:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{endpoints.gateway}/api/v1/openapi.json") as response,
    ):
        document: dict[str, Any] = await response.json()
    return Checker(document)


@pytest.fixture
async def buyer_and_factory(endpoints: Endpoints, checker: Checker) -> AsyncIterator[tuple[Person, Person]]:
    async with AsyncExitStack() as stack:
        buyer = await stack.enter_async_context(
            person(endpoints.gateway, checker, kind="buyer", organisation="Halden Pumps", name="Ann Okafor")
        )
        factory = await stack.enter_async_context(
            person(
                endpoints.gateway, checker, kind="factory", organisation="Ningbo Precision", name="Lin Wei"
            )
        )
        yield buyer, factory


@pytest.fixture
async def third_party(endpoints: Endpoints, checker: Checker) -> AsyncIterator[Person]:
    async with person(endpoints.gateway, checker, kind="buyer", organisation="Third Ltd", name="Tess") as who:
        yield who
