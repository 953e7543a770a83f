"""What notifications say, in English and in Chinese: pure. A message's text is never part of it."""

from typing import Final

from services.notifications.domain.notification import Notification
from shared.api.text import Language

_STATUS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "confirmed": "confirmed",
        "in_production": "in production",
        "quality_check": "in quality check",
        "shipped": "shipped",
        "delivered": "delivered",
        "completed": "completed",
    },
    "zh": {
        "confirmed": "已确认",
        "in_production": "生产中",
        "quality_check": "质检中",
        "shipped": "已发货",
        "delivered": "已送达",
        "completed": "已完成",
    },
}


def title_and_body(notification: Notification, *, language: Language) -> tuple[str, str]:
    """Say it to its reader."""
    if notification.kind == "webhook_disabled":
        return _webhook_disabled(notification, language=language)
    other = notification.facts["factory" if notification.side == "buyer" else "buyer"]
    said = _english if language == "en" else _chinese
    return said(notification, other=other)


def _webhook_disabled(notification: Notification, *, language: Language) -> tuple[str, str]:
    host = notification.facts["host"]
    if language == "en":
        title = f"The webhook to {host} was switched off"
        return title, (
            "Its receiver failed for too long. Switch it on again when the receiver is back; what it missed "
            "can be read from the event feed."
        )
    return (
        f"发往 {host} 的 Webhook 已停用",
        "接收方长时间未能成功响应。接收方恢复后请重新启用；期间错过的事件可从事件流读取。",
    )


def _english(notification: Notification, *, other: str) -> tuple[str, str]:  # noqa: C901, PLR0911 - one a kind
    facts, count = notification.facts, notification.count
    number, about = facts["number"], f"{facts['product']} · {other}"
    match notification.kind:
        case "order_created" if notification.side == "factory":
            return f"New order {number}", f"{other} accepted your quote for {facts['product']}."
        case "order_created":
            return f"Order {number} is confirmed", about
        case "order_status_changed":
            return f"Order {number} is {_STATUS['en'][facts['status']]}", about
        case "receipt_requested":
            return f"Please confirm receipt of {number}", f"{other} asks whether {facts['product']} arrived."
        case "receipt_reminder":
            return f"Please confirm receipt of {number}", _sentence(
                about, "Without an answer, receipt counts as confirmed on {}.", facts["automatic_on"]
            )
        case "deadline_near":
            days = facts["days_left"]
            left = "soon" if days is None else "today" if days == 0 else f"in {_counted(days, 'day')}"
            return f"Order {number} is due {left}", f"{about}. Deadline: {facts['deadline']}."
        case "order_overdue":
            return f"Order {number} is overdue", f"{about}. {_counted(facts['days_late'], 'day')} late."
        case "message_received":
            return f"{_counted(count, 'new message')} on order {number}", f"From {facts['from']}, {other}"
        case "review_opened":
            return f"How was {other}?", f"You can now review order {number} ({facts['product']})."
        case "review_received":
            stars = _counted(facts["rating"], "star")
            return f"{other} reviewed you: {stars}", f"Order {number} ({facts['product']})."
        case _:
            raise ValueError(notification.kind)


def _chinese(notification: Notification, *, other: str) -> tuple[str, str]:  # noqa: C901, PLR0911 - one a kind
    facts, count = notification.facts, notification.count
    number, about = facts["number"], f"{facts['product']} · {other}"
    match notification.kind:
        case "order_created" if notification.side == "factory":
            return f"新订单 {number}", f"{other} 已接受您对 {facts['product']} 的报价。"
        case "order_created":
            return f"订单 {number} 已确认", about
        case "order_status_changed":
            return f"订单 {number} {_STATUS['zh'][facts['status']]}", about
        case "receipt_requested":
            return f"请确认收到订单 {number} 的货物", f"{other} 想知道 {facts['product']} 是否已送达。"
        case "receipt_reminder":
            return f"请确认收到订单 {number} 的货物", _sentence(
                about, "如未确认，系统将于 {} 自动确认收货。", facts["automatic_on"]
            )
        case "deadline_near":
            days = facts["days_left"]
            left = "即将到期" if days is None else "今天到期" if days == 0 else f"还有 {days} 天到期"
            return f"订单 {number} {left}", f"{about}。交货日期：{facts['deadline']}。"
        case "order_overdue":
            return f"订单 {number} 已逾期", f"{about}。已逾期 {facts['days_late']} 天。"
        case "message_received":
            return f"订单 {number} 有 {count} 条新消息", f"来自 {other} 的 {facts['from']}"
        case "review_opened":
            return f"请评价 {other}", f"您现在可以评价订单 {number}（{facts['product']}）。"
        case "review_received":
            return f"{other} 给了您 {facts['rating']} 星评价", f"订单 {number}（{facts['product']}）。"
        case _:
            raise ValueError(notification.kind)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _sentence(about: str, sentence: str, value: str | None) -> str:
    return f"{about}. {sentence.format(value)}" if value else about
