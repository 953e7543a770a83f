"""Notifications in their reader's language, and webhooks with and without their secret."""

from services.notifications.domain import wording
from services.notifications.domain.notification import Notification
from services.notifications.domain.webhook import Delivery, Webhook
from shared.api import notifications as api
from shared.api import webhooks as webhooks_api
from shared.api.text import Language


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


def webhook(webhook: Webhook) -> webhooks_api.Webhook:
    return webhooks_api.Webhook(
        id=webhook.id,
        url=webhook.url,
        event_types=list(webhook.event_types),
        enabled=webhook.enabled,
        disabled_reason=webhook.disabled_reason,
        failing_since=webhook.failing_since,
        created_at=webhook.created_at,
    )


def webhook_with_secret(shown: Webhook) -> webhooks_api.WebhookWithSecret:
    return webhooks_api.WebhookWithSecret(**webhook(shown).model_dump(), secret=shown.secrets[0].value)


def delivery(delivery: Delivery) -> webhooks_api.Delivery:
    return webhooks_api.Delivery(
        id=delivery.id,
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        state=delivery.state,
        attempts=list(delivery.attempts),
        next_attempt_at=delivery.next_at,
        created_at=delivery.created_at,
    )
