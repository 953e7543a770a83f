"""What people do with their accounts and organisations."""

import hashlib
import secrets
from dataclasses import replace
from datetime import datetime
from typing import Final, Literal

from gateway import counts
from gateway.accounts import domain, passwords, store
from gateway.accounts.domain import (
    EmailTaken,
    Invitation,
    LastOwner,
    MemberNotFound,
    Organisation,
    OrganisationNotFound,
    Session,
    User,
    WrongCredentials,
)
from gateway.accounts.oidc import Claims, TokenNotAccepted
from shared import mongo
from shared.api.accounts import (
    Credentials,
    NewInvitation,
    OrganisationChanges,
    ProfileChanges,
    Registration,
)
from shared.contact_refusal import ContactInfoBlocked, refuse_contact_info
from shared.errors import Conflict, TooMany, ValidationFailed
from shared.events.chat import MessageBlocked
from shared.identity import Caller, Role
from shared.ids import new_id
from shared.mongo import Database
from shared.outbox import Sealed, sealed

_MOST_RACES: Final = 10


class TooManyLogins(TooMany):
    title = "Too many attempts to sign in"


class ChangedMeanwhile(Conflict):
    """Somebody else changed the record at the same moment, again and again."""

    title = "Changed meanwhile"


async def refuse_contact_info_in_name(
    db: Database,
    name: str,
    *,
    submitted: str,
    pointer: str,
    where: Literal["display_name", "organisation_name"],
    user_id: str | None,
    now: datetime,
) -> None:
    """Let a name pass, or refuse it and tell moderators, without a copy of it.

    Raises:
        ContactInfoBlocked: it holds contact information.
    """
    try:
        refuse_contact_info(name, pointer=pointer, submitted=submitted)
    except ContactInfoBlocked as refusal:
        blocked = MessageBlocked(
            order_id=None,
            buyer_id=None,
            factory_id=None,
            user_id=user_id,
            where=where,
            kinds=refusal.kinds,
            rules=refusal.rules,
        )
        await store.insert_block(db, blocked, sealed([blocked], now=now), now=now)
        raise


async def register(db: Database, *, registration: Registration, now: datetime) -> tuple[User, Organisation]:
    """Make a user, with an organisation of its own or in the one that invited it.

    Raises:
        EmailTaken: there is an account with this address.
        InvitationNotUsable: the invitation does not serve this address any more.
    """
    if await store.find_user_by_email(db, registration.email):
        raise EmailTaken("there is an account with this e-mail address")
    password_hash = await passwords.make_hash(registration.password.get_secret_value())
    user_id, organisation_id = new_id(), new_id()

    async def body(tx: mongo.Session) -> tuple[User, Organisation, Sealed, Sealed]:
        organisation_events = Sealed(rows=(), at=now)
        if registration.invitation:
            invitation = await store.get_invitation(db, registration.invitation, within=tx)
            invitation.must_serve(email=registration.email, now=now)
            await store.use_invitation(db, invitation.id, user_id=user_id, within=tx)
            organisation, role = await store.get_organisation(db, invitation.organisation_id), invitation.role
        else:
            organisation, role = _founded(registration, organisation_id=organisation_id, now=now), "owner"
            organisation_events = sealed([domain.told(organisation)], now=now)
            await store.insert_organisation(db, organisation, organisation_events, within=tx)
        user = User(
            id=user_id,
            version=1,
            email=registration.email,
            password_hash=password_hash,
            display_name=registration.display_name,
            organisation_id=organisation.id,
            role=role,
            created_at=now,
        )
        user_events = sealed([domain.told_member(user)], now=now)
        await store.insert_user(db, user, user_events, within=tx)
        return user, organisation, organisation_events, user_events

    user, organisation, organisation_events, user_events = await mongo.in_transaction(db, body)
    db.outbox.send(store.ORGANISATIONS, organisation.id, organisation_events)
    db.outbox.send(store.USERS, user.id, user_events)
    return user, organisation


async def sign_in(
    db: Database, *, credentials: Credentials, address: str, most_a_minute: int | None, now: datetime
) -> tuple[str, User, Organisation]:
    """Begin a session; give its token.

    Raises:
        WrongCredentials: whichever of the two is wrong.
        TooManyLogins: from this address to this account, in the last minute.
    """
    email = credentials.email.strip().lower()
    if most_a_minute is not None:
        who = store.digest(f"{address}|{email}")
        retry_after = await counts.count(db, f"logins:{who}", most=most_a_minute, now=now)
        if retry_after is not None:
            raise TooManyLogins(f"at most {most_a_minute} attempts a minute", retry_after=retry_after)
    user = await store.find_user_by_email(db, email)
    fits = await passwords.fits(credentials.password.get_secret_value(), user.password_hash if user else None)
    if user is None or not fits:
        raise WrongCredentials
    organisation = await store.get_organisation(db, user.organisation_id)
    token = secrets.token_urlsafe(32)
    await store.insert_session(
        db,
        token=token,
        caller=domain.caller_of(user, organisation),
        now=now,
        expires_at=now + domain.SESSION_LIFETIME,
    )
    return token, user, organisation


