"""The order journey in containers, through the gateway alone: `deploy/compose-check.sh` runs this.

Beside the journey it checks what docker-compose.yml promises of every container, kills a service and
replaces all containers half-way, restores a backup into empty volumes, and leaves nothing behind.
"""

import asyncio
import hashlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from PIL import Image

from tests.e2e.market import Person, Stream, person
from tests.e2e.openapi import Checker
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
APPLICATIONS = ("gateway", "orders", "chat", "reviews", "notifications")


def say(line: str) -> None:
    print(f"compose-check: {line}", flush=True)  # noqa: T201 - it is a command line


@dataclass(frozen=True, kw_only=True)
class Compose:
    """One project of docker-compose.yml, apart from any other on this machine."""

    command: tuple[str, ...]
    env: dict[str, str]
    port: int

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *words: str, check: bool = True) -> str:
        return _output([*self.command, *words], env=self.env, check=check)

    def make(self, target: str, **variables: object) -> None:
        given = {"WAY": "compose", "COMPOSE": " ".join(self.command)} | variables
        _output(["make", target, *(f"{name}={value}" for name, value in given.items())], env=self.env)

    def containers(self) -> dict[str, dict[str, Any]]:
        """Give what the engine knows of each container, by the name of its service."""
        ids = self.run("ps", "--all", "--quiet").split()
        described = json.loads(_output(["docker", "inspect", *ids], env=self.env))
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in described}


def _output(command: list[str], *, env: dict[str, str], check: bool = True) -> str:
    done = subprocess.run(command, cwd=ROOT, env=env, check=False, text=True, capture_output=True)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


@contextmanager
def project() -> Iterator[Compose]:
    """Prepare a project with secrets and a port of its own; whatever it made is removed in the end."""
    name = f"millrace-check-{os.getpid()}"
    # The engine's address and the like; of our own only the images' names.
    given = {
        variable: value
        for variable, value in os.environ.items()
        if not variable.startswith("MILLRACE_") or variable.endswith("_IMAGE")
    }
    with (
        tempfile.TemporaryDirectory(prefix=f"{name}-") as folder,
        socket.create_server(("127.0.0.1", 0)) as s,
    ):
        port = s.getsockname()[1]
        env = given | {"MILLRACE_PORT": str(port), "MILLRACE_BIND": "127.0.0.1", "MILLRACE_IMAGE": name}
        secrets = Path(folder) / "env"
        _output(["deploy/new-env.sh", str(secrets)], env=env)
        compose = Compose(
            command=(*_compose(env), "--project-name", name, "--env-file", str(secrets)), env=env, port=port
        )
        s.close()
        try:
            yield compose
        except BaseException:
            say("failed; the last lines of each container:")
            say(compose.run("logs", "--no-color", "--tail", "15", check=False))
            raise
        finally:
            say("taking it down")
            compose.run("--profile", "mail", "down", "--volumes", "--timeout", "30", check=False)
            _output(["docker", "image", "rm", name], env=env, check=False)
            left = _output(
                ["docker", "volume", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={name}"],
                env=env,
            )
            assert not left, f"volumes are left: {left}"


def _compose(env: dict[str, str]) -> tuple[str, ...]:
    has_plugin = subprocess.run(
        ("docker", "compose", "version"),  # noqa: S607 - found as any user finds it
        env=env,
        check=False,
        capture_output=True,
    )
    return ("docker", "compose") if has_plugin.returncode == 0 else ("docker-compose",)


def start(compose: Compose) -> None:
    """Start all containers in their order, and wait for the gateway, which is the last."""
    compose.run("up", "--detach")
    wait_for(compose, "gateway")


def wait_for(compose: Compose, service: str) -> None:
    give_up_at = time.monotonic() + 60
    while compose.containers()[service]["State"]["Health"]["Status"] != "healthy":
        assert time.monotonic() < give_up_at, f"{service} is not ready"
        time.sleep(0.5)


def check_that_secrets_are_asked_for(compose: Compose) -> None:
    bare = {name: value for name, value in compose.env.items() if not name.startswith("MILLRACE_")}
    with tempfile.NamedTemporaryFile() as empty:
        asked = subprocess.run(
            (*_compose(bare), "--env-file", empty.name, "config"),
            cwd=ROOT,
            env=bare,
            check=False,
            text=True,
            capture_output=True,
        )
    assert asked.returncode, "docker-compose.yml can be started without secrets"
    assert "deploy/new-env.sh" in asked.stderr, asked.stderr


def check_containers(compose: Compose) -> None:
    """Check that only the gateway is published, and that nobody in there can do more than they have to."""
    containers = compose.containers()
    assert set(APPLICATIONS) < set(containers), sorted(containers)
    networks = set()
    for service, container in containers.items():
        host = container["HostConfig"]
        published = [port for port in (host["PortBindings"] or {}).values() if port]
        assert bool(published) == (service == "gateway"), f"{service} publishes {published}"
        assert host["ReadonlyRootfs"], f"{service} can write to its image"
        assert host["CapDrop"] == ["ALL"], f"{service} keeps capabilities"
        assert not host["CapAdd"], f"{service} gets capabilities"
        assert not host["Privileged"], f"{service} is privileged"
        assert "no-new-privileges:true" in host["SecurityOpt"], f"{service} may gain rights"
        assert host["LogConfig"]["Config"].get("max-size"), f"the log of {service} grows without end"
        networks |= set(container["NetworkSettings"]["Networks"])
        if not container["State"]["Running"]:
            assert container["State"]["ExitCode"] == 0, (
                f"{service} ended with {container['State']['ExitCode']}"
            )
            continue
        assert container["State"]["Health"]["Status"] == "healthy", f"{service} is not healthy"
        processes = _output(["docker", "top", container["Id"], "-o", "pid,uid"], env=compose.env)
        users = {line.split()[1] for line in processes.splitlines()[1:]}
        assert "0" not in users, f"{service} runs as root"
    assert len(networks) == 1, f"more than one network: {networks}"


def check_that_applications_ended_by_themselves(compose: Compose) -> None:
    for service, container in compose.containers().items():
        if service in APPLICATIONS:
            status = container["State"]["ExitCode"]
            assert status in (0, 128 + signal.SIGTERM), f"{service} ended with {status} when asked to stop"


@asynccontextmanager
async def buyer_and_factory(gateway: str) -> AsyncIterator[tuple[Person, Person]]:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{gateway}/api/v1/openapi.json") as response,
        AsyncExitStack() as stack,
    ):
        checker = Checker(await response.json())
        people = [
            await stack.enter_async_context(
                person(gateway, checker, kind=kind, organisation=organisation, name=name)
            )
            for kind, organisation, name in (
                ("buyer", "Halden Pumps", "Ann Okafor"),
                ("factory", "Ningbo Precision", "Lin Wei"),
            )
        ]
        yield people[0], people[1]


