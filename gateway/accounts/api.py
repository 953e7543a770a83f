"""Accounts over HTTP."""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Header, Path, Query, Request, Response

from gateway.accounts import domain, logo, store, use_cases
from gateway.accounts.domain import (
    EmailTaken,
    InvitationNotFound,
    InvitationNotUsable,
    LastOwner,
    LogoNotFound,
    MemberNotFound,
    OrganisationNotFound,
    OwnerNeeded,
    WrongCredentials,
)
from gateway.accounts.logo import LogoTooLarge, LogoTypeUnsupported
from gateway.idempotency import Once
from gateway.limits import Limits, limited
from gateway.session import COOKIE, CurrentCaller, CurrentSession
from shared.api import accounts as api
from shared.api.page import Page
from shared.contact_refusal import ContactInfoBlocked
from shared.errors import Unauthenticated, ValidationFailed
from shared.http import Db, Now, problems

router = APIRouter()

OrganisationId = Annotated[str, Path(max_length=100)]

_LOGO: Final = re.compile(r"/api/v1/organisations/[^/]+/logo")


def is_upload(method: str, path: str) -> bool:
    """Tell which requests carry a picture, and so may be larger than others."""
    return method == "PUT" and _LOGO.fullmatch(path) is not None


@router.post(
    "/auth/register",
    status_code=201,
    tags=["accounts"],
    responses=problems(EmailTaken, InvitationNotUsable, ContactInfoBlocked, ValidationFailed),
)
async def register(body: api.Registration, request: Request, db: Db, now: Now) -> api.Account:
    """Make an account: with a new organisation, or by an invitation into one."""
    typed = await request.json()
    await use_cases.refuse_contact_info_in_name(
        db,
        body.display_name,
        submitted=typed["display_name"],
        pointer="/display_name",
        where="display_name",
        user_id=None,
        now=now,
    )
    if body.organisation:
        await use_cases.refuse_contact_info_in_name(
            db,
            body.organisation.name,
            submitted=typed["organisation"]["name"],
            pointer="/organisation/name",
            where="organisation_name",
            user_id=None,
            now=now,
        )
    user, organisation = await use_cases.register(db, registration=body, now=now)
    return api.Account(user=_user(user), organisation=organisation_view(organisation))


@router.post("/auth/login", tags=["accounts"], responses=problems(WrongCredentials, use_cases.TooManyLogins))
async def login(
    body: api.Credentials, request: Request, response: Response, db: Db, now: Now
) -> api.SignedIn:
    """Begin a session: a bearer token, and the same as a cookie."""
    token, user, organisation = await use_cases.sign_in(
        db,
        credentials=body,
        address=request.client.host if request.client else "",
        most_a_minute=request.app.state.limits.logins_a_minute,
        now=now,
    )
    lifetime = int(domain.SESSION_LIFETIME.total_seconds())
    response.set_cookie(
        COOKIE,
        token,
        max_age=lifetime,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        path="/",
    )
    return api.SignedIn(
        access_token=token,
        expires_in=lifetime,
        user=_user(user),
        organisation=organisation_view(organisation),
    )


@router.post("/auth/logout", status_code=204, tags=["accounts"], responses=problems(Unauthenticated))
async def logout(session: CurrentSession, response: Response, db: Db, now: Now) -> None:
    """End the session, for every copy of its token."""
    await store.end_session(db, session.id, now=now)
    response.delete_cookie(COOKIE, path="/")


@router.get("/auth/me", tags=["accounts"], responses=problems(Unauthenticated))
async def me(caller: CurrentCaller, db: Db) -> api.Account:
    user = await store.get_user(db, caller.user_id, organisation_id=caller.organisation_id)
    organisation = await store.get_organisation(db, caller.organisation_id)
    return api.Account(user=_user(user), organisation=organisation_view(organisation))


@router.patch(
    "/auth/me",
    tags=["accounts"],
    dependencies=[limited],
    responses=problems(Unauthenticated, ValidationFailed, ContactInfoBlocked, use_cases.ChangedMeanwhile),
)
async def change_me(
    body: api.ProfileChanges, request: Request, session: CurrentSession, db: Db, now: Now
) -> api.User:
    """Change one's own name or password; a new password ends one's other sessions."""
    if body.display_name:
        await use_cases.refuse_contact_info_in_name(
            db,
            body.display_name,
            submitted=(await request.json())["display_name"],
            pointer="/display_name",
            where="display_name",
            user_id=session.caller.user_id,
            now=now,
        )
    return _user(await use_cases.change_profile(db, session=session, changes=body, now=now))


@router.get(
    "/organisations/{organisation_id}",
    tags=["organisation"],
    responses=problems(Unauthenticated, OrganisationNotFound),
)
async def get_organisation(
    organisation_id: OrganisationId, caller: CurrentCaller, db: Db
) -> api.Organisation:
    """Read the settings of one's own organisation."""
    domain.must_belong(caller, organisation_id)
    return organisation_view(await store.get_organisation(db, organisation_id))


