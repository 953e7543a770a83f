"""The feed and the preferences of the caller."""

from fastapi import APIRouter

from services.notifications import views
from services.notifications.store import feed, people
from services.notifications.use_cases import feed as use_cases
from shared.api.notifications import (
    ChosenPreferences,
    MarkRead,
    Notification,
    Preferences,
    UnreadNotifications,
)
from shared.api.page import Page
from shared.http import CurrentCaller, Cursor, Db, Limit, Now
from shared.identity import Caller
from shared.mongo import Database

router = APIRouter()


@router.get("/notifications")
async def list_notifications(
    caller: CurrentCaller, db: Db, limit: Limit = 20, cursor: Cursor = None
) -> Page[Notification]:
    wanted = await _preferences_of(caller, db)
    found, next_cursor = await feed.find_feed(db, caller.user_id, limit=limit, cursor=cursor)
    items = [views.notification(notification, language=wanted.language) for notification in found]
    return Page[Notification](items=items, next_cursor=next_cursor)


@router.get("/notifications/unread")
async def count_unread(caller: CurrentCaller, db: Db) -> UnreadNotifications:
    return UnreadNotifications(unread=await feed.unread(db, caller.user_id))


@router.post("/notifications/read")
async def mark_read(body: MarkRead, caller: CurrentCaller, db: Db, now: Now) -> UnreadNotifications:
    return UnreadNotifications(unread=await use_cases.mark_read(db, which=body, caller=caller, now=now))


@router.get("/notifications/preferences")
async def get_preferences(caller: CurrentCaller, db: Db) -> Preferences:
    return await _preferences_of(caller, db)


@router.put("/notifications/preferences")
async def set_preferences(body: ChosenPreferences, caller: CurrentCaller, db: Db) -> Preferences:
    await people.save_choices(db, caller.user_id, body)
    return await _preferences_of(caller, db)


async def _preferences_of(caller: Caller, db: Database) -> Preferences:
    return (await people.preferences_of(db, {caller.user_id: caller.organisation_id}))[caller.user_id]
