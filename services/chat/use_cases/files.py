"""Uploads: from the first byte to the file that can be sent, and what becomes of those that are not."""

import asyncio
import hashlib
import io
import tempfile
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Final

from services.chat import domain, views
from services.chat.attachments import kinds, metadata, names, reading
from services.chat.attachments.contents import Contents
from services.chat.attachments.kinds import AttachmentUnsafe, Kind
from services.chat.attachments.objects import ObjectNotFound, Objects
from services.chat.attachments.receiving import Received
from services.chat.attachments.scanning import Scanner
from services.chat.attachments.thumbnails import Thumbnails
from services.chat.domain import (
    AttachmentInfected,
    AttachmentNotScanned,
    AttachmentNotSearched,
    AttachmentWithheld,
    File,
    Rules,
    Thread,
    Upload,
)
from services.chat.store import attachments, threads
from services.chat.use_cases import blocking
from shared.contact_guard import Context
from shared.errors import Invalid
from shared.events.chat import AttachmentStored
from shared.identity import Caller
from shared.ids import new_id
from shared.locked import Lock
from shared.mongo import Database
from shared.outbox import sealed

_CHUNK: Final = 1024 * 1024
# So long a repeated request waits for the first one; then that one is taken for dead.
_LOOKS, _LOOK_AGAIN = 100, 0.1


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What uploads need besides the database."""

    objects: Objects
    scanner: Scanner
    thumbnails: Thumbnails
    contents: Contents
    lock: Lock


class IdempotencyKeyReused(Invalid):
    """The caller has uploaded something else with this key."""

    title = "Idempotency key reused"


async def get_thread_to_upload(
    db: Database, order_id: str, *, caller: Caller, now: datetime, rules: Rules
) -> Thread:
    """Find out whether the caller may upload, before a byte is taken.

    Raises:
        RoleNotSufficient: a viewer only reads.
        ThreadNotKnown, ThreadClosed, OrganisationClosed: there is no thread to upload to.
    """
    caller.must_write()
    thread = await threads.get_thread(db, order_id, caller=caller)
    domain.must_be_open(thread, now=now, rules=rules)
    return thread


async def upload(
    db: Database,
    parts: Parts,
    *,
    thread: Thread,
    received: Received,
    request: str | None,
    caller: Caller,
    now: datetime,
    rules: Rules,
) -> File:
    """Store a file that can then be sent in the thread.

    Raises:
        IdempotencyKeyReused: the key belongs to another upload.
        ContactInfoBlocked: the name holds contact information.
        AttachmentTypeUnsupported, AttachmentUnsafe, AttachmentDamaged, AttachmentInfected: of the file.
        StorageUnavailable: nothing is stored.
    """
    fingerprint = _fingerprint(received, thread) if request else None
    if request and (first := await _find_first(db, caller=caller, request=request, fingerprint=fingerprint)):
        return first
    await blocking.refuse(
        db,
        thread,
        received.name,
        where="filename",
        context=Context(known=thread.known, is_filename=True),
        lock=parts.lock,
        caller=caller,
        now=now,
    )
    name = names.safe(received.name)
    kind = await asyncio.to_thread(
        kinds.recognize, received.file, name=name, content_type=received.content_type
    )
    with tempfile.TemporaryFile(prefix="millrace-upload-") as cleaned:
        content, sha256 = received.file, received.sha256
        if kind.is_picture:
            sha256 = await asyncio.to_thread(_clean, received.file, cleaned, kind=kind, rules=rules)
            content = cleaned
        scan = await parts.scanner.scan(content)
        if scan == "infected":
            raise AttachmentInfected
        thumbnail = await parts.thumbnails.draw(content, kind=kind)
        attachment_id = new_id()
        new = Upload(
            id=attachment_id,
            order_id=thread.order_id,
            buyer_id=thread.buyer_id,
            factory_id=thread.factory_id,
            uploaded_by=caller.user_id,
            file=File(
                id=attachment_id,
                filename=name,
                content_type=kind.content_type,
                size=content.seek(0, 2),
                sha256=sha256,
                has_thumbnail=thumbnail is not None,
                scan=scan,
            ),
            is_stored=False,
            message_id=None,
            fingerprint=fingerprint,
            inside="waiting" if kind in reading.READABLE else "unsearched",
            is_withheld=False,
        )
        while not await attachments.insert_upload(db, new, request=request, now=now):
            first = await _find_first(db, caller=caller, request=request or "", fingerprint=fingerprint)
            if first:
                return first
        try:
            await parts.objects.put(new.key, content)
            if thumbnail is not None:
                await parts.objects.put(new.thumbnail_key, io.BytesIO(thumbnail))
            stored = AttachmentStored(
                order_id=thread.order_id,
                buyer_id=thread.buyer_id,
                factory_id=thread.factory_id,
                user_id=caller.user_id,
                attachment=views.attachment(new.file),
            )
            await attachments.keep_upload(
                db, new, sealed([stored], now=now), expires_at=now + rules.unsent_for
            )
            parts.contents.nudge(new.id, content)
        except BaseException:
            # Also when the client is gone. What this cannot do any more, the sweeper does.
            await asyncio.shield(_give_up(db, parts, new))
            raise
    return new.file


async def get_file(db: Database, attachment_id: str, *, caller: Caller, rules: Rules) -> Upload:
    """Find a file that the caller may fetch.

    Raises:
        AttachmentNotFound: there is none.
        AttachmentNotScanned, AttachmentInfected: the scanner has not let it pass.
        AttachmentNotSearched, AttachmentWithheld: it holds contact information, or may.
    """
    found = await attachments.get_upload(db, attachment_id, caller=caller)
    if found.file.scan == "pending":
        raise AttachmentNotScanned
    if found.file.scan == "infected":
        raise AttachmentInfected
    if found.uploaded_by != caller.user_id:
        if found.is_withheld:
            raise AttachmentWithheld
        if found.inside == "waiting" and rules.withholds:
            raise AttachmentNotSearched
    return found


async def sweep(db: Database, parts: Parts, *, now: datetime) -> int:
    """Remove uploads that were cut off or never sent, with their bytes; tell how many."""
    count = 0
    async for expired in attachments.find_expired(db, now=now):
        await _remove(db, parts, expired)
        count += 1
    return count


async def scan_waiting(db: Database, parts: Parts) -> int:
    """Ask the scanner about files that it has not seen yet; tell how many have their verdict now."""
    count = 0
    for waiting in await attachments.find_unscanned(db, limit=10):
        with tempfile.TemporaryFile(prefix="millrace-scan-") as copy:
            try:
                await parts.objects.copy(waiting.key, copy)
            except ObjectNotFound:
                continue
            verdict = await parts.scanner.scan(copy)
        if verdict == "pending":
            break
        await attachments.keep_verdict(db, waiting, scan=verdict)
        count += 1
    return count


async def _find_first(db: Database, *, caller: Caller, request: str, fingerprint: str | None) -> File | None:
    """Find what the same request has made before; if it is being carried out, wait for its end.

    One that does not end was killed, and whoever waited does its work anew.
    """
    looks = 0
    while found := await attachments.find_upload_of_request(db, caller=caller, request=request):
        if found.fingerprint != fingerprint:
            raise IdempotencyKeyReused("this key came before with another file, name or order")
        if found.is_stored:
            return found.file
        if looks >= _LOOKS:
            await attachments.give_up(db, found)
        looks += 1
        await asyncio.sleep(_LOOK_AGAIN)
    return None


async def _give_up(db: Database, parts: Parts, cut_off: Upload) -> None:
    """Remove the bytes of an upload, unless it is stored after all and only the answer was lost.

    Its row stays for the sweeper: the storage may still be taking in what it has not acknowledged.
    """
    if await attachments.give_up(db, cut_off):
        await _remove_bytes(parts, cut_off)


async def _remove(db: Database, parts: Parts, gone: Upload) -> None:
    await _remove_bytes(parts, gone)
    await attachments.delete_upload(db, gone)


async def _remove_bytes(parts: Parts, gone: Upload) -> None:
    await parts.objects.delete(gone.key)
    if gone.file.has_thumbnail:
        await parts.objects.delete(gone.thumbnail_key)


def _clean(source: BinaryIO, target: BinaryIO, *, kind: Kind, rules: Rules) -> str:
    """Copy a picture without what it must not tell, and answer the hash of the copy."""
    size = metadata.clean(source, target, kind=kind)
    if size and size.width * size.height > rules.most_pixels:
        raise AttachmentUnsafe(
            f"the picture unpacks to {size.width} x {size.height} pixels; up to {rules.most_pixels} can be sent",
            most_pixels=rules.most_pixels,
        )
    target.seek(0)
    digest = hashlib.sha256()
    while chunk := target.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _fingerprint(received: Received, thread: Thread) -> str:
    what = (thread.order_id, received.name, received.content_type, received.sha256)
    return hashlib.sha256(repr(what).encode()).hexdigest()
