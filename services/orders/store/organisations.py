"""What orders keeps of organisations and their people, as the gateway told it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.orders.domain import Organisation
from shared import inbox
from shared.errors import NotFound, ValidationFailed
from shared.events.accounts import MemberChanged, OrganisationChanged
from shared.mongo import Database

ORGANISATIONS: Final = "organisations"
MEMBERS: Final = "members"


class OrganisationNotKnown(NotFound):
    """Orders has not heard of this organisation yet; whoever knows it may introduce it."""

    title = "Organisation not known yet"

    def __init__(self, organisation_id: str) -> None:
        super().__init__(
            f"organisation {organisation_id[:100]!r} is not known", organisation_id=organisation_id
        )


@dataclass(frozen=True, kw_only=True)
class Member:
    name: str
    organisation_id: str


async def keep_organisation(db: Database, record: OrganisationChanged) -> None:
    """Keep a public record, unless a newer one is known.

    Raises:
        ValidationFailed: its time zone is none.
    """
    try:
        ZoneInfo(record.time_zone)
    except (OSError, ValueError, ZoneInfoNotFoundError) as error:
        raise ValidationFailed.at("/time_zone", f"{record.time_zone[:100]!r} is no IANA time zone") from error
    await inbox.keep_newer(
        db,
        ORGANISATIONS,
        record.organisation_id,
        version=record.version,
        record={"name": record.name, "kind": record.kind, "time_zone": record.time_zone},
    )


async def get_organisation(db: Database, organisation_id: str) -> Organisation:
    """Read what is known of an organisation.

    Raises:
        OrganisationNotKnown: nothing yet.
    """
    found = await db[ORGANISATIONS].find_one({"_id": organisation_id})
    if found is None:
        raise OrganisationNotKnown(organisation_id)
    return Organisation(
        id=found["_id"],
        version=found["version"],
        name=found["name"],
        kind=found["kind"],
        time_zone=found["time_zone"],
    )


async def keep_member(db: Database, record: MemberChanged) -> None:
    await inbox.keep_newer(
        db,
        MEMBERS,
        record.user_id,
        version=record.version,
        record={"name": record.display_name, "organisation_id": record.organisation_id},
    )


async def find_member(db: Database, user_id: str) -> Member | None:
    found = await db[MEMBERS].find_one({"_id": user_id})
    return Member(name=found["name"], organisation_id=found["organisation_id"]) if found else None


async def find_completed_tally(db: Database, organisation_id: str) -> tuple[int, datetime] | None:
    """Read how many orders were completed up to an instant; `None` before the first count was kept."""
    found = await db[ORGANISATIONS].find_one({"_id": organisation_id}, {"completed": 1})
    tally = (found or {}).get("completed")
    return (tally["count"], tally["up_to"]) if tally else None


async def keep_completed_tally(db: Database, organisation_id: str, *, count: int, up_to: datetime) -> None:
    await db[ORGANISATIONS].update_one(
        {"_id": organisation_id}, {"$set": {"completed": {"count": count, "up_to": up_to}}}
    )
