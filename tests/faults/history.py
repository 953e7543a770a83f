"""What clients asked for and what they were told: the history that a checker believes in."""

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import aiohttp

from tests.e2e.openapi import Checker

# A client that got no answer asks again, and so does one that is told to.
_ASK_AGAIN: Final = frozenset({503})
_PAUSE: Final = 0.3


@dataclass(kw_only=True)
class Call:
    """One thing that a client wanted, however often it had to ask."""

    user_id: str
    method: str
    path: str
    body: Any
    key: str | None
    began: float
    tries: list[str] = field(default_factory=list)
    status: int | None = None
    answer: Any = None
    ended: float | None = None

    @property
    def acknowledged(self) -> bool:
        return self.status is not None and self.status < 400

    @property
    def refused(self) -> bool:
        return self.status is not None and self.status >= 400

    @property
    def unknown(self) -> bool:
        """Whether nobody ever told the client what became of it."""
        return self.status is None

    @property
    def may_be_a_repeat(self) -> bool:
        """Whether an earlier try may have been carried out before the one that was answered."""
        return len(self.tries) > 1

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.body} -> {', '.join(self.tries)}: {str(self.answer)[:300]}"


@dataclass(kw_only=True)
class History:
    calls: list[Call] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Answers that no fault excuses."""
    began: float = field(default_factory=time.monotonic)

    def of(self, method: str, ending: str) -> list[Call]:
        """List the calls of a route by how its path ends, such as `/messages`."""
        return [call for call in self.calls if call.method == method and call.path.endswith(ending)]

    def tries(self) -> int:
        return sum(len(call.tries) for call in self.calls)

    def write(self, path: Path) -> None:
        with path.open("w") as file:
            for call in self.calls:
                file.write(json.dumps(asdict(call), default=str, ensure_ascii=False) + "\n")


@dataclass(kw_only=True)
class Client:
    """One user, who reaches any of the gateways, and asks again until somebody answers or patience ends."""

    http: aiohttp.ClientSession
    gateways: list[Callable[[], str]]
    checker: Checker
    history: History
    chance: random.Random
    patience: float
    token: str = ""
    user_id: str = ""
    organisation_id: str = ""
    email: str = ""

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        file: tuple[str, bytes, str] | None = None,
        headers: dict[str, str] | None = None,
        keyed: bool = True,
    ) -> Call:
        """Make a call that is noted in the history; a POST has an idempotency key unless told otherwise."""
        history = self.history
        key = uuid4().hex if keyed and method == "POST" else None
        call = Call(
            user_id=self.user_id,
            method=method,
            path=path,
            body=body if file is None else {"file": file[0]},
            key=key,
            began=time.monotonic() - history.began,
        )
        history.calls.append(call)
        sent = dict(headers or {}) | ({"Idempotency-Key": key} if key else {})
        # Some go away before they have heard, and come back or not.
        hurries = method != "GET" and self.chance.random() < 0.04
        give_up_at = time.monotonic() + self.patience
        while call.status is None and time.monotonic() < give_up_at:
            try:
                async with asyncio.timeout(0.02 if hurries and not call.tries else 25):
                    status, answer = await self._try(method, path, body, file=file, headers=sent)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                call.tries.append(type(error).__name__)
                if self.chance.random() < 0.1:
                    break
            else:
                call.tries.append(str(status))
                call.answer = answer
                if status not in _ASK_AGAIN:
                    call.status = status
                    break
            await asyncio.sleep(_PAUSE)
        call.ended = time.monotonic() - history.began
        return call

    async def get(self, path: str) -> Any:
        """Read something that is there; `None` if patience ends."""
        call = await self.call("GET", path)
        if call.status not in {None, 200}:
            self.history.wrong.append(f"it is there, but: {call}")
        return call.answer if call.status == 200 else None

    async def _try(
        self,
        method: str,
        path: str,
        body: Any,
        *,
        file: tuple[str, bytes, str] | None,
        headers: dict[str, str],
    ) -> tuple[int, Any]:
        if self.token:
            headers = headers | {"Authorization": f"Bearer {self.token}"}
        data = None
        if file is not None:
            data = aiohttp.FormData()
            data.add_field("file", file[1], filename=file[0], content_type=file[2])
        base = self.chance.choice(self.gateways)()
        async with self.http.request(
            method, f"{base}/api/v1{path}", json=body, data=data, headers=headers
        ) as response:
            raw = await response.read()
            kind = response.headers.get("Content-Type", "")
        answer = json.loads(raw) if "json" in kind and raw else raw
        try:
            self.checker.check(method, path.partition("?")[0], response.status, kind, answer)
        except AssertionError as error:
            self.history.wrong.append(str(error)[:600])
        return response.status, answer