async def drive(compose: Compose) -> None:
    async with buyer_and_factory(compose.gateway) as (buyer, factory):
        async with buyer.listening() as stream:
            order_id = await begin(buyer, factory)
            photo = await talk(buyer, factory, order_id)
            say("an order has begun, a photo was sent; killing orders")
            await asyncio.to_thread(kill, compose, "orders")
            await finish(buyer, factory, order_id)
            await check_stream(stream, order_id)
        say("the order is completed and reviewed; replacing all containers")
        await asyncio.to_thread(replace_all, compose)
        await look_again(buyer, factory, order_id, photo)
        say("all of it is there; saving it, and restoring it into empty volumes")
        await asyncio.to_thread(save_and_restore, compose)
        await look_again(buyer, factory, order_id, photo)


async def begin(buyer: Person, factory: Person) -> str:
    quote = {
        "quote_id": f"Q-{uuid4().hex[:10]}",
        "factory_id": factory.organisation_id,
        "product": {"name": "Aluminium bracket"},
        "quantity": 500,
        "unit_price": {"amount": "3.20", "currency": "USD"},
        "deadline": (datetime.now(UTC) + timedelta(days=30)).date().isoformat(),
    }
    order_id: str = (await buyer.call("POST", "/orders", quote)).ok(201)["id"]
    (await factory.advance(order_id, "in_production")).ok()
    return order_id


