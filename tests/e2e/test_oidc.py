"""A marketplace keeps its own login: its identity provider's tokens are accepted."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import aiohttp
import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.local import Suite
from deploy.parts import Parts
from tests.e2e.market import Person
from tests.e2e.openapi import Checker
from tests.suites import settings_of

pytestmark = pytest.mark.e2e


class IdentityProvider:
    """Stands in for what is outside the suite: publishes one key, signs what it is asked to."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.issuer = ""

    def token(self, key: Any = None, **claims: Any) -> str:
        said = {
            "iss": self.issuer,
            "aud": "millrace",
            "sub": f"user-{uuid4().hex[:8]}",
            "exp": int(time.time()) + 300,
            "name": "Olga Ivanova",
            "organisation_id": f"org-{uuid4().hex[:8]}",
            "organisation_name": "Own Login Ltd",
            "organisation_kind": "buyer",
        } | claims
        return jwt.encode(said, key or self.key, algorithm="ES256", headers={"kid": "k1"})

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._configuration)
        app.router.add_get("/keys", self._keys)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.issuer = f"http://{host}:{port}"
        try:
            yield
        finally:
            await runner.cleanup()

    async def _configuration(self, _: web.Request) -> web.Response:
        return web.json_response({"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"})

    async def _keys(self, _: web.Request) -> web.Response:
        public = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return web.json_response({"keys": [public | {"kid": "k1", "use": "sig"}]})


async def test_tokens_of_the_identity_provider_sign_in(parts: Parts, amqp_url: str) -> None:
    provider = IdentityProvider()
    async with provider.serving(), aiohttp.ClientSession() as http:
        with TemporaryDirectory(prefix="millrace-oidc-") as home:
            env = settings_of(parts, name="oidc", amqp_url=amqp_url) | {
                "MILLRACE_OIDC_ISSUER": provider.issuer
            }
            async with Suite(home=Path(home), port=0, env=env) as suite:
                base = suite.endpoints.gateway
                async with http.get(f"{base}/api/v1/openapi.json") as response:
                    checker = Checker(await response.json())

                def bearer(token: str) -> Person:
                    return Person(http=http, base=base, checker=checker, token=token)

                claims = {"sub": "olga", "organisation_id": "own-login"}
                olga = bearer(provider.token(**claims, role="owner"))
                me = await olga.get("/auth/me")
                assert me["user"] == {
                    "id": "olga",
                    "email": "",
                    "display_name": "Olga Ivanova",
                    "role": "owner",
                }
                assert me["organisation"]["id"] == "own-login"
                assert (await olga.get("/dashboard"))["stats"]["active"] == 0

                renamed = bearer(provider.token(**claims, role="viewer", name="Olga Petrova"))
                assert (await renamed.get("/auth/me"))["user"]["display_name"] == "Olga Petrova"

                (await olga.call("POST", "/auth/logout")).ok(204)
                (await olga.call("GET", "/auth/me")).problem(401, "unauthenticated")

                forged = ec.generate_private_key(ec.SECP256R1())
                for token in (
                    provider.token(key=forged),
                    provider.token(exp=int(time.time()) - 10),
                    provider.token(aud="another-shop"),
                    provider.token(iss="http://elsewhere.example"),
                    provider.token(organisation_kind="bank"),
                    provider.token(organisation_id="../etc"),
                    provider.token(organisation_id="own-login", organisation_kind="factory"),
                    "not.a.token",
                ):
                    (await bearer(token).call("GET", "/auth/me")).problem(401, "token-not-accepted")
