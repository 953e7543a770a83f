"""Orders and their rules: pure, and total over every status, action, caller and version."""

from services.orders.domain.deadline import due_of, due_soon_at, on_time, overdue_at, start_of_day
from services.orders.domain.order import (
    FACTORY_STEPS,
    PIPELINE,
    Order,
    OrderEvent,
    Organisation,
    Rules,
    allowed_actions,
    next_status,
    steps_of,
)
from services.orders.domain.quote import QuoteAlreadyAccepted, QuoteContradicted, accept, contradictions
from services.orders.domain.steps import (
    AwaitingBuyerConfirmation,
    InvalidTransition,
    ReceiptAlreadyExtended,
    ReceiptRecentlyRequested,
    advance,
    confirm_receipt,
    extend_receipt,
    follow_time_zone,
    record_review,
    request_receipt,
)
from services.orders.domain.timers import Timer, fire, next_timer_at, timers

__all__ = [
    "FACTORY_STEPS",
    "PIPELINE",
    "AwaitingBuyerConfirmation",
    "InvalidTransition",
    "Order",
    "OrderEvent",
    "Organisation",
    "QuoteAlreadyAccepted",
    "QuoteContradicted",
    "ReceiptAlreadyExtended",
    "ReceiptRecentlyRequested",
    "Rules",
    "Timer",
    "accept",
    "advance",
    "allowed_actions",
    "confirm_receipt",
    "contradictions",
    "due_of",
    "due_soon_at",
    "extend_receipt",
    "fire",
    "follow_time_zone",
    "next_status",
    "next_timer_at",
    "on_time",
    "overdue_at",
    "record_review",
    "request_receipt",
    "start_of_day",
    "steps_of",
    "timers",
]
