"""The least that could answer from the same database: bare FastAPI and Motor routes.

They ask nobody who he is, tell nobody what changed, and know one collection: a limit to compare with, not
a design. Pages are read from the suite's own orders by the suite's own index; steps are taken on copies.
"""

import argparse
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import BaseModel

from services.orders.store import search

SHOWN = dict.fromkeys(
    "number version product buyer_id buyer_name factory_id factory_name quantity unit deadline status tracking updated_at".split(),
    1,
) | {"unit_price.currency": 1, "total.currency": 1}


class Step(BaseModel):
    to: str


def create(*, mongo_url: str) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        client: Any = AsyncIOMotorClient(mongo_url, tz_aware=True)
        app.state.orders, app.state.copies = client["orders"]["orders"], client["bench"]["copies"]
        yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/orders")
    async def page(
        request: Request, factory_id: str, limit: int = 20, q: str | None = None
    ) -> list[dict[str, Any]]:
        criteria: dict[str, Any] = {"factory_id": factory_id, "active": True}
        if q:
            criteria |= search.query(q, under="search_factory")
        cursor = (
            request.app.state.orders.find(criteria, SHOWN).sort([("deadline", 1), ("_id", 1)]).limit(limit)
        )
        found: list[dict[str, Any]] = await cursor.to_list(limit)
        return found

    @app.post("/orders/{order_id}/status")
    async def advance(order_id: str, step: Step, request: Request) -> dict[str, Any]:
        order: dict[str, Any] = await request.app.state.copies.find_one_and_update(
            {"_id": order_id},
            {"$set": {"status": step.to}, "$inc": {"version": 1}},
            SHOWN,
            return_document=True,
        )
        return order

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    uvicorn.run(
        create(mongo_url=os.environ["MILLRACE_MONGO_URL"]),
        port=arguments.port,
        access_log=False,
        log_level="error",
    )
