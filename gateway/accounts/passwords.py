"""Argon2id, off the event loop, and the same time for a wrong address as for a wrong password."""

import asyncio
import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error

# OWASP's least for Argon2id; a login must not cost a small machine a tenth of a second.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Hashing is pure CPU and 19 MiB each: more at once would only queue for the cores.
_AT_ONCE: Final = asyncio.Semaphore(4)
_NOBODYS: Final = _HASHER.hash(secrets.token_hex())


async def make_hash(password: str) -> str:
    async with _AT_ONCE:
        return await asyncio.to_thread(_HASHER.hash, password)


async def fits(password: str, stored: str | None) -> bool:
    """Compare; without a stored hash it takes as long and is false.

    Nobody's password fits an empty one either: people of an identity provider have none.
    """
    async with _AT_ONCE:
        try:
            right = await asyncio.to_thread(_HASHER.verify, stored or _NOBODYS, password)
        except Argon2Error:
            return False
    return right and bool(stored)
