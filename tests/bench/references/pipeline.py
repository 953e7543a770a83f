"""The least that could do: HTTP POST, find-and-modify, publish in the request, another process, SSE.

It loses events in a crash and asks nobody who he is: a limit to compare with, not a design.
"""

import argparse
import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from motor.motor_asyncio import AsyncIOMotorClient

EXCHANGE = "bare.events"


def writer(*, mongo_url: str, amqp_url: str) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.orders = AsyncIOMotorClient(mongo_url)["bare"]["orders"]
        async with await aio_pika.connect(amqp_url) as connection:
            channel = await connection.channel()
            app.state.exchange = await channel.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC)
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/orders/{order_id}/status")
    async def advance(order_id: str, request: Request) -> dict[str, object]:
        order = await request.app.state.orders.find_one_and_update(
            {"_id": order_id}, {"$inc": {"version": 1}}, upsert=True, return_document=True
        )
        await request.app.state.exchange.publish(
            aio_pika.Message(json.dumps(order).encode(), delivery_mode=aio_pika.DeliveryMode.PERSISTENT),
            routing_key="order.changed",
        )
        return dict(order)

    return app


def reader(*, amqp_url: str) -> FastAPI:
    queues: set[asyncio.Queue[bytes]] = set()

    async def receive(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        for queue in queues:
            queue.put_nowait(b"data: " + message.body + b"\n\n")
        await message.ack()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with await aio_pika.connect(amqp_url) as connection:
            channel = await connection.channel()
            await channel.set_qos(100)
            exchange = await channel.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC)
            queue = await channel.declare_queue(
                "bare.reader", durable=True, arguments={"x-queue-type": "quorum"}
            )
            await queue.bind(exchange, "#")
            await queue.consume(receive)
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        queues.add(queue)

        async def body() -> AsyncIterator[bytes]:
            yield b": hello\n\n"
            while True:
                yield await queue.get()

        return StreamingResponse(body(), media_type="text/event-stream")

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=["writer", "reader"])
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    mongo, amqp = os.environ["MILLRACE_MONGO_URL"], os.environ["MILLRACE_AMQP_URL"]
    app = writer(mongo_url=mongo, amqp_url=amqp) if arguments.part == "writer" else reader(amqp_url=amqp)
    uvicorn.run(app, port=arguments.port, access_log=False, log_level="error")
