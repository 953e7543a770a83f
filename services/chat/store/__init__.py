"""Chat in MongoDB: one file for each collection."""

from typing import Final

from services.chat.store import attachments, blocks, messages, reads, threads
from shared.mongo import Database

OUTBOX_OF: Final = (messages.MESSAGES, reads.READS, blocks.BLOCKS, attachments.ATTACHMENTS)


async def ensure_indexes(db: Database) -> None:
    for part in (messages, reads, blocks, attachments, threads):
        await part.ensure_indexes(db)
