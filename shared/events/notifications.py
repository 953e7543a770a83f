"""Events that the notifications service publishes."""

from typing import ClassVar

from shared.api.notifications import Notification
from shared.events.base import Fact


class NotificationCreated(Fact):
    """A user's feed has a new entry."""

    type: ClassVar[str] = "notification.created.v1"
    source: ClassVar[str] = "/services/notifications"

    user_id: str
    organisation_id: str
    notification: Notification

    @property
    def subject(self) -> str | None:
        return self.notification.order_id