@router.patch(
    "/organisations/{organisation_id}",
    tags=["organisation"],
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
    return organisation_view(organisation)


@router.put(
    "/organisations/{organisation_id}/logo",
    tags=["organisation"],
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
    return organisation_view(
        await use_cases.set_logo(db, caller=caller, organisation_id=organisation_id, picture=picture)
    )


@router.get(
    "/organisations/{organisation_id}/logo",
    status_code=200,
    tags=["organisation"],
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
    tags=["organisation"],
    dependencies=[limited],
    responses=problems(Unauthenticated, OwnerNeeded, OrganisationNotFound),
)
async def delete_logo(organisation_id: OrganisationId, caller: CurrentCaller, db: Db) -> None:
    domain.must_own(caller, organisation_id)
    await store.delete_logo(db, organisation_id)


@router.post(
    "/organisations/{organisation_id}/invitations",
    status_code=201,
    tags=["organisation"],
    response_model=api.IssuedInvitation,
    responses=problems(Unauthenticated, OwnerNeeded, OrganisationNotFound, ValidationFailed),
)
async def invite(
    organisation_id: OrganisationId,
    body: api.NewInvitation,
    caller: CurrentCaller,
    db: Db,
    now: Now,
    once: Once,
) -> Response:
    """Invite somebody; the token is told once."""

    async def produce() -> Response:
        invitation, token = await use_cases.invite(
            db, caller=caller, organisation_id=organisation_id, new=body, now=now
        )
        issued = api.IssuedInvitation(
            id=invitation.id,
            role=invitation.role,
            email=invitation.email,
            expires_at=invitation.expires_at,
            token=token,
        )
        return Response(issued.model_dump_json(), 201, media_type="application/json")

    return await once(produce)


@router.get(
    "/organisations/{organisation_id}/invitations",
    tags=["organisation"],
    responses=problems(Unauthenticated, OwnerNeeded, OrganisationNotFound),
)
async def list_invitations(
    organisation_id: OrganisationId, caller: CurrentCaller, db: Db, now: Now
) -> Page[api.Invitation]:
    """List invitations that can still be used."""
    domain.must_own(caller, organisation_id)
    invitations = [
        api.Invitation(id=found.id, role=found.role, email=found.email, expires_at=found.expires_at)
        for found in await store.find_open_invitations(db, organisation_id, now=now)
    ]
    return Page(items=invitations, next_cursor=None)


@router.delete(
    "/organisations/{organisation_id}/invitations/{invitation_id}",
    status_code=204,
    tags=["organisation"],
    dependencies=[limited],
    responses=problems(Unauthenticated, OwnerNeeded, OrganisationNotFound, InvitationNotFound),
)
async def withdraw_invitation(
    organisation_id: OrganisationId, invitation_id: str, caller: CurrentCaller, db: Db
) -> None:
    domain.must_own(caller, organisation_id)
    await store.delete_invitation(db, invitation_id, organisation_id=organisation_id)


@router.get(
    "/organisations/{organisation_id}/members",
    tags=["organisation"],
    responses=problems(Unauthenticated, OrganisationNotFound),
)
async def list_members(organisation_id: OrganisationId, caller: CurrentCaller, db: Db) -> Page[api.Member]:
    domain.must_belong(caller, organisation_id)
    members = [_member(user) for user in await store.find_members(db, organisation_id)]
    return Page(items=members, next_cursor=None)


@router.patch(
    "/organisations/{organisation_id}/members/{user_id}",
    tags=["organisation"],
    dependencies=[limited],
    responses=problems(
        use_cases.ChangedMeanwhile,
        Unauthenticated,
        OwnerNeeded,
        OrganisationNotFound,
        MemberNotFound,
        LastOwner,
        ValidationFailed,
    ),
)
async def change_role(
    organisation_id: OrganisationId,
    user_id: str,
    body: api.RoleChange,
    caller: CurrentCaller,
    db: Db,
    now: Now,
) -> api.Member:
    user = await use_cases.change_role(
        db, caller=caller, organisation_id=organisation_id, user_id=user_id, role=body.role, now=now
    )
    return _member(user)


@router.delete(
    "/organisations/{organisation_id}/members/{user_id}",
    status_code=204,
    tags=["organisation"],
    dependencies=[limited],
    responses=problems(
        use_cases.ChangedMeanwhile,
        Unauthenticated,
        OwnerNeeded,
        OrganisationNotFound,
        MemberNotFound,
        LastOwner,
    ),
)
async def remove_member(
    organisation_id: OrganisationId, user_id: str, caller: CurrentCaller, db: Db, now: Now
) -> None:
    """End a member's access: sessions at once, open streams within 5 s."""
    await use_cases.remove_member(
        db, caller=caller, organisation_id=organisation_id, user_id=user_id, now=now
    )


def _user(user: domain.User) -> api.User:
    return api.User(id=user.id, email=user.address, display_name=user.display_name, role=user.role)


def _member(user: domain.User) -> api.Member:
    return api.Member(**_user(user).model_dump(), joined_at=user.created_at)


def organisation_view(organisation: domain.Organisation) -> api.Organisation:
    return api.Organisation(
        id=organisation.id,
        name=organisation.name,
        kind=organisation.kind,
        country=organisation.country,
        time_zone=organisation.time_zone,
        language=organisation.language,
        address=organisation.address,
        logo_url=organisation.logo_url,
    )
