"""The search for contact information inside files, which goes on behind their uploads."""

import tempfile
from datetime import datetime

import structlog

from services.chat.attachments.contents import Unreadable
from services.chat.attachments.objects import ObjectNotFound
from services.chat.domain import Rules
from services.chat.store import inside, threads
from services.chat.use_cases.files import Parts
from shared.events.chat import AttachmentFlagged
from shared.mongo import Database
from shared.outbox import sealed

log = structlog.get_logger(__name__)


async def search_next(db: Database, parts: Parts, *, now: datetime, rules: Rules) -> bool:
    """Search the file that has waited longest, and tell moderators what is in it; `False` if none waits.

    Whatever dies meanwhile, the file waits again after some minutes.
    """
    taken = await inside.take_unsearched(db, now=now)
    if taken is None:
        parts.contents.put_away()
        return False
    upload, is_worth_it = taken
    if not is_worth_it:
        log.warning("attachment was searched too often", attachment_id=upload.id)
        await inside.keep_clear(db, upload, state="unreadable")
        return True
    at_hand = parts.contents.take(upload.id)
    with at_hand or tempfile.TemporaryFile(prefix="millrace-search-") as file:
        try:
            if at_hand is None:
                await parts.objects.copy(upload.key, file)
            found = await parts.contents.search(
                file,
                content_type=upload.file.content_type,
                known=await threads.find_known(db, upload.order_id),
            )
        except ObjectNotFound:  # removed meanwhile
            return True
        except Unreadable as error:
            log.warning("attachment cannot be searched", attachment_id=upload.id, cause=str(error))
            await inside.keep_clear(db, upload, state="unreadable")
            return True
    if not found:
        await inside.keep_clear(db, upload, state="clear")
        return True
    flagged = AttachmentFlagged(
        order_id=upload.order_id,
        buyer_id=upload.buyer_id,
        factory_id=upload.factory_id,
        user_id=upload.uploaded_by,
        attachment_id=upload.id,
        kinds=sorted({each.kind for each in found}),
        rules=sorted({each.rule for each in found}),
        withheld=rules.withholds,
    )
    await inside.keep_flagged(
        db, upload, found, sealed([flagged], now=now), withheld=rules.withholds, now=now
    )
    return True
