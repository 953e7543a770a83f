"""Identifiers: opaque to everybody, yet sorted by the time they were made."""

import uuid_utils


def new_id() -> str:
    """Make a UUIDv7."""
    return str(uuid_utils.uuid7())
