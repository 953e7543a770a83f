"""Questions to the operator, and votes on help pages."""

from typing import Annotated

from fastapi import APIRouter, Header

from services.notifications.use_cases import help_and_support as use_cases
from shared.api.support import HelpFeedback, NewSupportRequest, SupportRequest
from shared.http import CurrentCaller, Db, Now

router = APIRouter()


@router.post("/support/requests", status_code=201)
async def ask_support(
    body: NewSupportRequest,
    caller: CurrentCaller,
    db: Db,
    now: Now,
    idempotency_key: Annotated[str | None, Header(max_length=128)] = None,
) -> SupportRequest:
    request = await use_cases.ask(db, new=body, caller=caller, idempotency_key=idempotency_key, now=now)
    return SupportRequest(reference=request.reference)


@router.post("/help/feedback", status_code=201)
async def give_feedback(body: HelpFeedback, caller: CurrentCaller, db: Db, now: Now) -> HelpFeedback:
    await use_cases.vote(db, feedback=body, caller=caller, now=now)
    return body
