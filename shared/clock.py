"""The one place that asks the time."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Give the time in UTC, cut to the milliseconds that MongoDB keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
