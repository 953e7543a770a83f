"""The three real servers, as the other tests get them."""

import aio_pika
import pytest
from minio import Minio
from pymongo import AsyncMongoClient

from deploy.parts import S3


async def test_mongodb_takes_transactions(mongo_url: str, mongo_db_prefix: str) -> None:
    async with AsyncMongoClient(mongo_url) as client:
        orders = client[f"{mongo_db_prefix}orders"].orders

        async with client.start_session() as session, await session.start_transaction():
            await orders.insert_one({"_id": "one"}, session=session)

        assert await orders.count_documents({}) == 1


@pytest.mark.parametrize("turn", ["first", "second"])
async def test_a_virtual_host_is_empty_for_every_test(amqp_url: str, turn: str) -> None:
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(
            "work", durable=True, arguments={"x-queue-type": "quorum"}, timeout=30
        )
        await channel.default_exchange.publish(aio_pika.Message(turn.encode()), "work")

        message = await queue.get(timeout=30)

        assert message is not None
        assert message.body == turn.encode()


def test_s3_keeps_objects(s3: S3) -> None:
    client = Minio(
        s3.endpoint.removeprefix("http://"), access_key=s3.access_key, secret_key=s3.secret_key, secure=False
    )

    client.make_bucket("parts-test")

    assert client.bucket_exists("parts-test")
