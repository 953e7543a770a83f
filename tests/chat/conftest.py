"""A chat service, whole, on real parts; what it says to the gateway and publishes is what tests look at."""

from collections.abc import AsyncIterator

import aio_pika
import orjson
import pytest

from deploy.parts import S3
from services.chat.attachments import thumbnails
from services.chat.main import Settings
from tests.chat.running import SECRET, Chat, Published, serving


@pytest.fixture(autouse=True)
def _drawing_may_be_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine needs seconds to start what draws."""
    monkeypatch.setattr(thumbnails, "_SECONDS", 60)


@pytest.fixture
def settings(mongo_url: str, mongo_db_prefix: str, amqp_url: str, s3: S3) -> Settings:
    return Settings(
        port=0,
        mongo_url=mongo_url,
        mongo_db_prefix=mongo_db_prefix,
        amqp_url=amqp_url,
        service_secret=SECRET,
        s3_endpoint=s3.endpoint,
        s3_access_key=s3.access_key,
        s3_secret_key=s3.secret_key,
        s3_bucket="chat-tests",
    )


@pytest.fixture
async def chat(settings: Settings) -> AsyncIterator[Chat]:
    async with serving(settings) as chat:
        yield chat


@pytest.fixture
async def broker(amqp_url: str) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    async with await aio_pika.connect(amqp_url) as connection:
        yield await connection.channel()


@pytest.fixture
async def published(chat: Chat, broker: aio_pika.abc.AbstractChannel) -> Published:
    del chat  # declares the exchange
    heard = Published()
    known = set[str]()
    queue = await broker.declare_queue(exclusive=True)
    await queue.bind("millrace.events", "#")

    async def hear(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        # A service that is slow to note what it has published does it again.
        if (event := orjson.loads(message.body))["id"] not in known:
            known.add(event["id"])
            heard.events.append(event)

    await queue.consume(hear, no_ack=True)
    return heard
