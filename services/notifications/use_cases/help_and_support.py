"""Asking the operator, and saying what a help page was worth."""

import hashlib
import secrets
from datetime import datetime

from services.notifications.domain import support as domain
from services.notifications.domain.mail import Mail
from services.notifications.domain.support import SupportRequest
from services.notifications.store import mails, orders, support
from shared.api.support import HelpFeedback, NewSupportRequest
from shared.identity import Caller
from shared.ids import new_id
from shared.mongo import Database


async def ask(
    db: Database, *, new: NewSupportRequest, caller: Caller, idempotency_key: str | None, now: datetime
) -> SupportRequest:
    """Take a request and have it mailed to the operator, once for one call.

    Raises:
        OrderNotKnown: the order is another organisation's.
    """
    number = None
    if new.order_id is not None:
        number = await orders.find_number(db, new.order_id, organisation_id=caller.organisation_id)
    told = f"{caller.user_id}\0{idempotency_key or new_id()}\0{new.model_dump_json()}"
    request = None
    while request is None:
        request = await support.insert_request(
            db,
            SupportRequest(
                id=new_id(),
                key=hashlib.sha256(told.encode()).hexdigest(),
                reference=domain.reference(secrets.token_bytes(8)),
                user_id=caller.user_id,
                user_name=caller.name,
                organisation_id=caller.organisation_id,
                organisation_name=caller.organisation_name,
                side=caller.side,
                subject=new.subject,
                message=new.message,
                order_id=new.order_id,
                order_number=number,
                created_at=now,
            ),
        )
    mail = Mail(
        key=request.mail_key,
        purpose="support",
        user_id=caller.user_id,
        about=request.id,
        due_at=now,
    )
    await mails.insert_mail(db, mail)
    return request


async def vote(db: Database, *, feedback: HelpFeedback, caller: Caller, now: datetime) -> None:
    """Keep what a reader thinks of a help page."""
    await support.save_feedback(db, feedback, caller=caller, now=now)
