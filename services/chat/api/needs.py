"""What routes ask for besides what every service's do."""

from typing import Annotated

from fastapi import Depends, Header, Request

from services.chat.domain import Rules
from services.chat.use_cases.files import Parts


def _rules(request: Request) -> Rules:
    rules: Rules = request.app.state.rules
    return rules


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


CurrentRules = Annotated[Rules, Depends(_rules)]
CurrentParts = Annotated[Parts, Depends(_parts)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=128)]
