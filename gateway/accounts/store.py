"""Accounts in MongoDB: organisations, users, sessions and invitations."""

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from gateway.accounts.domain import (
    EmailTaken,
    Invitation,
    InvitationNotFound,
    InvitationNotUsable,
    LogoNotFound,
    MemberNotFound,
    Organisation,
    OrganisationNotFound,
    Session,
    User,
)
from shared import inbox, migrations
from shared.events.chat import MessageBlocked
from shared.identity import Caller, Role
from shared.ids import new_id
from shared.mongo import Database, Document
from shared.mongo import Session as Transaction
from shared.outbox import Sealed

ORGANISATIONS: Final = "organisations"
USERS: Final = "users"
SESSIONS: Final = "sessions"
INVITATIONS: Final = "invitations"
BLOCKS: Final = "blocks"

# Long past any outage of the broker that nobody repairs; as long as chat keeps its own.
_BLOCKS_KEPT: Final = timedelta(days=30)


async def _drop_attempts(db: Database) -> None:
    """Forget the attempts to sign in as they were counted once; `gateway.counts` does it now."""
    await db["login_attempts"].drop()


STEPS_OF: Final[migrations.Steps] = {"login_attempts": (_drop_attempts,)}


async def ensure_indexes(db: Database) -> None:
    await db[USERS].create_indexes(
        [IndexModel("email", unique=True), IndexModel([("organisation_id", ASCENDING), ("_id", ASCENDING)])]
    )
    await db[SESSIONS].create_indexes(
        [
            IndexModel("expires_at", expireAfterSeconds=0),
            IndexModel("caller.user_id"),
            IndexModel("caller.organisation_id"),
        ]
    )
    await db[INVITATIONS].create_indexes(
        [
            IndexModel("token_hash", unique=True),
            IndexModel([("organisation_id", ASCENDING), ("_id", ASCENDING)]),
        ]
    )
    await db[BLOCKS].create_index("at", expireAfterSeconds=int(_BLOCKS_KEPT.total_seconds()), name="expiry")


async def insert_block(db: Database, blocked: MessageBlocked, events: Sealed, *, now: datetime) -> None:
    """Keep that a name was refused; nothing is kept of the name."""
    block_id = new_id()
    await db[BLOCKS].insert_one({"_id": block_id, "at": now} | blocked.model_dump() | events.fields)
    db.outbox.send(BLOCKS, block_id, events)


def digest(token: str) -> str:
    """Hash a secret of high entropy, so that a stolen database signs nobody in."""
    return hashlib.sha256(token.encode()).hexdigest()


# -- organisations and users ----------------------------------------------------------------------


async def insert_organisation(
    db: Database, organisation: Organisation, events: Sealed, *, within: Transaction
) -> None:
    await db[ORGANISATIONS].insert_one(_organisation_document(organisation) | events.fields, session=within)


async def insert_user(db: Database, user: User, events: Sealed, *, within: Transaction) -> None:
    """Store a new user.

    Raises:
        EmailTaken: somebody else has the address.
    """
    try:
        await db[USERS].insert_one(_user_document(user) | events.fields, session=within)
    except DuplicateKeyError as error:
        raise EmailTaken("there is an account with this e-mail address") from error


async def insert_organisation_once(db: Database, organisation: Organisation, events: Sealed) -> bool:
    return await inbox.insert_once(db, ORGANISATIONS, _organisation_document(organisation) | events.fields)


async def insert_user_once(db: Database, user: User, events: Sealed) -> bool:
    return await inbox.insert_once(db, USERS, _user_document(user) | events.fields)


async def get_organisation(db: Database, organisation_id: str) -> Organisation:
    """Read an organisation's record.

    Raises:
        OrganisationNotFound: there is none.
    """
    found = await db.find_by_id(
        ORGANISATIONS, organisation_id, hiding=("outbox", "outbox_at", "logo.picture")
    )
    if found is None:
        raise OrganisationNotFound(f"there is no organisation {organisation_id[:100]!r}")
    return _organisation(found)


