"""Accounts over HTTP."""

from fastapi import APIRouter

from gateway.accounts.api import organisations, people, team
from gateway.accounts.api.organisations import is_upload
from gateway.accounts.views import organisation as organisation_view

__all__ = ["is_upload", "organisation_view", "router"]

router = APIRouter()
for part in (people, organisations, team):
    router.include_router(part.router)
