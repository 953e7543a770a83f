"""Who belongs to which organisation, and how each wants to hear of things."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from pymongo import IndexModel

from services.notifications.domain.notification import Member, Recipient
from shared import inbox
from shared.api.notifications import Preferences
from shared.errors import NotFound
from shared.events.accounts import MemberChanged
from shared.mongo import Database

MEMBERS: Final = "members"
PREFERENCES: Final = "preferences"


class MembersNotKnown(NotFound):
    """Nobody of this organisation has been heard of yet."""

    title = "Members not known yet"

    def __init__(self, organisation_id: str) -> None:
        super().__init__(f"no member of organisation {organisation_id!r} is known")


async def ensure_indexes(db: Database) -> None:
    await db[MEMBERS].create_indexes([IndexModel("organisation_id")])


async def keep_member(db: Database, member: MemberChanged) -> None:
    record = member.model_dump(exclude={"user_id", "version"})
    await inbox.keep_newer(db[MEMBERS], member.user_id, version=member.version, record=record)


async def recipients(
    db: Database, organisation_id: str, *, at: datetime, doer: str | None
) -> list[Recipient]:
    """List whom a fact of this moment is told to: who was a member then and still is, but not its doer.

    Raises:
        MembersNotKnown: nobody of the organisation is known yet.
    """
    members = await db[MEMBERS].find({"organisation_id": organisation_id}).to_list(None)
    if not members:
        raise MembersNotKnown(organisation_id)
    return [
        Recipient(user_id=found["_id"], organisation_id=organisation_id, role=found["role"])
        for found in members
        if not found["removed"] and found["joined_at"] <= at and found["_id"] != doer
    ]


async def find_member(db: Database, user_id: str) -> Member | None:
    """Read a member's record, unless they have left."""
    found = await db[MEMBERS].find_one({"_id": user_id, "removed": False})
    return Member(name=found["display_name"], email=found["email"]) if found else None


async def find_address(db: Database, user_id: str) -> str | None:
    """Read where a user can be answered, also after they have left."""
    found = await db[MEMBERS].find_one({"_id": user_id}, {"email": 1})
    return found["email"] if found else None


async def preferences_of(db: Database, user_ids: Iterable[str]) -> dict[str, Preferences]:
    """Read how users want to hear of things; who never said so gets the defaults."""
    wanted = list(user_ids)
    found = await db[PREFERENCES].find({"_id": {"$in": wanted}}).to_list(None)
    told = {document["_id"]: Preferences.model_validate(document) for document in found}
    return {user_id: told.get(user_id, Preferences()) for user_id in wanted}


async def save_preferences(db: Database, user_id: str, preferences: Preferences) -> None:
    await db[PREFERENCES].replace_one({"_id": user_id}, preferences.model_dump(), upsert=True)
