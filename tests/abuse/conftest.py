"""People of the market, before the running suite."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from deploy.local import Endpoints
from tests.e2e.market import Person, person
from tests.e2e.openapi import Checker


@pytest.fixture
async def checker(endpoints: Endpoints) -> Checker:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{endpoints.gateway}/api/v1/openapi.json") as response,
    ):
        return Checker(await response.json())


@pytest.fixture
async def buyer(endpoints: Endpoints, checker: Checker) -> AsyncIterator[Person]:
    async with person(
        endpoints.gateway, checker, kind="buyer", organisation="Halden Pumps", name="Ann"
    ) as who:
        yield who


@pytest.fixture
async def factory(endpoints: Endpoints, checker: Checker) -> AsyncIterator[Person]:
    async with person(
        endpoints.gateway, checker, kind="factory", organisation="Ningbo Precision", name="Lin Wei"
    ) as who:
        yield who
