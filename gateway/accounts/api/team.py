"""Invitations into an organisation, and its members."""

from fastapi import APIRouter, Response

from gateway.accounts import domain, store, use_cases, views
from gateway.accounts.api.needs import OrganisationId
from gateway.accounts.domain import (
    InvitationNotFound,
    LastOwner,
    MemberNotFound,
    OrganisationNotFound,
    OwnerNeeded,
)
from gateway.idempotency import Once
from gateway.limits import limited
from gateway.session import CurrentCaller
from shared.api import accounts as api
from shared.api.page import Page, page_of
from shared.errors import Unauthenticated, ValidationFailed
from shared.http import Cursor, Db, Limit, Now, problems

router = APIRouter(tags=["organisation"])


@router.post(
    "/organisations/{organisation_id}/invitations",
    status_code=201,
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
    responses=problems(Unauthenticated, OwnerNeeded, OrganisationNotFound, ValidationFailed),
)
async def list_invitations(
    organisation_id: OrganisationId,
    caller: CurrentCaller,
    db: Db,
    now: Now,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Page[api.Invitation]:
    """List invitations that can still be used."""
    domain.must_own(caller, organisation_id)
    invitations = [
        api.Invitation(id=found.id, role=found.role, email=found.email, expires_at=found.expires_at)
        for found in await store.find_open_invitations(db, organisation_id, now=now)
    ]
    return page_of(invitations, id_of=lambda invitation: invitation.id, limit=limit, cursor=cursor)


@router.delete(
    "/organisations/{organisation_id}/invitations/{invitation_id}",
    status_code=204,
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
    responses=problems(Unauthenticated, OrganisationNotFound, ValidationFailed),
)
async def list_members(
    organisation_id: OrganisationId, caller: CurrentCaller, db: Db, limit: Limit = 20, cursor: Cursor = None
) -> Page[api.Member]:
    domain.must_belong(caller, organisation_id)
    members = [views.member(user) for user in await store.find_members(db, organisation_id)]
    return page_of(members, id_of=lambda member: member.id, limit=limit, cursor=cursor)


@router.patch(
    "/organisations/{organisation_id}/members/{user_id}",
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
    return views.member(user)


@router.delete(
    "/organisations/{organisation_id}/members/{user_id}",
    status_code=204,
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
