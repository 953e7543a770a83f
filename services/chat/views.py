"""What the chat service shows of its messages."""

from collections.abc import Mapping

from services.chat.domain import File, Message, other_side
from shared.api import chat as api
from shared.identity import Side


def message(message: Message, *, read_up_to: Mapping[Side, int]) -> api.Message:
    """Show a message; `read_up_to` tells how far somebody of each side has read."""
    sender, line = message.sender, message.line
    return api.Message.model_construct(
        id=message.id,
        seq=message.seq,
        sender=api.Sender.model_construct(user_id=sender.user_id, name=sender.name, side=sender.side)
        if sender
        else api.Sender.model_construct(user_id=None, name=None, side="system"),
        text=message.text,
        attachments=[attachment(file) for file in message.files],
        sent_at=message.sent_at,
        read_by_other_side=sender is not None and read_up_to.get(other_side(sender.side), 0) >= message.seq,
        system=api.StatusLine.model_construct(status=line.status, by=line.by, note=line.note)
        if line
        else None,
    )


def attachment(file: File) -> api.Attachment:
    return api.Attachment.model_construct(
        id=file.id,
        filename=file.filename,
        content_type=file.content_type,
        size=file.size,
        sha256=file.sha256,
        thumbnail_url=f"/api/v1/attachments/{file.id}/thumbnail" if file.has_thumbnail else None,
        scan=file.scan,
    )
