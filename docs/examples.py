"""One example of each event, for the documents and for integrators' tests."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from shared.api.chat import Attachment, Message, Sender
from shared.api.notifications import Notification
from shared.api.orders import Due, HistoryEntry, NextStep, Product, Status
from shared.events.accounts import MemberChanged, OrganisationChanged
from shared.events.base import CloudEvent, Fact, seal
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
from shared.identity import Person
from shared.money import Money

_NOW: Final = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
_ORDER: Final = "01a20000-0000-7000-8000-000000000001"
_BUYER: Final = "01a20000-0000-7000-8000-00000000000b"
_FACTORY: Final = "01a20000-0000-7000-8000-00000000000f"
_ANN: Final = Person(user_id="01a20000-0000-7000-8000-0000000000a1", name="Ann Okafor", side="buyer")
_LIN: Final = Person(user_id="01a20000-0000-7000-8000-0000000000a2", name="Lin Wei", side="factory")
_PRODUCT: Final = Product(name="Aluminium bracket", sku="BR-6061-20", specification="6061-T6, anodised")
_CONFIRMED: Final = HistoryEntry(status=Status.CONFIRMED, at=_NOW, by=_ANN)
_IN_PRODUCTION: Final = HistoryEntry(
    status=Status.IN_PRODUCTION, at=_NOW, by=_LIN, note="Material is in, first cut today"
)
_TOTAL: Final = Money(amount=Decimal("1600.00"), currency="USD")


def _order(version: int, status: Status, *history: HistoryEntry) -> dict[str, Any]:
    return {
        "order_id": _ORDER,
        "number": "MR-2026-000042",
        "version": version,
        "buyer_id": _BUYER,
        "buyer_name": "Halden Pumps",
        "factory_id": _FACTORY,
        "factory_name": "Ningbo Precision",
        "status": status,
        "product": _PRODUCT,
        "deadline": date(2027, 1, 15),
        "history": list(history),
    }


_PARTIES: Final[dict[str, Any]] = {"order_id": _ORDER, "buyer_id": _BUYER, "factory_id": _FACTORY}
_PHOTO: Final = Attachment(
    id="01a20000-0000-7000-8000-0000000000f1",
    filename="first-article.jpg",
    content_type="image/jpeg",
    size=482_113,
    sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    thumbnail_url="/api/v1/attachments/01a20000-0000-7000-8000-0000000000f1/thumbnail",
)
_MESSAGE: Final = Message(
    id="01a20000-0000-7000-8000-0000000000e1",
    seq=7,
    sender=Sender(user_id=_LIN.user_id, name=_LIN.name, side="factory"),
    text="First article is ready, photo attached.",
    attachments=[_PHOTO],
    sent_at=_NOW,
    read_by_other_side=False,
)

_FACTS: Final[tuple[Fact, ...]] = (
    QuoteAccepted(
        quote_id="Q-2026-1187",
        factory_id=_FACTORY,
        product=_PRODUCT,
        quantity=500,
        unit_price=Money(amount=Decimal("3.20"), currency="USD"),
        deadline=date(2027, 1, 15),
        shipping_terms="FOB Ningbo",
        destination="Halden, Norway",
        buyer_id=_BUYER,
        accepted_at=_NOW,
        accepted_by=_ANN.user_id,
    ),
    OrderCreated(
        **_order(1, Status.CONFIRMED, _CONFIRMED),
        quote_id="Q-2026-1187",
        quantity=500,
        unit="pcs",
        total=_TOTAL,
    ),
    OrderStatusChanged(
        **_order(2, Status.IN_PRODUCTION, _CONFIRMED, _IN_PRODUCTION),
        previous=Status.CONFIRMED,
        by_user_id=_LIN.user_id,
    ),
    OrderUpdated(
        **_order(5, Status.SHIPPED, _CONFIRMED, _IN_PRODUCTION),
        change="receipt_extended",
        by_user_id=_ANN.user_id,
        by_side="buyer",
        next_automatic_step=NextStep(to=Status.DELIVERED, at=_NOW),
        due=Due(state="on_track", days_left=53),
    ),
    OrderOverdue(**_order(3, Status.IN_PRODUCTION, _CONFIRMED, _IN_PRODUCTION), days_left=-1),
    MessageSent(**_PARTIES, message=_MESSAGE),
    MessageRead(**_PARTIES, user_id=_ANN.user_id, side="buyer", up_to=7),
    MessageBlocked(
        **_PARTIES, user_id=_LIN.user_id, where="message", kinds=["phone"], rules=["phone.international"]
    ),
    AppealSubmitted(
        **_PARTIES,
        user_id=_LIN.user_id,
        ref="01a20000-0000-7000-8000-0000000000b1",
        where="message",
        kinds=["phone"],
        rules=["phone.formatted"],
    ),
    AttachmentStored(**_PARTIES, user_id=_LIN.user_id, attachment=_PHOTO),
    AttachmentFlagged(
        **_PARTIES,
        user_id=_LIN.user_id,
        attachment_id=_PHOTO.id,
        kinds=["messenger"],
        rules=["url.profile"],
        withheld=False,
    ),
    ReviewOpened(**_PARTIES, by_side="buyer"),
    ReviewSubmitted(
        **_PARTIES,
        by_side="buyer",
        review_id="01a20000-0000-7000-8000-0000000000d1",
        rating=5,
        user_id=_ANN.user_id,
        user_name=_ANN.name,
    ),
    NotificationCreated(
        user_id=_LIN.user_id,
        organisation_id=_FACTORY,
        notification=Notification(
            id="01a20000-0000-7000-8000-0000000000c1",
            kind="order_created",
            order_id=_ORDER,
            title="New order MR-2026-000042",
            body="Halden Pumps ordered 500 pcs of Aluminium bracket.",
            created_at=_NOW,
            read_at=None,
        ),
    ),
    OrganisationChanged(
        organisation_id=_FACTORY,
        version=1,
        name="Ningbo Precision",
        kind="factory",
        country="CN",
        time_zone="Asia/Shanghai",
    ),
    MemberChanged(
        user_id=_LIN.user_id,
        organisation_id=_FACTORY,
        version=1,
        display_name=_LIN.name,
        email="lin@ningbo-precision.example",
        role="owner",
        joined_at=_NOW,
    ),
)

EXAMPLES: Final[dict[type[Fact], CloudEvent[Any]]] = {
    type(fact): seal(
        fact,
        event_id=f"01a20000-0000-7000-8000-{number:012x}",
        now=_NOW,
        correlation_id="req-7f3a",
        traceparent=None,
    )
    for number, fact in enumerate(_FACTS, start=0x100)
}