async def sign_in_by_claims(db: Database, token: str, *, claims: Claims, now: datetime) -> Session | None:
    """Begin the session of an identity provider's token; `None` where it was ended before.

    Who or what the token names for the first time is made; a new name or role is taken over.
    """
    try:
        organisation = await store.get_organisation(db, claims.organisation_id)
    except OrganisationNotFound:
        organisation = await _make_organisation(db, claims, now=now)
    if organisation.kind != claims.side:
        raise TokenNotAccepted("the token names its organisation as of the other side")
    user = await _user_of(db, claims, now=now)
    caller = domain.caller_of(user, organisation)
    is_new = await store.insert_session(db, token=token, caller=caller, now=now, expires_at=claims.expires_at)
    return Session(id=store.digest(token), caller=caller) if is_new else None


async def _make_organisation(db: Database, claims: Claims, *, now: datetime) -> Organisation:
    organisation = Organisation(
        id=claims.organisation_id,
        version=1,
        name=claims.organisation_name,
        kind=claims.side,
        country=None,
        time_zone="UTC",
        language="en",
        address=None,
        logo=None,
        created_at=now,
    )
    events = sealed([domain.told(organisation)], now=now)
    if not await store.insert_organisation_once(db, organisation, events):
        return await store.get_organisation(db, organisation.id)
    db.outbox.send(store.ORGANISATIONS, organisation.id, events)
    return organisation


async def _user_of(db: Database, claims: Claims, *, now: datetime) -> User:
    for _ in range(_MOST_RACES):
        try:
            known = await store.get_user(db, claims.user_id, organisation_id=claims.organisation_id)
        except MemberNotFound:
            known = None
        if known and (known.display_name, known.role) == (claims.name, claims.role):
            return known
        user = User(
            id=claims.user_id,
            version=known.version + 1 if known else 1,
            email=known.email if known else claims.email or f"{domain.NO_EMAIL}{claims.user_id}",
            password_hash="",
            display_name=claims.name,
            organisation_id=claims.organisation_id,
            role=claims.role,
            created_at=known.created_at if known else now,
        )
        events = sealed([domain.told_member(user)], now=now)
        if await (store.save_user(db, user, events) if known else store.insert_user_once(db, user, events)):
            db.outbox.send(store.USERS, user.id, events)
            return user
    raise ChangedMeanwhile


async def change_profile(db: Database, *, session: Session, changes: ProfileChanges, now: datetime) -> User:
    """Change one's name or password; a new password ends one's other sessions.

    Raises:
        ValidationFailed: the current password is missing or wrong.
        ChangedMeanwhile: others keep changing the record.
    """
    caller = session.caller
    for _ in range(_MOST_RACES):
        user = await store.get_user(db, caller.user_id, organisation_id=caller.organisation_id)
        new = replace(user, version=user.version + 1, display_name=changes.display_name or user.display_name)
        if changes.password:
            current = changes.current_password.get_secret_value() if changes.current_password else ""
            if not await passwords.fits(current, user.password_hash):
                raise ValidationFailed.at("/current_password", "is not the current password")
            new = replace(new, password_hash=await passwords.make_hash(changes.password.get_secret_value()))
        events = sealed([domain.told_member(new)], now=now)
        if await store.save_user(db, new, events):
            db.outbox.send(store.USERS, new.id, events)
            if changes.password:
                await store.end_sessions_of(db, user.id, now=now, but=session.id)
            return new
    raise ChangedMeanwhile


async def change_organisation(
    db: Database, *, caller: Caller, organisation_id: str, changes: OrganisationChanges, now: datetime
) -> Organisation:
    """Change an organisation's public record.

    Raises:
        OrganisationNotFound, OwnerNeeded: the caller is no owner of it.
        ChangedMeanwhile: others keep changing the record.
    """
    domain.must_own(caller, organisation_id)
    for _ in range(_MOST_RACES):
        organisation = domain.changed(await store.get_organisation(db, organisation_id), changes)
        if await store.save_organisation(db, organisation, sealed([domain.told(organisation)], now=now)):
            return organisation
    raise ChangedMeanwhile


