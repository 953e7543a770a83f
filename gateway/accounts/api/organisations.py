"""An organisation's settings and its logo."""

import re
from contextlib import suppress
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request, Response

from gateway import introduce
from gateway.accounts import domain, logo, store, use_cases, views
from gateway.accounts.api.needs import OrganisationId
from gateway.accounts.domain import LogoNotFound, OrganisationNotFound, OwnerNeeded
from gateway.accounts.logo import LogoTooLarge, LogoTypeUnsupported
from gateway.clients import ServiceUnavailable
from gateway.forward import CurrentServices
from gateway.limits import Limits, limited
from gateway.session import CurrentCaller
from shared.api import accounts as api
from shared.contact_refusal import ContactInfoBlocked
from shared.errors import Unauthenticated, ValidationFailed
from shared.http import Db, Now, problems

router = APIRouter(tags=["organisation"])

_LOGO: Final = re.compile(r"/api/v1/organisations/[^/]+/logo")


def is_upload(method: str, path: str) -> bool:
    """Tell which requests carry a picture, and so may be larger than others."""
    return method == "PUT" and _LOGO.fullmatch(path) is not None


@router.get(
    "/organisations/{organisation_id}",
    responses=problems(Unauthenticated, OrganisationNotFound),
)
async def get_organisation(
    organisation_id: OrganisationId, caller: CurrentCaller, db: Db
) -> api.Organisation:
    """Read the settings of one's own organisation."""
    domain.must_belong(caller, organisation_id)
    return views.organisation(await store.get_organisation(db, organisation_id))


@router.patch(
    "/organisations/{organisation_id}",
    dependencies=[limited],
    responses=problems(
        use_cases.ChangedMeanwhile,
        Unauthenticated,
        OwnerNeeded,
        OrganisationNotFound,
        ValidationFailed,
        ContactInfoBlocked,
    ),
)
async def change_organisation(
    organisation_id: OrganisationId,
    body: api.OrganisationChanges,
    request: Request,
    caller: CurrentCaller,
    db: Db,
    now: Now,
    services: CurrentServices,
) -> api.Organisation:
    """Change the settings of one's own organisation; deadlines follow its time zone, its people's texts its language."""
    domain.must_own(caller, organisation_id)
    if body.name:
        await use_cases.refuse_contact_info_in_name(
            db,
            body.name,
            submitted=(await request.json())["name"],
            pointer="/name",
            where="organisation_name",
            user_id=caller.user_id,
            now=now,
        )
    organisation = await use_cases.change_organisation(
        db, caller=caller, organisation_id=organisation_id, changes=body, now=now
    )
    with suppress(ServiceUnavailable):  # the event tells orders later
        await introduce.organisation(services, db, organisation_id, caller=caller)
    return views.organisation(organisation)


@router.put(
    "/organisations/{organisation_id}/logo",
    responses=problems(
        Unauthenticated,
        OwnerNeeded,
        OrganisationNotFound,
        LogoTooLarge,
        LogoTypeUnsupported,
        ValidationFailed,
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file"],
                        "properties": {"file": {"type": "string", "format": "binary"}},
                    }
                }
            },
        }
    },
)
async def set_logo(
    organisation_id: OrganisationId, request: Request, caller: CurrentCaller, db: Db, now: Now
) -> api.Organisation:
    """Upload a PNG, JPEG, WebP or GIF as the part `file` of `multipart/form-data`; a small square of it is kept."""
    domain.must_own(caller, organisation_id)
    limits: Limits = request.app.state.limits
    await limits.count(db, "uploads", user_id=caller.user_id, now=now)
    picture = await logo.drawn(await logo.receive(request))
    return views.organisation(
        await use_cases.set_logo(db, caller=caller, organisation_id=organisation_id, picture=picture)
    )


@router.get(
    "/organisations/{organisation_id}/logo",
    status_code=200,
    response_class=Response,
    responses=problems(Unauthenticated, LogoNotFound)
    | {
        200: {"content": {"image/webp": {}}},
        304: {"description": "it is the one that `If-None-Match` names"},
    },
)
async def get_logo(
    organisation_id: OrganisationId,
    caller: CurrentCaller,
    db: Db,
    version: Annotated[str | None, Query(max_length=64, description="as in `logo_url`")] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Show an organisation's logo to anybody signed in, as its profile."""
    del caller
    name, picture = await store.get_logo(db, organisation_id)
    etag = f'"{name}"'
    headers = {
        "ETag": etag,
        "Cache-Control": f"private, {'max-age=31536000, immutable' if version == name else 'no-cache'}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    known = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    if etag in known or known == ["*"]:
        return Response(status_code=304, headers=headers)
    return Response(picture, headers=headers, media_type="image/webp")


@router.delete(
    "/organisations/{organisation_id}/logo",
    status_code=204,
    dependencies=[limited],
    responses=problems(Unauthenticated, OwnerNeeded, OrganisationNotFound),
)
async def delete_logo(organisation_id: OrganisationId, caller: CurrentCaller, db: Db) -> None:
    domain.must_own(caller, organisation_id)
    await store.delete_logo(db, organisation_id)
