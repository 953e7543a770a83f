"""People: registering, signing in and out, one's own name and password."""

from fastapi import APIRouter, Request, Response

from gateway.accounts import domain, store, use_cases, views
from gateway.accounts.domain import EmailTaken, InvitationNotUsable, WrongCredentials
from gateway.limits import limited
from gateway.session import COOKIE, CurrentCaller, CurrentSession
from shared.api import accounts as api
from shared.contact_refusal import ContactInfoBlocked
from shared.errors import Unauthenticated, ValidationFailed
from shared.http import Db, Now, problems

router = APIRouter(tags=["accounts"])


@router.post(
    "/auth/register",
    status_code=201,
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
    return api.Account(user=views.user(user), organisation=views.organisation(organisation))


@router.post("/auth/login", responses=problems(WrongCredentials, use_cases.TooManyLogins))
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
        user=views.user(user),
        organisation=views.organisation(organisation),
    )


@router.post("/auth/logout", status_code=204, responses=problems(Unauthenticated))
async def logout(session: CurrentSession, response: Response, db: Db, now: Now) -> None:
    """End the session, for every copy of its token."""
    await store.end_session(db, session.id, now=now)
    response.delete_cookie(COOKIE, path="/")


@router.get("/auth/me", responses=problems(Unauthenticated))
async def me(caller: CurrentCaller, db: Db) -> api.Account:
    user = await store.get_user(db, caller.user_id, organisation_id=caller.organisation_id)
    organisation = await store.get_organisation(db, caller.organisation_id)
    return api.Account(user=views.user(user), organisation=views.organisation(organisation))


@router.patch(
    "/auth/me",
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
    return views.user(await use_cases.change_profile(db, session=session, changes=body, now=now))