async def close_organisation(
    db: Database, *, organisation_id: str, is_closed: bool, now: datetime
) -> Organisation:
    """Close an organisation, or open it again; done by the operator alone.

    Raises:
        OrganisationNotFound: there is none.
        ChangedMeanwhile: others keep changing the record.
    """
    for _ in range(_MOST_RACES):
        before = await store.get_organisation(db, organisation_id)
        if before.closed == is_closed:
            return before
        organisation = replace(before, version=before.version + 1, closed=is_closed)
        if await store.save_organisation(db, organisation, sealed([domain.told(organisation)], now=now)):
            return organisation
    raise ChangedMeanwhile


async def set_logo(db: Database, *, caller: Caller, organisation_id: str, picture: bytes) -> Organisation:
    """Give an organisation another logo.

    Raises:
        OrganisationNotFound, OwnerNeeded: the caller is no owner of it.
    """
    domain.must_own(caller, organisation_id)
    await store.save_logo(db, organisation_id, name=hashlib.sha256(picture).hexdigest()[:16], picture=picture)
    return await store.get_organisation(db, organisation_id)


async def invite(
    db: Database, *, caller: Caller, organisation_id: str, new: NewInvitation, now: datetime
) -> tuple[Invitation, str]:
    """Invite somebody into the caller's organisation; give the token, which is stored nowhere.

    Raises:
        OrganisationNotFound, OwnerNeeded: the caller is no owner of it.
    """
    domain.must_own(caller, organisation_id)
    token = secrets.token_urlsafe(24)
    invitation = Invitation(
        id=new_id(),
        organisation_id=organisation_id,
        role=new.role,
        email=new.email,
        expires_at=now + domain.INVITATION_LIFETIME,
        used_by=None,
    )
    await store.insert_invitation(db, invitation, token=token)
    return invitation, token


async def change_role(
    db: Database, *, caller: Caller, organisation_id: str, user_id: str, role: Role, now: datetime
) -> User:
    """Give a member another role.

    Raises:
        OrganisationNotFound, OwnerNeeded, MemberNotFound: the caller cannot do this here.
        LastOwner: nobody would be left to manage the organisation.
    """
    domain.must_own(caller, organisation_id)

    async def body(tx: mongo.Session) -> tuple[User, Sealed]:
        await store.lock_organisation(db, organisation_id, within=tx)
        user = await store.get_user(db, user_id, organisation_id=organisation_id)
        await _keep_an_owner(db, user, role=role, within=tx)
        new = replace(user, version=user.version + 1, role=role)
        events = sealed([domain.told_member(new)], now=now)
        if not await store.save_user(db, new, events, within=tx):
            raise ChangedMeanwhile
        return new, events

    user, events = await mongo.in_transaction(db, body)
    db.outbox.send(store.USERS, user.id, events)
    return user


async def remove_member(
    db: Database, *, caller: Caller, organisation_id: str, user_id: str, now: datetime
) -> None:
    """End a member's access, at once and everywhere.

    Raises:
        OrganisationNotFound, OwnerNeeded, MemberNotFound: the caller cannot do this here.
        LastOwner: nobody would be left to manage the organisation.
    """
    domain.must_own(caller, organisation_id)

    async def body(tx: mongo.Session) -> Sealed:
        await store.lock_organisation(db, organisation_id, within=tx)
        user = await store.get_user(db, user_id, organisation_id=organisation_id)
        await _keep_an_owner(db, user, role=None, within=tx)
        gone = replace(
            user,
            version=user.version + 1,
            # The address is free again, and the record stays for the histories that name the person.
            email=f"{domain.NO_EMAIL}{user.id}",
            password_hash="",
            organisation_id=f"removed:{organisation_id}",
        )
        told = domain.told_member(replace(user, version=gone.version), removed=True)
        events = sealed([told], now=now)
        if not await store.save_user(db, gone, events, within=tx):
            raise ChangedMeanwhile
        await store.end_sessions_of(db, user_id, now=now, within=tx)
        return events

    events = await mongo.in_transaction(db, body)
    db.outbox.send(store.USERS, user_id, events)


async def _keep_an_owner(db: Database, user: User, *, role: Role | None, within: mongo.Session) -> None:
    losing = user.role == "owner" and role != "owner"
    if losing and await store.count_owners(db, user.organisation_id, within=within) < 2:  # noqa: PLR2004
        raise LastOwner("make somebody else an owner first")


def _founded(registration: Registration, *, organisation_id: str, now: datetime) -> Organisation:
    new = registration.organisation
    assert new is not None  # noqa: S101 - the model says so when there is no invitation
    return Organisation(
        id=organisation_id,
        version=1,
        name=new.name,
        kind=new.kind,
        country=new.country,
        time_zone=new.time_zone or domain.time_zone_of(new.country),
        language=new.language,
        address=None,
        logo=None,
        created_at=now,
    )
