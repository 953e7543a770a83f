"""Finds what would take a deal off the platform: addresses, numbers, handles and links, also in disguise."""

from shared.contact_guard.finding import Context, Finding, Kind
from shared.contact_guard.guard import check

__all__ = ["Context", "Finding", "Kind", "check"]
