"""Browsers before the running suite; whatever a page complains of fails the test that opened it."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Unpack

import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from deploy.local import Endpoints
from tests.web.visitor import Settings, Visit, Visitor, open_visit

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    expect.set_options(timeout=30_000)
    found = next(filter(None, map(shutil.which, NAMES)), None)
    assert found, "no Chromium here: `make setup` brings one"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, endpoints: Endpoints) -> AsyncIterator[Visit]:
    """Open a browser of its own for one more person; at the end none may have complained."""
    visitors: list[Visitor] = []
    async with AsyncExitStack() as stack:

        async def visit(**settings: Unpack[Settings]) -> Visitor:
            visitor = await stack.enter_async_context(open_visit(browser, endpoints.gateway, **settings))
            visitors.append(visitor)
            return visitor

        yield visit
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []
