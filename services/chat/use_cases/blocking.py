"""Texts that hold contact information: refused, told to moderators, and looked at by a person where the author asks for it."""

from datetime import datetime

from services.chat.domain import Appeal, Block, Thread, Where
from services.chat.store import blocks, threads
from shared.api.chat import NewAppeal
from shared.contact_guard import Context
from shared.contact_refusal import ContactInfoBlocked, refuse_contact_info
from shared.errors import ValidationFailed
from shared.events.chat import AppealSubmitted, MessageBlocked
from shared.identity import Caller
from shared.ids import new_id
from shared.locked import Lock
from shared.mongo import Database
from shared.outbox import sealed

APPEALS = "appeals against blocked texts"
"""What the lock of handed-in texts is for."""


async def refuse(  # noqa: PLR0913 - what is written, by whom, where
    db: Database,
    thread: Thread,
    text: str,
    *,
    where: Where,
    context: Context,
    lock: Lock,
    caller: Caller,
    now: datetime,
    submitted: str | None = None,
) -> None:
    """Let a text pass, or refuse it and tell moderators, without a copy of it.

    Args:
        submitted: the text as it came, for the offsets of findings.

    Raises:
        ContactInfoBlocked: it holds contact information, and no appeal has let it pass.
    """
    try:
        refuse_contact_info(
            text, pointer="/file" if where == "filename" else "/text", context=context, submitted=submitted
        )
    except ContactInfoBlocked as refusal:
        mark = lock.mark(thread.order_id, caller.user_id, where, text)
        if await blocks.is_allowed(db, mark):
            return
        block = Block(
            ref=new_id(),
            order_id=thread.order_id,
            buyer_id=thread.buyer_id,
            factory_id=thread.factory_id,
            user_id=caller.user_id,
            where=where,
            kinds=tuple(refusal.kinds),
            rules=tuple(refusal.rules),
            mark=mark,
            appeal=None,
        )
        blocked = MessageBlocked(
            order_id=block.order_id,
            buyer_id=block.buyer_id,
            factory_id=block.factory_id,
            user_id=block.user_id,
            where=where,
            kinds=list(block.kinds),
            rules=list(block.rules),
        )
        await blocks.insert_block(db, block, sealed([blocked], now=now), now=now)
        refusal.members["ref"] = block.ref
        raise


async def appeal(
    db: Database, *, order_id: str, ref: str, handed_in: NewAppeal, lock: Lock, caller: Caller, now: datetime
) -> Appeal:
    """Have a person look at a refusal; asked again, tell how it stands.

    Raises:
        RoleNotSufficient: a viewer only reads.
        ThreadNotKnown, BlockNotFound: the caller has been refused no such text.
        ValidationFailed: the text is another one.
    """
    caller.must_write()
    await threads.get_thread(db, order_id, caller=caller)
    block = await blocks.get_block(db, ref, order_id=order_id, caller=caller)
    if block.appeal:
        return block.appeal
    text = handed_in.text
    if text is not None and lock.mark(order_id, caller.user_id, block.where, text) != block.mark:
        raise ValidationFailed.at("/text", "is not the text that was blocked")
    appealed = AppealSubmitted(
        order_id=block.order_id,
        buyer_id=block.buyer_id,
        factory_id=block.factory_id,
        user_id=block.user_id,
        ref=block.ref,
        where=block.where,
        kinds=list(block.kinds),
        rules=list(block.rules),
    )
    await blocks.keep_appeal(
        db,
        block,
        sealed([appealed], now=now),
        text=lock.lock(text) if text is not None else None,
        explanation=lock.lock(handed_in.explanation) if handed_in.explanation else None,
        now=now,
    )
    return Appeal(state="waiting", note=None)