async def save_organisation(db: Database, organisation: Organisation, events: Sealed) -> bool:
    """Store the next version; tell whether nobody was faster."""
    document = _organisation_document(organisation)
    del document["_id"]
    result = await db[ORGANISATIONS].update_one(
        {"_id": organisation.id, "version": organisation.version - 1}, events.into({"$set": document})
    )
    if result.matched_count == 0:
        return False
    db.outbox.send(ORGANISATIONS, organisation.id, events)
    await db[SESSIONS].update_many(
        {"caller.organisation_id": organisation.id}, {"$set": {"caller.organisation_name": organisation.name}}
    )
    return True


async def save_logo(db: Database, organisation_id: str, *, name: str, picture: bytes) -> None:
    """Keep a picture of some kilobytes, inside the record that names it."""
    await db[ORGANISATIONS].update_one(
        {"_id": organisation_id}, {"$set": {"logo": {"name": name, "picture": picture}}}
    )


async def delete_logo(db: Database, organisation_id: str) -> None:
    await db[ORGANISATIONS].update_one({"_id": organisation_id}, {"$unset": {"logo": ""}})


async def get_logo(db: Database, organisation_id: str) -> tuple[str, bytes]:
    """Read a logo's name and picture.

    Raises:
        LogoNotFound: there is none.
    """
    found = await db[ORGANISATIONS].find_one({"_id": organisation_id}, {"logo": 1})
    if found is None or "logo" not in found:
        raise LogoNotFound("this organisation has no logo")
    return found["logo"]["name"], bytes(found["logo"]["picture"])


async def find_user_by_email(db: Database, email: str) -> User | None:
    found = await db[USERS].find_one({"email": email}, {"outbox": 0, "outbox_at": 0})
    return _user(found) if found else None


async def get_user(db: Database, user_id: str, *, organisation_id: str) -> User:
    """Read a member of an organisation.

    Raises:
        MemberNotFound: the organisation has no such member.
    """
    found = await db[USERS].find_one(
        {"_id": user_id, "organisation_id": organisation_id}, {"outbox": 0, "outbox_at": 0}
    )
    if found is None:
        raise MemberNotFound("your organisation has no such member")
    return _user(found)


async def find_members(db: Database, organisation_id: str) -> list[User]:
    cursor = (
        db[USERS].find({"organisation_id": organisation_id}, {"outbox": 0, "outbox_at": 0}).sort("_id", 1)
    )
    return [_user(found) async for found in cursor]


async def save_user(db: Database, user: User, events: Sealed, *, within: Transaction | None = None) -> bool:
    """Store the next version, and what its sessions show of it; tell whether nobody was faster."""
    document = _user_document(user)
    del document["_id"]
    result = await db[USERS].update_one(
        {"_id": user.id, "version": user.version - 1}, events.into({"$set": document}), session=within
    )
    if result.matched_count == 0:
        return False
    await db[SESSIONS].update_many(
        {"caller.user_id": user.id},
        {"$set": {"caller.name": user.display_name, "caller.role": user.role}},
        session=within,
    )
    return True


async def count_owners(db: Database, organisation_id: str, *, within: Transaction) -> int:
    count: int = await db[USERS].count_documents(
        {"organisation_id": organisation_id, "role": "owner"}, session=within
    )
    return count


async def lock_organisation(db: Database, organisation_id: str, *, within: Transaction) -> None:
    """Let only one transaction at a time decide about an organisation's owners."""
    await db[ORGANISATIONS].update_one(
        {"_id": organisation_id}, {"$inc": {"member_changes": 1}}, session=within
    )


# -- sessions -------------------------------------------------------------------------------------


async def insert_session(
    db: Database, *, token: str, caller: Caller, now: datetime, expires_at: datetime
) -> bool:
    """Begin a session; tell whether its token is new, as one that was ended stays ended."""
    return await inbox.insert_once(
        db,
        SESSIONS,
        {"_id": digest(token), "caller": caller.model_dump(), "created_at": now, "expires_at": expires_at},
    )


async def find_session(db: Database, token: str, *, now: datetime) -> Session | None:
    found = await db.find_by_id(SESSIONS, digest(token))
    if found is None or found["expires_at"] <= now or "ended_at" in found:
        return None
    return Session(id=found["_id"], caller=Caller.model_construct(**found["caller"]))


async def end_session(db: Database, session_id: str, *, now: datetime) -> None:
    await db[SESSIONS].update_one({"_id": session_id}, {"$set": {"ended_at": now}})


