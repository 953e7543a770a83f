from collections.abc import AsyncIterator

import pytest

from services.notifications.main import Settings, create_app
from tests.service_client import SECRET, Events, Service, listening, serving


@pytest.fixture
def settings(mongo_url: str, mongo_db_prefix: str, amqp_url: str) -> Settings:
    return Settings(
        mongo_url=mongo_url,
        mongo_db_prefix=mongo_db_prefix,
        amqp_url=amqp_url,
        service_secret=SECRET,
        webhook_allow_networks="127.0.0.0/8",
    )


@pytest.fixture
async def events(amqp_url: str) -> AsyncIterator[Events]:
    async with listening(amqp_url) as events:
        yield events


@pytest.fixture
async def notifications(settings: Settings) -> AsyncIterator[Service]:
    async with serving(create_app(settings)) as service:
        yield service
