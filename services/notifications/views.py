"""Notifications in their reader's language."""

from services.notifications.domain import wording
from services.notifications.domain.notification import Notification
from shared.api import notifications as api
from shared.api.notifications import Language


def notification(notification: Notification, *, language: Language) -> api.Notification:
    title, body = wording.title_and_body(notification, language=language)
    return api.Notification(
        id=notification.id,
        kind=notification.kind,
        order_id=notification.order_id,
        title=title,
        body=body,
        count=notification.count,
        created_at=notification.created_at,
        read_at=notification.read_at,
    )
