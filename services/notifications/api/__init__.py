"""The notifications service over HTTP, for the gateway alone."""

from fastapi import APIRouter

from services.notifications.api import feed, webhooks

router = APIRouter()
for part in (feed, webhooks):
    router.include_router(part.router)
