"""Every error is a problem document, and every answer tells its request."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from pymongo.errors import AutoReconnect, ServerSelectionTimeoutError, WriteConcernError

from shared import errors, http
from tests.orders.builders import a_caller
from tests.service_client import Service, serving
from tests.waiting import eventually

LOST = (
    ServerSelectionTimeoutError("db.internal:27017: connection refused"),
    AutoReconnect("db.internal:27017: connection closed"),
    WriteConcernError("db.internal:27017: interrupted at shutdown", 11600),
)


class OrderAsleep(errors.Conflict):
    title = "The order sleeps"


class Body(BaseModel):
    quantity: int


REFUSALS: dict[type[errors.Refusal], int] = {
    errors.Invalid: 422,
    errors.Unauthenticated: 401,
    errors.WrongSide: 403,
    errors.NotFound: 404,
    OrderAsleep: 409,
    errors.TooLarge: 413,
    errors.Unsupported: 415,
    errors.Unavailable: 503,
}


@pytest.fixture
async def app() -> AsyncIterator[Service]:
    app = FastAPI()
    app.state.service_secret = "never used here"
    is_up = {"database": True}

    async def database() -> None:
        if not is_up["database"]:
            raise ConnectionError

    http.install(app, ready={"database": database})
    app.state.is_up = is_up

    @app.get("/refuse/{name}")
    async def refuse(name: str) -> None:
        raise next(kind for kind in REFUSALS if kind.__name__ == name)("so it is", order_id="o-1")

    @app.get("/late")
    async def late() -> None:
        raise errors.TooMany("slow down", retry_after=7)

    @app.get("/stale")
    async def stale() -> None:
        raise errors.StaleVersion(current_version=4)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("with a password in it")

    @app.get("/lost/{number}")
    async def lost(number: int) -> None:
        raise LOST[number]

    @app.post("/body")
    async def body(body: Body) -> Body:
        return body

    async with serving(app) as service:
        yield service


async def test_each_kind_of_refusal_has_its_status_and_the_one_shape(app: Service) -> None:
    for kind, status in REFUSALS.items():
        answer = await app.call("GET", f"/refuse/{kind.__name__}", caller=a_caller())

        assert answer.status == status
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json == {
            "type": f"/problems/{kind.slug()}",
            "title": kind.title,
            "status": status,
            "detail": "so it is",
            "instance": answer.headers["X-Request-ID"],
            "order_id": "o-1",
        }
    assert OrderAsleep.slug() == "order-asleep"


async def test_a_limit_tells_when_to_come_back_and_a_stale_version_the_current_one(app: Service) -> None:
    late = await app.call("GET", "/late", caller=a_caller())
    stale = await app.call("GET", "/stale", caller=a_caller())

    assert (late.status, late.headers["Retry-After"]) == (429, "7")
    assert (stale.status, stale.json["current_version"]) == (412, 4)


async def test_a_failure_of_ours_tells_nothing_of_itself(app: Service) -> None:
    answer = await app.call("GET", "/broken", caller=a_caller())

    assert answer.status == 500
    assert answer.json["type"] == "/problems/internal-error"
    assert answer.json["instance"] == answer.headers["X-Request-ID"]
    assert "password" not in str(answer.json)


@pytest.mark.parametrize("number", range(len(LOST)))
async def test_while_the_database_is_away_a_caller_is_told_to_come_back(app: Service, number: int) -> None:
    answer = await app.call("GET", f"/lost/{number}", caller=a_caller())

    assert (answer.status, answer.json["type"]) == (503, "/problems/database-unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert "internal" not in str(answer.json)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"quantity": "x"}', "/quantity"),
        (b"{}", "/quantity"),
        (b"[]", ""),
        (b"{", ""),
        (b"", ""),
    ],
)
async def test_a_body_that_cannot_be_read_is_pointed_at(app: Service, body: bytes, pointer: str) -> None:
    headers = {"Content-Type": "application/json"}
    async with app.session.post(f"{app.url}/body", data=body, headers=headers) as response:
        problem = await response.json(content_type="application/problem+json")

    assert response.status == 422
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


@pytest.mark.parametrize("body", [b"\xff\xfe", b'{"quantity": ' + b"1" * 5000 + b"}", b"[" * 100_000])
async def test_a_body_that_breaks_the_parser_is_the_callers_fault(app: Service, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with app.session.post(f"{app.url}/body", data=body, headers=headers) as response:
        problem = await response.json(content_type="application/problem+json")

    assert response.status == 422
    assert problem["type"] == "/problems/validation-failed"


async def test_unknown_paths_and_methods_are_problems_too(app: Service) -> None:
    missing = await app.call("GET", "/nothing", caller=a_caller())
    wrong = await app.call("DELETE", "/late", caller=a_caller())

    assert (missing.status, missing.json["type"]) == (404, "/problems/not-found")
    assert (wrong.status, wrong.json["type"]) == (405, "/problems/method-not-allowed")
    assert "GET" in wrong.headers["Allow"]


@pytest.mark.parametrize("given", ["abc-1.2_Z", "x" * 128])
async def test_a_request_keeps_the_id_that_it_comes_with(app: Service, given: str) -> None:
    answer = await app.call("GET", "/late", caller=a_caller(), headers={"X-Request-ID": given})

    assert answer.headers["X-Request-ID"] == answer.json["instance"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "<script>", "é"])
async def test_an_id_that_is_none_is_replaced(app: Service, given: str) -> None:
    first = await app.call("GET", "/late", caller=a_caller(), headers={"X-Request-ID": given})
    second = await app.call("GET", "/late", caller=a_caller(), headers={"X-Request-ID": given})

    ids = {answer.headers["X-Request-ID"] for answer in (first, second)}
    assert len(ids) == 2
    assert given not in ids


async def test_readiness_follows_the_parts_and_life_does_not(app: Service) -> None:
    assert (await app.call("GET", "/health/ready", caller=a_caller())).status == 200

    app.app.state.is_up["database"] = False

    ready = await app.call("GET", "/health/ready", caller=a_caller())
    assert ready.status == 503
    assert ready.json["parts"] == {"database": "ConnectionError"}
    assert (await app.call("GET", "/health/live", caller=a_caller())).status == 200


async def test_metrics_are_there(app: Service) -> None:
    await app.call("GET", "/late", caller=a_caller())

    async with app.session.get(f"{app.url}/metrics") as response:
        text = await response.text()

    assert 'http_request_seconds_count{method="GET",route="/late",status="429"}' in text


async def test_a_call_that_the_server_can_wait_for_no_longer_is_told_to_come_again() -> None:
    app = FastAPI()
    http.install(app, ready={})

    @app.get("/slow")
    async def slow() -> None:
        await asyncio.Event().wait()

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1))
    running = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as session:
        call = asyncio.create_task(session.get(f"http://127.0.0.1:{port}/slow"))
        await eventually(lambda: server.server_state.tasks)

        server.should_exit = True
        async with await call as answer:
            assert (answer.status, answer.content_type) == (503, http.PROBLEM)
            assert (await answer.json())["type"] == "/problems/server-stopping"
    await running
