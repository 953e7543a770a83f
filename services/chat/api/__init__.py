"""The chat service over HTTP, for the gateway alone."""

from fastapi import APIRouter

from services.chat.api import appeals, files, threads

router = APIRouter()
router.include_router(threads.router)
router.include_router(files.router)
router.include_router(appeals.router)