async def end_sessions_of(
    db: Database, user_id: str, *, now: datetime, but: str | None = None, within: Transaction | None = None
) -> None:
    await db[SESSIONS].update_many(
        {"caller.user_id": user_id, "_id": {"$ne": but}}, {"$set": {"ended_at": now}}, session=within
    )


async def find_live_sessions(db: Database, session_ids: Collection[str], *, now: datetime) -> set[str]:
    """Tell which of these sessions are not over."""
    cursor = db[SESSIONS].find(
        {"_id": {"$in": list(session_ids)}, "expires_at": {"$gt": now}, "ended_at": None}, {"_id": 1}
    )
    return {found["_id"] async for found in cursor}


# -- invitations ----------------------------------------------------------------------------------


async def insert_invitation(db: Database, invitation: Invitation, *, token: str) -> None:
    await db[INVITATIONS].insert_one(
        {
            "_id": invitation.id,
            "token_hash": digest(token),
            "organisation_id": invitation.organisation_id,
            "role": invitation.role,
            "email": invitation.email,
            "expires_at": invitation.expires_at,
            "used_by": None,
        }
    )


async def find_open_invitations(db: Database, organisation_id: str, *, now: datetime) -> list[Invitation]:
    cursor = db[INVITATIONS].find(
        {"organisation_id": organisation_id, "used_by": None, "expires_at": {"$gt": now}}
    )
    return [_invitation(found) async for found in cursor.sort("_id", 1)]


async def delete_invitation(db: Database, invitation_id: str, *, organisation_id: str) -> None:
    """Withdraw an invitation.

    Raises:
        InvitationNotFound: the organisation has no such open invitation.
    """
    result = await db[INVITATIONS].delete_one(
        {"_id": invitation_id, "organisation_id": organisation_id, "used_by": None}
    )
    if result.deleted_count == 0:
        raise InvitationNotFound("your organisation has no such open invitation")


async def get_invitation(db: Database, token: str, *, within: Transaction | None = None) -> Invitation:
    """Read an invitation by its token.

    Raises:
        InvitationNotUsable: there is none.
    """
    found = await db[INVITATIONS].find_one({"token_hash": digest(token)}, session=within)
    if found is None:
        raise InvitationNotUsable
    return _invitation(found)


async def use_invitation(db: Database, invitation_id: str, *, user_id: str, within: Transaction) -> None:
    """Mark an invitation as used, once.

    Raises:
        InvitationNotUsable: somebody was faster.
    """
    result = await db[INVITATIONS].update_one(
        {"_id": invitation_id, "used_by": None}, {"$set": {"used_by": user_id}}, session=within
    )
    if result.matched_count == 0:
        raise InvitationNotUsable


# -- document and model ---------------------------------------------------------------------------


def _organisation_document(organisation: Organisation) -> Document:
    return {
        "_id": organisation.id,
        "version": organisation.version,
        "name": organisation.name,
        "kind": organisation.kind,
        "country": organisation.country,
        "time_zone": organisation.time_zone,
        "language": organisation.language,
        "address": organisation.address,
        "created_at": organisation.created_at,
        "closed": organisation.closed,
    }


def _organisation(found: Document) -> Organisation:
    return Organisation(
        id=found["_id"],
        version=found["version"],
        name=found["name"],
        kind=found["kind"],
        country=found["country"],
        time_zone=found["time_zone"],
        language=found.get("language", "en"),
        address=found["address"],
        logo=found["logo"]["name"] if "logo" in found else None,
        created_at=found["created_at"],
        closed=found.get("closed", False),
    )


def _user_document(user: User) -> Document:
    return {
        "_id": user.id,
        "version": user.version,
        "email": user.email,
        "password_hash": user.password_hash,
        "display_name": user.display_name,
        "organisation_id": user.organisation_id,
        "role": user.role,
        "created_at": user.created_at,
    }


def _user(found: Document) -> User:
    return User(
        id=found["_id"],
        version=found["version"],
        email=found["email"],
        password_hash=found["password_hash"],
        display_name=found["display_name"],
        organisation_id=found["organisation_id"],
        role=found["role"],
        created_at=found["created_at"],
    )


def _invitation(found: Document) -> Invitation:
    role: Role = found["role"]
    return Invitation(
        id=found["_id"],
        organisation_id=found["organisation_id"],
        role=role,
        email=found["email"],
        expires_at=found["expires_at"],
        used_by=found["used_by"],
    )
