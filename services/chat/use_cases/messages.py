"""One function for each thing that a user or an event can cause in a thread."""

import asyncio
from datetime import datetime

from services.chat import domain, views
from services.chat.domain import File, Message, Rules, Tail
from services.chat.store import attachments, messages, reads, threads
from services.chat.use_cases import blocking
from shared.api.chat import NewMessage, ThreadFacts
from shared.api.orders import HistoryEntry
from shared.contact_guard import Context
from shared.events.accounts import OrganisationChanged
from shared.events.chat import MessageRead, MessageSent
from shared.identity import Caller
from shared.ids import new_id
from shared.locked import Lock
from shared.mongo import Database, Session
from shared.outbox import Sealed, sealed

# The policy reads a message together with up to four that its sender wrote before it.
_READ_TOGETHER = 4


async def bring_up_to_date(db: Database, facts: ThreadFacts, *, now: datetime) -> None:
    """Begin the thread of an order, or add the lines about its steps that the thread does not show yet.

    Old news changes nothing, and the order in which news comes does not matter: each brings the whole
    history, and the thread names a version only when every line up to it stands.
    """
    before, shown = await threads.find_shown(db, facts.order_id)
    if before >= facts.version:
        return
    for entry in facts.history:
        if entry.status in shown:
            continue

        def compose(tail: Tail, _: tuple[File, ...], entry: HistoryEntry = entry) -> tuple[Message, Sealed]:
            return _with_event(domain.tell(facts, entry, message_id=new_id(), tail=tail), now=now)

        try:
            await messages.append(db, facts.order_id, compose)
        except (
            messages.AlreadyThere
        ):  # whoever told it died before noting so, or another instance heard of it as well
            continue
    await threads.keep_thread(db, facts)
    # After the thread is there: whoever closes one at this moment either finds the thread, or is found.
    if not before:
        for closed in await threads.find_closed(db, [facts.buyer_id, facts.factory_id]):
            await _close_or_open(db, closed, order_id=facts.order_id)


async def keep_organisation(db: Database, record: OrganisationChanged) -> None:
    """Close the threads of an organisation that is closed, and open them with it again."""
    await threads.keep_organisation(db, record)
    # By what is kept now and not by this record, which may be an old one, or one that was broken off here.
    await _close_or_open(db, record.organisation_id)


async def _close_or_open(db: Database, organisation_id: str, *, order_id: str | None = None) -> None:
    done = None
    # Until it stays: another record may be kept meanwhile.
    while (closed := bool(await threads.find_closed(db, [organisation_id]))) is not done:
        if closed:
            await threads.close(db, organisation_id, order_id=order_id)
        else:
            await threads.reopen(db, organisation_id)
        done = closed


async def send(  # noqa: PLR0913 - what is written, by whom, where
    db: Database,
    *,
    order_id: str,
    message: NewMessage,
    submitted: str | None,
    request: str | None,
    caller: Caller,
    now: datetime,
    rules: Rules,
    lock: Lock,
) -> Message:
    """Send a message; with a `request` that was carried out before, give that message again.

    Args:
        submitted: the text as it came, for the offsets of findings.

    Raises:
        RoleNotSufficient: a viewer only reads.
        ThreadNotKnown, ThreadClosed, OrganisationClosed: there is no thread to write into.
        ContactInfoBlocked: the text holds contact information.
        ValidationFailed: an attachment is not the caller's to send here.
    """
    caller.must_write()
    thread, before, repeated = await asyncio.gather(
        threads.get_thread(db, order_id, caller=caller),
        messages.find_texts_before(
            db, order_id, caller=caller, since=now - rules.split_window, limit=_READ_TOGETHER
        ),
        _find_repeated(db, order_id, caller=caller, request=request),
    )
    if repeated:
        return repeated
    domain.must_be_open(thread, now=now, rules=rules)
    if message.text:
        await blocking.refuse(
            db,
            thread,
            message.text,
            where="message",
            context=Context(known=thread.known, previous=before),
            lock=lock,
            caller=caller,
            now=now,
            submitted=submitted,
        )
    message_id = new_id()

    async def claim(session: Session) -> tuple[File, ...]:
        return await attachments.claim(
            db, thread, message.attachment_ids, message_id=message_id, caller=caller, session=session
        )

    def compose(tail: Tail, files: tuple[File, ...]) -> tuple[Message, Sealed]:
        written = domain.write(
            thread, message_id=message_id, tail=tail, by=caller, text=message.text, files=files, now=now
        )
        return _with_event(written, now=now)

    try:
        return await messages.append(
            db, order_id, compose, request=request, claim=claim if message.attachment_ids else None
        )
    except messages.AlreadyThere:
        if repeated := await _find_repeated(db, order_id, caller=caller, request=request):
            return repeated
        raise


async def add_up(db: Database, order_id: str) -> None:
    """Bring the sums that dashboards show to what a thread holds now."""
    await db.together(reads.add_up)(order_id)


async def mark_read(db: Database, *, order_id: str, up_to: int, caller: Caller, now: datetime) -> int:
    """Note how far the caller has read, never backwards; tell how many messages are left unread.

    Raises:
        ThreadNotKnown: there is no such thread of the caller's.
    """
    thread, end = await asyncio.gather(
        threads.get_thread(db, order_id, caller=caller), messages.find_tail(db, order_id)
    )
    to = end if up_to >= end.seq else await messages.find_tail_at(db, order_id, seq=up_to)
    if to.seq:
        read = MessageRead(
            order_id=order_id,
            buyer_id=thread.buyer_id,
            factory_id=thread.factory_id,
            user_id=caller.user_id,
            side=caller.side,
            up_to=to.seq,
        )
        await reads.move_forward(db, thread, to=to, caller=caller, events=sealed([read], now=now))
    seen = await reads.find_seen(db, order_id, caller=caller)
    if seen > end.for_reader(caller.side):  # another device has read what came meanwhile
        end = await messages.find_tail(db, order_id)
    return end.for_reader(caller.side) - seen


async def _find_repeated(
    db: Database, order_id: str, *, caller: Caller, request: str | None
) -> Message | None:
    if request is None:
        return None
    return await messages.find_request(db, order_id, caller=caller, request=request)


def _with_event(message: Message, *, now: datetime) -> tuple[Message, Sealed]:
    sent = MessageSent(
        order_id=message.order_id,
        buyer_id=message.buyer_id,
        factory_id=message.factory_id,
        message=views.message(message, read_up_to={}),
    )
    return message, sealed([sent], now=now)
