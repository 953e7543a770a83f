"""Who belongs to which organisation, and how each wants to hear of things."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from pymongo import IndexModel

from services.notifications.domain.notification import Member, Recipient
from shared import inbox
from shared.api.notifications import ChosenPreferences, Preferences
from shared.errors import NotFound
from shared.events.accounts import MemberChanged, OrganisationChanged
from shared.mongo import Database, Document

MEMBERS: Final = "members"
ORGANISATIONS: Final = "organisations"
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
    await inbox.keep_newer(db, MEMBERS, member.user_id, version=member.version, record=record)


async def keep_organisation(db: Database, organisation: OrganisationChanged) -> None:
    record = organisation.model_dump(include={"language", "time_zone"})
    await inbox.keep_newer(
        db, ORGANISATIONS, organisation.organisation_id, version=organisation.version, record=record
    )


async def recipients(
    db: Database, organisation_id: str, *, at: datetime, doer: str | None
) -> list[Recipient]:
    """List whom a fact of this moment is told to: who was a member then and still is, but not its doer.

    Raises:
        MembersNotKnown: nobody of the organisation is known yet.
    """
    members = await db.together(_find_members)(organisation_id)
    if not members:
        raise MembersNotKnown(organisation_id)
    return [
        Recipient(user_id=found["_id"], organisation_id=organisation_id, role=found["role"])
        for found in members
        if not found["removed"] and found["joined_at"] <= at and found["_id"] != doer
    ]


async def _find_members(db: Database, organisation_ids: list[str]) -> list[list[Document]]:
    members: dict[str, list[Document]] = {organisation_id: [] for organisation_id in organisation_ids}
    async for found in db[MEMBERS].find({"organisation_id": {"$in": list(members)}}):
        members[found["organisation_id"]].append(found)
    return [members[organisation_id] for organisation_id in organisation_ids]


async def find_member(db: Database, user_id: str) -> Member | None:
    """Read a member's record, unless they have left."""
    found = await db[MEMBERS].find_one({"_id": user_id, "removed": False})
    if found is None:
        return None
    return Member(name=found["display_name"], email=found["email"], organisation_id=found["organisation_id"])


async def find_address(db: Database, user_id: str) -> str | None:
    """Read where a user can be answered, also after they have left."""
    found = await db[MEMBERS].find_one({"_id": user_id}, {"email": 1})
    return found["email"] if found else None


async def preferences_of(db: Database, users: Mapping[str, str]) -> dict[str, Preferences]:
    """Read how users want to hear of things, each with the organisation that decides where they did not."""
    chosen, known = await asyncio.gather(
        _found(db, PREFERENCES, users), _found(db, ORGANISATIONS, set(users.values()))
    )
    choices = {user_id: ChosenPreferences.model_validate(found) for user_id, found in chosen.items()}
    return {
        user_id: choices.get(user_id, ChosenPreferences()).where(
            # Its record is on its way, by an event.
            language=known[organisation_id]["language"] if organisation_id in known else "en",
            time_zone=known[organisation_id]["time_zone"] if organisation_id in known else "UTC",
        )
        for user_id, organisation_id in users.items()
    }


async def _found(db: Database, collection: str, keys: Collection[str]) -> dict[str, Document]:
    found = await asyncio.gather(*(db.find_by_id(collection, key) for key in keys))
    return {document["_id"]: document for document in found if document}


async def preferences_of_user(db: Database, user_id: str) -> Preferences:
    """Read how a user wants to hear of things, also one who has left."""
    found = await db[MEMBERS].find_one({"_id": user_id}, {"organisation_id": 1})
    return (await preferences_of(db, {user_id: found["organisation_id"] if found else ""}))[user_id]


async def choices_of(db: Database, user_id: str) -> ChosenPreferences:
    found = await db[PREFERENCES].find_one({"_id": user_id})
    return ChosenPreferences.model_validate(found) if found else ChosenPreferences()


async def save_choices(db: Database, user_id: str, chosen: ChosenPreferences) -> None:
    await db[PREFERENCES].replace_one({"_id": user_id}, chosen.model_dump(), upsert=True)
