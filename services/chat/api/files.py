"""Uploads as streams; downloads as links, by which the gateway streams them."""

import re
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from starlette.requests import ClientDisconnect

from services.chat import views
from services.chat.api.needs import CurrentParts, CurrentRules, Key
from services.chat.attachments import kinds, names
from services.chat.attachments.receiving import Form
from services.chat.domain import AttachmentNotFound
from services.chat.use_cases import files as use_cases
from shared import http
from shared.api.chat import OBJECT_LENGTH, OBJECT_LINK, OBJECT_RANGE, Attachment
from shared.errors import ValidationFailed
from shared.http import CurrentCaller, Db, Now

router = APIRouter()


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
    form = Form(
        body=_body(request),
        content_type=request.headers.get("Content-Type", ""),
        length=int(request.headers.get("Content-Length", 0)),
    )
    file = await use_cases.upload(
        db, parts, thread=thread, form=form, request=key, caller=caller, now=now, rules=rules
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
    link = parts.objects.link(found.key)
    wanted = _range(byte_range, file.size) if if_range in {None, etag} else None
    if wanted is None:
        return _at(link, headers, length=file.size)
    if not wanted:
        return _no_such_range(file.size)
    first, last = wanted[0], wanted[-1]
    headers |= {"Content-Range": f"bytes {first}-{last}/{file.size}"}
    return _at(link, headers, length=len(wanted), status=206, byte_range=f"bytes={first}-{last}")


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
    return _at(parts.objects.link(found.thumbnail_key), headers)


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


def _at(
    link: str, headers: dict[str, str], *, length: int | None = None, status: int = 200, byte_range: str = ""
) -> Response:
    """Tell the gateway where the bytes lie: it fetches them by itself, which spares them the way through here."""
    told = {OBJECT_LINK: link, OBJECT_LENGTH: str(length or ""), OBJECT_RANGE: byte_range}
    return Response(
        status_code=status, headers=headers | {name: value for name, value in told.items() if value}
    )


async def _body(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:
        raise ValidationFailed.at("/file", "the upload was cut off") from error
