"""The services believe the gateway's signature and nothing else."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from shared import identity
from shared.errors import RoleNotSufficient, Unauthenticated, WrongSide
from tests.orders.builders import a_caller

SECRET = "a secret that is long enough for its purpose"


def test_a_signed_caller_is_read_back() -> None:
    caller = a_caller("factory", "owner")

    token = identity.sign(caller, secret=SECRET, now=datetime.now(UTC))

    assert identity.read(token, secret=SECRET) == caller


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])  # pragma: allowlist secret
def test_what_is_no_signature_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        identity.read(token, secret=SECRET)


def test_another_secret_an_old_signature_and_none_are_refused() -> None:
    now = datetime.now(UTC)
    claims = {"caller": a_caller().model_dump(), "exp": int((now + timedelta(minutes=1)).timestamp())}
    tokens = [
        identity.sign(a_caller(), secret=SECRET[::-1], now=now),
        identity.sign(a_caller(), secret=SECRET, now=now - identity.LIFETIME - timedelta(seconds=1)),
        jwt.encode(claims, None, algorithm="none"),
        jwt.encode({"caller": claims["caller"]}, SECRET, algorithm="HS256"),
    ]

    for token in tokens:
        with pytest.raises(Unauthenticated):
            identity.read(token, secret=SECRET)


def test_sides_and_roles_are_told_apart() -> None:
    a_caller("buyer", "owner").must_be("buyer")
    a_caller("buyer", "member").must_write()
    with pytest.raises(WrongSide):
        a_caller("buyer").must_be("factory")
    with pytest.raises(RoleNotSufficient):
        a_caller("buyer", "viewer").must_write()
