"""Appeals against refusals."""

from typing import Annotated

from fastapi import APIRouter, Body

from services.chat.api.needs import CurrentLock
from services.chat.use_cases import blocking
from shared.api.chat import Appeal, NewAppeal
from shared.http import CurrentCaller, Db, Now

router = APIRouter()


@router.post("/orders/{order_id}/messages/blocked/{ref}/appeal", status_code=201)
async def appeal(
    order_id: str,
    ref: str,
    caller: CurrentCaller,
    db: Db,
    now: Now,
    lock: CurrentLock,
    body: Annotated[NewAppeal | None, Body()] = None,
) -> Appeal:
    made = await blocking.appeal(
        db, order_id=order_id, ref=ref, handed_in=body or NewAppeal(), lock=lock, caller=caller, now=now
    )
    return Appeal.model_construct(ref=ref, state=made.state, note=made.note)
