from collections.abc import AsyncIterator

import pytest

from services.orders import store
from services.orders.main import Settings, create_app
from shared import mongo
from shared.mongo import Database
from shared.outbox import Outbox
from tests.orders.builders import a_caller, a_record
from tests.service_client import SECRET, Events, Service, listening, serving


@pytest.fixture
def settings(mongo_url: str, mongo_db_prefix: str, amqp_url: str) -> Settings:
    return Settings(
        mongo_url=mongo_url, mongo_db_prefix=mongo_db_prefix, amqp_url=amqp_url, service_secret=SECRET
    )


@pytest.fixture
async def events(amqp_url: str) -> AsyncIterator[Events]:
    async with listening(amqp_url) as events:
        yield events


@pytest.fixture
async def orders(settings: Settings, events: Events) -> AsyncIterator[Service]:
    """The service, which has heard of one factory and one buyer; `events` hears it from the start."""
    del events
    async with serving(create_app(settings)) as service:
        for side in ("factory", "buyer"):
            record = a_record(side)
            answer = await service.call(
                "PUT",
                f"/organisations/{record.organisation_id}",
                caller=a_caller(side),
                json=record.model_dump(mode="json"),
            )
            assert answer.status == 204
        yield service


@pytest.fixture(params=["motor", "pymongo"])
def driver(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def db(mongo_url: str, mongo_db_prefix: str, driver: str) -> AsyncIterator[Database]:
    """The database without a relay: events stay in their documents."""
    async with mongo.connect(url=mongo_url, name=f"{mongo_db_prefix}orders", driver=driver) as db:
        db.outbox = Outbox(db=db, collections=(), publish=_to_nobody)
        await store.ensure_indexes(db)
        yield db


async def _to_nobody(_: object) -> None:
    raise AssertionError("nothing relays here")
