"""Tokens of an identity provider that the marketplace has already (OpenID Connect)."""

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, get_args

import aiohttp
import jwt
import structlog

from shared.errors import Unauthenticated
from shared.identity import Role, Side

log = structlog.get_logger(__name__)

# Asymmetric only: with HMAC the public key would be the secret.
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
# A key that is not known may be new, but a flood of forged ones must not become a flood of requests.
_ASK_AGAIN_AFTER: Final = 30.0
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


class TokenNotAccepted(Unauthenticated):
    """The identity provider's token is forged, too old, for somebody else, or says too little."""

    title = "Token not accepted"


@dataclass(frozen=True, kw_only=True)
class Claims:
    """Who a token says its bearer is."""

    user_id: str
    name: str
    email: str | None
    role: Role
    organisation_id: str
    organisation_name: str
    side: Side
    expires_at: datetime


@dataclass(kw_only=True)
class Provider:
    """Checks tokens against the keys that the issuer publishes.

    Args:
        issuer: as in the token's `iss`; `/.well-known/openid-configuration` is below it.
        audience: what the token's `aud` has to name.
        claim_names: where the organisation's id, name and kind, and the user's role are found.
    """

    http: aiohttp.ClientSession
    issuer: str
    audience: str
    claim_names: dict[str, str]
    _keys: dict[str, Any] = field(default_factory=dict)
    _asked_at: float = float("-inf")

    async def read(self, token: str) -> Claims:
        """Check a token and read it.

        Raises:
            TokenNotAccepted: it is not good.
        """
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid", ""))
            claims = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=self.audience,
                issuer=self.issuer,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, aiohttp.ClientError, TimeoutError, KeyError, ValueError) as error:
            log.info("token of the identity provider refused", cause=type(error).__name__)
            raise TokenNotAccepted("the token is not a good one of the identity provider") from error
        return self._claims(claims)

    async def _key(self, key_id: str) -> Any:
        if key_id not in self._keys and time.monotonic() - self._asked_at > _ASK_AGAIN_AFTER:
            self._asked_at = time.monotonic()
            place = await self._get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            found = jwt.PyJWKSet.from_dict(await self._get(place["jwks_uri"]))
            self._keys = {key.key_id or "": key.key for key in found.keys}
        return self._keys[key_id]

    async def _get(self, url: str) -> Any:
        async with self.http.get(
            url, timeout=aiohttp.ClientTimeout(total=5), raise_for_status=True
        ) as response:
            return await response.json(content_type=None)

    def _claims(self, claims: dict[str, Any]) -> Claims:
        organisation_id = str(claims.get(self.claim_names["id"], ""))
        side, role = claims.get(self.claim_names["kind"]), claims.get(self.claim_names["role"], "member")
        for value in (organisation_id, claims["sub"]):
            if not _IDENTIFIER.fullmatch(value):
                raise TokenNotAccepted(
                    "the token names its user or organisation in a form that is not accepted"
                )
        if side is None or side not in get_args(Side) or role not in get_args(Role):
            raise TokenNotAccepted("the token does not say on which side, or in which role, its bearer is")
        return Claims(
            user_id=claims["sub"],
            name=str(claims.get("name") or claims.get("preferred_username") or claims["sub"])[:100],
            email=claims["email"] if claims.get("email_verified") else None,
            role=role,
            organisation_id=organisation_id,
            organisation_name=str(claims.get(self.claim_names["name"]) or organisation_id)[:100],
            side=side,
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
