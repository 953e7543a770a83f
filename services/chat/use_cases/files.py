"""Uploads: from the first byte to the file that can be sent, and what becomes of those that are not."""

import asyncio
import hashlib
import tempfile
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Final

from services.chat import domain, views
from services.chat.attachments import kinds, metadata, names, reading
from services.chat.attachments.contents import Contents
from services.chat.attachments.kinds import AttachmentUnsafe, Kind
from services.chat.attachments.objects import ObjectNotFound, Objects
from services.chat.attachments.receiving import Form, Received, receive
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
from services.chat.store.attachments import GivenUp
from services.chat.use_cases import blocking
from services.chat.use_cases.storing import Storing, remove_bytes
from shared.contact_guard import Context
from shared.errors import Invalid
from shared.events.chat import AttachmentStored
from shared.identity import Caller
from shared.locked import Lock
from shared.mongo import Database
from shared.outbox import sealed

_CHUNK: Final = 1024 * 1024


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
    form: Form,
    request: str | None,
    caller: Caller,
    now: datetime,
    rules: Rules,
) -> File:
    """Store a file that can then be sent in the thread.

    Raises:
        ValidationFailed, AttachmentTooLarge: of the form.
        IdempotencyKeyReused: the key belongs to another upload.
        ContactInfoBlocked: the name holds contact information.
        AttachmentTypeUnsupported, AttachmentUnsafe, AttachmentDamaged, AttachmentInfected: of the file.
        StorageUnavailable: nothing is stored.
    """
    with (
        tempfile.TemporaryFile(prefix="millrace-upload-") as arrived,
        tempfile.TemporaryFile(prefix="millrace-upload-") as cleaned,
    ):
        async with Storing(db, parts.objects, order_id=thread.order_id) as storing:
            received = await receive(form, into=arrived, limit=rules.largest_file, begun=storing.begin)
            fingerprint = _fingerprint(received, thread)
            if first := await _find_first(db, caller=caller, request=request, fingerprint=fingerprint):
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
                kinds.recognize, arrived, name=name, content_type=received.content_type
            )
            content, sha256 = arrived, received.sha256
            if kind.is_picture:
                content = cleaned
                sha256 = await asyncio.to_thread(_clean, arrived, cleaned, kind=kind, rules=rules)
            scan = await parts.scanner.scan(content)
            if scan == "infected":
                raise AttachmentInfected
            thumbnail = await parts.thumbnails.draw(content, kind=kind)
            size = content.seek(0, 2)
            place = await storing.end(content, size=size, is_as_it_came=content is arrived)
            if thumbnail is not None:
                await parts.objects.put(place.thumbnail_key, thumbnail, size=len(thumbnail))
            new = Upload(
                id=place.id,
                order_id=place.order_id,
                buyer_id=thread.buyer_id,
                factory_id=thread.factory_id,
                uploaded_by=caller.user_id,
                file=File(
                    id=place.id,
                    filename=name,
                    content_type=kind.content_type,
                    size=size,
                    sha256=sha256,
                    has_thumbnail=thumbnail is not None,
                    scan=scan,
                ),
                message_id=None,
                fingerprint=fingerprint,
                inside="waiting" if kind in reading.READABLE else "unsearched",
                is_withheld=False,
            )
            stored = AttachmentStored(
                order_id=thread.order_id,
                buyer_id=thread.buyer_id,
                factory_id=thread.factory_id,
                user_id=caller.user_id,
                attachment=views.attachment(new.file),
            )
            storing.is_kept = await attachments.keep_upload(
                db, new, sealed([stored], now=now), request=request, now=now, unsent_for=rules.unsent_for
            )
            if storing.is_kept:
                parts.contents.nudge(new.id, content)
                return new.file
            # The same request came twice at once, and the other one was faster.
            first = await _find_first(db, caller=caller, request=request, fingerprint=fingerprint)
            if first is None:
                raise GivenUp
            return first


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
        await remove_bytes(parts.objects, expired)
        await attachments.delete_place(db, expired)
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


async def _find_first(db: Database, *, caller: Caller, request: str | None, fingerprint: str) -> File | None:
    """Find what the same request has stored before."""
    found = await attachments.find_upload_of_request(db, caller=caller, request=request) if request else None
    if found and found.fingerprint != fingerprint:
        raise IdempotencyKeyReused("this key came before with another file, name or order")
    return found.file if found else None


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