async def talk(buyer: Person, factory: Person, order_id: str) -> dict[str, Any]:
    """Send a photo that is larger than a request is kept in memory."""
    buffer = io.BytesIO()
    Image.effect_noise((2400, 1800), 90).convert("RGB").save(buffer, "JPEG", quality=95)
    photo: dict[str, Any] = (
        await factory.upload(order_id, "first article.jpg", buffer.getvalue(), "image/jpeg")
    ).ok(201)
    await factory.say(order_id, "The first article.", attachment_ids=[photo["id"]])
    await buyer.say(order_id, "Looks good.")
    blocked = await factory.call("POST", f"/orders/{order_id}/messages", {"text": "mail lin@example.com"})
    blocked.problem(422, "contact-info-blocked")
    await check_photo(buyer, photo)
    return photo


async def check_photo(reader: Person, photo: dict[str, Any]) -> None:
    content = (await reader.call("GET", f"/attachments/{photo['id']}")).ok()
    assert hashlib.sha256(content).hexdigest() == photo["sha256"]


def kill(compose: Compose, service: str) -> None:
    """End a service as a crash does; the engine has to start it again by itself."""
    everybody_but_init = "import os, signal; os.kill(-1, signal.SIGKILL)"
    compose.run("exec", "-T", service, "python", "-c", everybody_but_init, check=False)

    def count() -> int:
        restarts: int = compose.containers()[service]["RestartCount"]
        return restarts

    give_up_at = time.monotonic() + 30
    while not count():
        assert time.monotonic() < give_up_at, f"{service} was not started again"
        time.sleep(0.2)


def replace_all(compose: Compose) -> None:
    compose.run("stop", "--timeout", "30")
    check_that_applications_ended_by_themselves(compose)
    compose.run("down")
    start(compose)


def save_and_restore(compose: Compose) -> None:
    """Do what docs/operations.md tells operators to do."""
    with tempfile.TemporaryDirectory(prefix="millrace-backup-") as folder:
        backup = Path(folder) / "backup.tar"
        compose.make("backup", FILE=backup)
        compose.run("down", "--volumes")
        compose.run("up", "--detach", "mongo", "s3")
        wait_for(compose, "mongo")
        wait_for(compose, "s3")
        compose.make("restore", FILE=backup)
    start(compose)


async def finish(buyer: Person, factory: Person, order_id: str) -> None:
    async def advanced() -> bool:
        return (await factory.advance(order_id, "quality_check")).status == 200

    await eventually(advanced, within=60, every=0.5)
    (await factory.advance(order_id, "shipped", tracking={"carrier": "dhl", "number": "1234567891"})).ok()
    (await buyer.call("POST", f"/orders/{order_id}/receipt")).ok()
    (await buyer.call("POST", f"/orders/{order_id}/reviews", {"rating": 5, "text": "On time"})).ok(201)
    (await factory.call("POST", f"/orders/{order_id}/reviews", {"rating": 4})).ok(201)
    assert (await buyer.get(f"/orders/{order_id}"))["status"] == "completed"


async def check_stream(stream: Stream, order_id: str) -> None:
    """Check that the buyer was told every step in order; an event may come twice after a crash."""
    steps = ["in_production", "quality_check", "shipped", "delivered", "completed"]

    def told() -> bool:
        changes = {event["id"]: event for event in stream.of("order.status_changed.v1")}.values()
        assert [event["data"]["status"] for event in changes if event["subject"] == order_id] == steps
        return True

    await eventually(told, within=30)


async def look_again(buyer: Person, factory: Person, order_id: str, photo: dict[str, Any]) -> None:
    """Check that everything outlived its containers, the sessions included."""
    assert (await buyer.get(f"/orders/{order_id}"))["status"] == "completed"
    thread = await buyer.get(f"/orders/{order_id}/messages?limit=100")
    said = [message["text"] for message in thread["items"] if message["sender"]["side"] != "system"]
    assert said == ["The first article.", "Looks good."]
    await check_photo(buyer, photo)

    async def rated() -> bool:
        for owner, rating in ((factory, 5), (buyer, 4)):
            profile = await buyer.get(f"/organisations/{owner.organisation_id}/profile")
            assert profile["rating"]["average"] == rating
            assert len(profile["completed_orders"]["items"]) == 1
        return True

    await eventually(rated, within=10)


def main() -> None:
    begun = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("compose-check: stopped"))
    with project() as compose:
        check_that_secrets_are_asked_for(compose)
        say("building the image (minutes the first time)")
        compose.run("build")
        say("starting")
        start(compose)
        say(f"up after {time.monotonic() - begun:.0f} s")
        check_containers(compose)
        asyncio.run(drive(compose))
    say(f"all well, in {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
