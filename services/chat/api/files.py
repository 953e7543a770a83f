"""Uploads and downloads, both as streams."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Final

from aiohttp import ClientResponse
from fastapi import APIRouter, Header, Request, Response
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from services.chat import views
from services.chat.api.needs import CurrentParts, CurrentRules, Key
from services.chat.attachments import kinds, names
from services.chat.attachments.receiving import receiving
from services.chat.domain import AttachmentNotFound
from services.chat.use_cases import files as use_cases
from services.chat.use_cases.files import Parts
from shared.api.chat import Attachment
from shared.errors import ValidationFailed
from shared.http import CurrentCaller, Db, Now

router = APIRouter()

_CHUNK: Final = 256 * 1024
_ONE_RANGE: Final = re.compile(r"bytes=(\d+-\d*|-\d+)")
_THUMBNAIL_TYPE: Final = "image/webp"
_PASSED_ON: Final = ("Content-Length", "Content-Range")


@router.post("/orders/{order_id}/attachments", status_code=201)
async def upload_attachment(
    order_id: str,
    request: Request,
    caller: CurrentCaller,
    db: Db,
    now: Now,
    rules: CurrentRules,
    parts: CurrentParts,
    key: Key = None,
) -> Attachment:
    thread = await use_cases.get_thread_to_upload(db, order_id, caller=caller, now=now, rules=rules)
    async with receiving(
        _body(request), content_type=request.headers.get("Content-Type", ""), limit=rules.largest_file
    ) as received:
        file = await use_cases.upload(
            db, parts, thread=thread, received=received, request=key, caller=caller, now=now, rules=rules
        )
    return views.attachment(file)


@router.get("/attachments/{attachment_id}")
async def get_attachment(
    attachment_id: str,
    caller: CurrentCaller,
    db: Db,
    parts: CurrentParts,
    byte_range: Annotated[str | None, Header(alias="Range")] = None,
    if_range: Annotated[str | None, Header()] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    found = await use_cases.get_file(db, attachment_id, caller=caller)
    is_picture = kinds.of(found.file.content_type).is_picture
    return await _download(
        parts,
        found.key,
        etag=f'"{found.file.sha256}"',
        headers={
            "Content-Type": found.file.content_type,
            # A browser shows pictures where they stand; documents it saves.
            "Content-Disposition": names.disposition(
                "inline" if is_picture else "attachment", found.file.filename
            ),
        },
        byte_range=byte_range,
        if_range=if_range,
        if_none_match=if_none_match,
    )


@router.get("/attachments/{attachment_id}/thumbnail")
async def get_thumbnail(
    attachment_id: str,
    caller: CurrentCaller,
    db: Db,
    parts: CurrentParts,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    found = await use_cases.get_file(db, attachment_id, caller=caller)
    if not found.file.has_thumbnail:
        raise AttachmentNotFound
    return await _download(
        parts,
        found.thumbnail_key,
        etag=f'"{found.file.sha256}-thumbnail"',
        headers={"Content-Type": _THUMBNAIL_TYPE, "Content-Disposition": "inline"},
        byte_range=None,
        if_range=None,
        if_none_match=if_none_match,
    )


async def _download(
    parts: Parts,
    key: str,
    *,
    etag: str,
    headers: dict[str, str],
    byte_range: str | None,
    if_range: str | None,
    if_none_match: str | None,
) -> Response:
    headers = headers | {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        # What is stored never changes; whose it is decides anew at each fetch from another browser.
        "Cache-Control": "private, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if if_none_match and (if_none_match.strip() == "*" or etag in re.split(r"\s*,\s*", if_none_match)):
        return Response(status_code=304, headers=headers)
    if byte_range and (not _ONE_RANGE.fullmatch(byte_range) or (if_range and if_range != etag)):
        byte_range = None  # several ranges, or of another file: the whole is always right
    opened = AsyncExitStack()
    upstream = await opened.enter_async_context(parts.objects.get(key, byte_range=byte_range))
    passed_on = {name: upstream.headers[name] for name in _PASSED_ON if name in upstream.headers}
    if upstream.status == 416:  # noqa: PLR2004
        passed_on["Content-Length"] = "0"
        upstream.close()
    return _Download(upstream, opened, headers=headers | passed_on)


class _Download(Response):
    """Passes on what S3 sends, piece by piece, and closes it however the download ends."""

    def __init__(self, upstream: ClientResponse, opened: AsyncExitStack, *, headers: dict[str, str]) -> None:
        self.status_code = upstream.status
        self.background = None
        self.raw_headers = [
            (name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()
        ]
        self._upstream = upstream
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        async with self._opened:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            if self.status_code < 400:  # noqa: PLR2004
                async for chunk in self._upstream.content.iter_chunked(_CHUNK):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def _body(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:
        raise ValidationFailed.at("/file", "the upload was cut off") from error
