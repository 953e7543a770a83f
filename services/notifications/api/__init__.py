"""The notifications service over HTTP, for the gateway alone."""

from fastapi import APIRouter

from services.notifications.api import feed, help_and_support, unsubscribing, webhooks

router = APIRouter()
for part in (feed, help_and_support, unsubscribing, webhooks):
    router.include_router(part.router)
