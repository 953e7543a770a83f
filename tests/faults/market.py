"""Two buyers and two factories with two people each, who all know how to wait."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import aiohttp

from tests.e2e.openapi import Checker
from tests.faults.history import Client, History
from tests.faults.stage import Stage

PASSWORD = "correct horse battery"


@dataclass(kw_only=True)
class Organisation:
    id: str
    kind: str
    people: list[Client]


@dataclass(kw_only=True)
class Market:
    buyers: list[Organisation]
    factories: list[Organisation]
    stranger: Client
    """Not signed in: for accounts that are made and left."""

    @property
    def organisations(self) -> list[Organisation]:
        return [*self.buyers, *self.factories]

    @property
    def people(self) -> list[Client]:
        return [person for each in self.organisations for person in each.people]


@asynccontextmanager
async def market(stage: Stage, history: History, *, seed: int, patience: float) -> AsyncIterator[Market]:
    timeout = aiohttp.ClientTimeout(total=60)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        timeout=timeout, connector=connector, cookie_jar=aiohttp.DummyCookieJar()
    ) as http:
        async with http.get(f"{stage.gateways[0].url}/api/v1/openapi.json") as response:
            document: dict[str, Any] = await response.json()
        checker = Checker(document)
        numbers = iter(range(1000))

        def client() -> Client:
            return Client(
                http=http,
                gateways=[lambda link=link: link.url for link in stage.gateways],
                checker=checker,
                history=history,
                chance=random.Random(f"client {seed} {next(numbers)}"),  # noqa: S311 - no secret
                patience=patience,
            )

        async def founded(kind: str, name: str) -> Organisation:
            owner = client()
            await join(owner, {"organisation": {"name": name, "kind": kind}})
            invited = await owner.call("POST", f"/organisations/{owner.organisation_id}/invitations", {})
            member = client()
            await join(member, {"invitation": invited.answer["token"]})
            return Organisation(id=owner.organisation_id, kind=kind, people=[owner, member])

        yield Market(
            buyers=[await founded("buyer", name) for name in ("Halden Pumps", "Voltera Mobility")],
            factories=[await founded("factory", name) for name in ("Ningbo Precision", "Pune Forge")],
            stranger=client(),
        )


async def join(client: Client, how: dict[str, Any]) -> bool:
    """Register and sign in; tell whether both were acknowledged."""
    client.email = f"{uuid4().hex[:12]}@people.example"
    person = {"email": client.email, "password": PASSWORD, "display_name": "Kim"}
    registered = await client.call("POST", "/auth/register", person | how, keyed=False)
    if not registered.acknowledged and not registered.may_be_a_repeat:
        return False
    return await sign_in(client)


async def sign_in(client: Client) -> bool:
    credentials = {"email": client.email, "password": PASSWORD}
    signed_in = await client.call("POST", "/auth/login", credentials, keyed=False)
    if not signed_in.acknowledged:
        return False
    client.token = signed_in.answer["access_token"]
    client.organisation_id = signed_in.answer["organisation"]["id"]
    client.user_id = signed_in.answer["user"]["id"]
    return True
