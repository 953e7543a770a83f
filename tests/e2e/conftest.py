"""People of the market, with the running suite before them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

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
