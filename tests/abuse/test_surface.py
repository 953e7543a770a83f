"""What every answer of the gateway carries, what no body gets through, and what hostile texts leave behind."""

import asyncio
import json
from pathlib import Path

import pytest
from starlette.types import Message

from deploy.local import Suite
from docs.generate import app_of
from tests.abuse.test_sessions import PASSWORD, a_quote, an_account
from tests.abuse.wire import connected
from tests.e2e.market import Person
from tests.e2e.test_accounts import stranger

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/openapi.json", 200),
        ("GET", "/api/v1/docs", 200),
        ("GET", "/api/v1/auth/me", 401),
        ("GET", "/api/v1/nowhere", 404),
        ("DELETE", "/api/v1/orders", 405),
        ("POST", "/api/v1/auth/login", 422),
        ("GET", "/health/live", 200),
    ],
)
async def test_every_answer_carries_what_browsers_need(
    buyer: Person, method: str, path: str, status: int
) -> None:
    async with buyer.http.request(method, buyer.base + path) as response:
        headers = {name.lower(): value for name, value in response.headers.items()}

    assert response.status == status
    assert EVERYWHERE.items() <= headers.items()
    assert "no-cache" in headers["cache-control"]
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers
    assert headers["x-request-id"]


async def test_only_an_answer_over_https_asks_for_https_from_now_on() -> None:
    assert b"strict-transport-security" not in await _headers_of("/health/live", scheme="http")
    assert b"strict-transport-security" in await _headers_of("/health/live", scheme="https")


async def _headers_of(path: str, *, scheme: str) -> dict[bytes, bytes]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
    await app_of("gateway")(
        scope | {"scheme": scheme, "headers": [], "http_version": "1.1", "client": None, "server": None},
        receive,
        send,
    )
    return dict(sent[0]["headers"])


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(buyer: Person) -> None:
    credentials = {"email": buyer.email, "password": PASSWORD}
    signed_in = await stranger(buyer).call("POST", "/auth/login", credentials)
    begins = signed_in.headers["set-cookie"].split("; ")
    cookie = {"Cookie": begins[0], "X-Requested-With": "millrace"}
    ends = (await stranger(buyer).call("POST", "/auth/logout", headers=cookie)).headers["set-cookie"]

    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(begins)
    assert not [part for part in begins if part.startswith("Domain")]
    assert 'millrace_session=""' in ends
    assert "Max-Age=0" in ends


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/auth/register"),
        ("POST", "/orders"),
        ("POST", "/orders/x/messages"),
        ("PATCH", "/organisations/attachments"),
        ("PATCH", "/webhooks/attachments"),
        ("PATCH", "/organisations/x/members/attachments"),
        ("PUT", "/orders/x/attachments"),
        ("POST", "/nowhere"),
    ],
)
async def test_a_body_past_its_size_gets_through_nowhere(suite: Suite, method: str, path: str) -> None:
    port = int(suite.endpoints.gateway.rpartition(":")[2])
    async with connected(port) as wire:
        await wire.send(
            f"{method} /api/v1{path} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        sent, chunk = 0, b"10000\r\n" + b" " * 65536 + b"\r\n"
        while sent < 60_000_000 and await wire.send(chunk):
            sent += len(chunk)
        end = await wire.closes()

    # What the kernels of both sides hold is counted too.
    assert sent < 40_000_000
    assert end[:12] in {b"HTTP/1.1 413", b"HTTP/1.1 405", b""}  # the last where the rest was on its way


async def test_the_body_of_a_read_is_kept_nowhere(suite: Suite, buyer: Person) -> None:
    pid = suite.endpoints.pids["gateway"]
    before = _resident_bytes(pid)
    async with connected(int(suite.endpoints.gateway.rpartition(":")[2])) as wire:
        await wire.send(
            f"GET /api/v1/orders HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {buyer.token}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        for _ in range(1600):
            await wire.send(b"10000\r\n" + b" " * 65536 + b"\r\n")
        await wire.send(b"0\r\n\r\n")
        assert (await wire.reply()).status == 200

    assert _resident_bytes(pid) - before < 50_000_000


def _resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


# Each makes some careless pattern for addresses, numbers or texts try every way of splitting it.
BOMBS = [
    "a" * 3990,
    "1" * 3990,
    "1 " * 1990,
    "a@" * 1990,
    "a." * 1990,
    "+49 " * 990,
    "(" * 3990,
    "-" * 3990,
    "http://" * 560,
    "w e c h a t " * 330,
    "zero one two " * 300,
    "\u0301" * 3000,
    "\u200d\u200b" * 1990,
    "９" * 3990,
    "加微信" * 1300,
    "x" + " \n" * 1990 + "x",
    "=" * 1990 + "?" * 1990,
]


async def test_no_text_keeps_a_service_busy(buyer: Person, factory: Person) -> None:
    order = (await buyer.call("POST", "/orders", a_quote(factory))).ok(201)

    async def send(text: str) -> int:
        return (await buyer.call("POST", f"/orders/{order['id']}/messages", {"text": text})).status

    async with asyncio.timeout(20):  # a bomb takes hours
        statuses = await asyncio.gather(*(send(text) for text in BOMBS))

    assert set(statuses) <= {201, 422}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/orders?q={}"),
        ("GET", "/orders?cursor={}"),
        ("GET", "/organisations/{}/profile"),
        ("GET", "/notifications?cursor={}"),
        ("GET", "/events?cursor={}"),
    ],
)
async def test_no_question_keeps_a_service_busy(buyer: Person, method: str, path: str) -> None:
    async with asyncio.timeout(20):
        for bomb in (
            "a" * 900,
            "%2e" * 300,
            "1" * 900,
            "A=" * 400,
            "%28" * 300,
            "%00",
            "%ff%fe",
            "..%2f" * 99,
        ):
            async with buyer.http.request(
                method,
                f"{buyer.base}/api/v1{path.format(bomb)}",
                headers={"Authorization": f"Bearer {buyer.token}"},
            ) as response:
                assert response.status in {200, 404, 422}, (path, bomb, await response.text())


async def test_hostile_texts_write_no_lines_of_their_own_into_the_logs(suite: Suite, buyer: Person) -> None:
    forged = 'x","level":"critical"}\n{"event":"forged'
    secrets = ["forged", "hunter2hunter2", "mallory@evil.example", "<script>"]
    nobody = stranger(buyer)
    await nobody.call("POST", "/auth/register", an_account(display_name=forged))
    await nobody.call("POST", "/auth/login", {"email": "mallory@evil.example", "password": "hunter2hunter2"})
    await buyer.call("GET", "/orders", headers={"X-Request-ID": '"}{"event":"forged"}'})
    await buyer.call("GET", "/orders", headers={"traceparent": "forged\t<script>", "User-Agent": "<script>"})
    await buyer.call("POST", "/support/requests", {"subject": "<script>", "message": forged})
    async with buyer.http.get(f"{buyer.base}/api/v1/%0A%7B%22event%22%3A%22forged%22%7D") as response:
        assert response.status == 404

    for name in ("gateway", "orders", "chat", "reviews", "notifications"):
        *lines, _ = (
            (suite.home / "logs" / f"{name}.log").read_text().split("\n")
        )  # the last may be half written
        for line in lines:
            entry = json.loads(line)
            assert entry["service"] == name
            assert not [secret for secret in secrets if secret in line], line
