"""What routes ask for besides what every service's do."""

from typing import Annotated

from fastapi import Depends, Header, Request

from services.chat.domain import Rules
from services.chat.use_cases.files import Parts
from services.chat.use_cases.signals import Signals
from shared.locked import Lock


async def _rules(request: Request) -> Rules:
    rules: Rules = request.app.state.rules
    return rules


async def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


async def _signals(request: Request) -> Signals:
    signals: Signals = request.app.state.signals
    return signals


async def _lock(request: Request) -> Lock:
    lock: Lock = request.app.state.lock
    return lock


CurrentLock = Annotated[Lock, Depends(_lock)]
CurrentRules = Annotated[Rules, Depends(_rules)]
CurrentParts = Annotated[Parts, Depends(_parts)]
CurrentSignals = Annotated[Signals, Depends(_signals)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=128)]
