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
from shared import http
from shared.api.chat import Attachment
from shared.errors import ValidationFailed
from shared.http import CurrentCaller, Db, Now

router = APIRouter()

_CHUNK: Final = 256 * 1024


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
    rules: CurrentRules,
    parts: CurrentParts,
    byte_range: Annotated[str | None, Header(alias="Range")] = None,
    if_range: Annotated[str | None, Header()] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    found = await use_cases.get_file(db, attachment_id, caller=caller, rules=rules)
    file = found.file
    etag = f'"{file.sha256}"'
    headers = _headers(etag) | {
        "Accept-Ranges": "bytes",
        "Content-Type": file.content_type,
        # A browser shows pictures where they stand; documents it saves.
        "Content-Disposition": names.disposition(
            "inline" if kinds.of(file.content_type).is_picture else "attachment", file.filename
        ),
    }
    if _is_known(etag, if_none_match):
        return Response(status_code=304, headers=headers)
    # Of another version of the file no range is right, but the whole always is.
    wanted = _range(byte_range, file.size) if if_range in {None, etag} else None
    if wanted is None:
        return await _download(parts, found.key, headers=headers | {"Content-Length": str(file.size)})
    if not wanted:
        return _no_such_range(file.size)
    first, last = wanted[0], wanted[-1]
    headers |= {"Content-Length": str(len(wanted)), "Content-Range": f"bytes {first}-{last}/{file.size}"}
    return await _download(parts, found.key, headers=headers, status=206, byte_range=f"bytes={first}-{last}")


@router.get("/attachments/{attachment_id}/thumbnail")
async def get_thumbnail(
    attachment_id: str,
    caller: CurrentCaller,
    db: Db,
    rules: CurrentRules,
    parts: CurrentParts,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    found = await use_cases.get_file(db, attachment_id, caller=caller, rules=rules)
    if not found.file.has_thumbnail:
        raise AttachmentNotFound
    etag = f'"{found.file.sha256}-small"'
    headers = _headers(etag) | {"Content-Type": "image/webp", "Content-Disposition": "inline"}
    if _is_known(etag, if_none_match):
        return Response(status_code=304, headers=headers)
    return await _download(parts, found.thumbnail_key, headers=headers)


def _no_such_range(size: int) -> Response:
    answer = http.problem(
        slug="range-not-satisfiable",
        title="No such range",
        status=416,
        detail=f"the range begins beyond the file's {size} bytes",
        members={"size": size},
    )
    answer.headers["Content-Range"] = f"bytes */{size}"
    return answer


def _headers(etag: str) -> dict[str, str]:
    return {
        "ETag": etag,
        # What is stored never changes, and is no other person's to see.
        "Cache-Control": "private, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }


def _is_known(etag: str, if_none_match: str | None) -> bool:
    known = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in known or known == ["*"]


def _range(header: str | None, size: int) -> range | None:
    """Read the bytes that are asked for: none of them, if all lie beyond the end; `None` stands for the whole."""
    match = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", (header or "").strip())
    if match is None or match[0] == "bytes=-":  # several ranges, or another unit
        return None
    if not match[1]:
        return range(max(0, size - int(match[2])), size)
    first, last = int(match[1]), int(match[2] or size)
    return range(first, min(last + 1, size)) if not match[2] or first <= last else None


async def _download(
    parts: Parts, key: str, *, headers: dict[str, str], status: int = 200, byte_range: str | None = None
) -> Response:
    opened = AsyncExitStack()
    upstream = await opened.enter_async_context(parts.objects.get(key, byte_range=byte_range))
    return _Download(upstream, opened, headers=headers, status=status)


class _Download(Response):
    """Passes on what S3 sends, piece by piece, and closes it however the download ends."""

    def __init__(
        self, upstream: ClientResponse, opened: AsyncExitStack, *, headers: dict[str, str], status: int
    ) -> None:
        self.status_code = status
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
            async for chunk in self._upstream.content.iter_chunked(_CHUNK):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def _body(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:
        raise ValidationFailed.at("/file", "the upload was cut off") from error
