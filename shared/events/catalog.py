"""Every event there is: consumers, documents and the live stream's audience all walk this tuple."""

from typing import Final

from shared.events.accounts import MemberChanged, OrganisationChanged
from shared.events.base import Fact
from shared.events.chat import (
    AppealSubmitted,
    AttachmentFlagged,
    AttachmentStored,
    MessageBlocked,
    MessageRead,
    MessageSent,
)
from shared.events.notifications import NotificationCreated
from shared.events.orders import OrderCreated, OrderOverdue, OrderStatusChanged, OrderUpdated, QuoteAccepted
from shared.events.reviews import ReviewOpened, ReviewSubmitted

EVENTS: Final[tuple[type[Fact], ...]] = (
    QuoteAccepted,
    OrderCreated,
    OrderStatusChanged,
    OrderUpdated,
    OrderOverdue,
    MessageSent,
    MessageRead,
    MessageBlocked,
    AppealSubmitted,
    AttachmentStored,
    AttachmentFlagged,
    ReviewOpened,
    ReviewSubmitted,
    NotificationCreated,
    OrganisationChanged,
    MemberChanged,
)
