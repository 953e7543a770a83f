"""The feed, preferences, webhooks, the event feed, help and support."""

from fastapi import APIRouter, Response

from gateway.clients import ServiceUnavailable
from gateway.forward import Forward
from gateway.limits import TooManyRequests, limited
from gateway.session import CsrfHeaderMissing
from shared import errors
from shared.api.notifications import (
    ChosenPreferences,
    MarkRead,
    Notification,
    Preferences,
    UnreadNotifications,
)
from shared.api.page import Page
from shared.http import Cursor, Limit, problems

router = APIRouter(tags=["notifications"])

_READ = (errors.Unauthenticated, ServiceUnavailable)
_WRITE = (*_READ, CsrfHeaderMissing, errors.ValidationFailed, TooManyRequests)


@router.get(
    "/notifications",
    response_model=Page[Notification],
    responses=problems(*_READ, errors.ValidationFailed),
)
async def list_notifications(forward: Forward, limit: Limit = 20, cursor: Cursor = None) -> Response:
    """Read one's feed, newest first."""
    del limit, cursor
    return await forward("notifications")


@router.post(
    "/notifications/read",
    response_model=UnreadNotifications,
    dependencies=[limited],
    responses=problems(*_WRITE),
)
async def mark_notifications_read(body: MarkRead, forward: Forward) -> Response:
    del body
    return await forward("notifications")


@router.get("/notifications/preferences", response_model=Preferences, responses=problems(*_READ))
async def get_preferences(forward: Forward) -> Response:
    """Read how one wants to be told of what."""
    return await forward("notifications")


@router.put(
    "/notifications/preferences",
    response_model=Preferences,
    dependencies=[limited],
    responses=problems(*_WRITE),
)
async def set_preferences(body: ChosenPreferences, forward: Forward) -> Response:
    """Choose how one wants to be told of what; what is left out is as the organisation has it, or the default."""
    del body
    return await forward("notifications")
