"""A market whose doors are tried: one order with everything on it, and people of both sides."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import pytest
import requests

from deploy.local import Suite
from tests.e2e.test_order_journey import a_photo

PASSWORD = "correct horse battery"


@dataclass(frozen=True, kw_only=True)
class Market:
    """Real names for whatever a path can name, and who owns the two organisations."""

    base: str
    owners: dict[str, dict[str, str]]
    names: dict[str, str]

    def somebody(self, side: str) -> dict[str, str]:
        """Bring a new member into a side's organisation; give the headers that sign them in."""
        owner = self.owners[side]
        path = f"/organisations/{self.names[f'{side}_id']}/invitations"
        invited = self.call("POST", path, {"role": "owner"}, headers=owner)
        account = {
            "email": f"{uuid4().hex}@{side}.example",
            "password": PASSWORD,
            "display_name": "Somebody",
            "invitation": invited["token"],
        }
        self.call("POST", "/auth/register", account)
        return self.signed_in(account["email"])

    def signed_in(self, email: str) -> dict[str, str]:
        token = self.call("POST", "/auth/login", {"email": email, "password": PASSWORD})["access_token"]
        return {"Authorization": f"Bearer {token}"}

    def call(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **more: Any
    ) -> Any:
        url = f"{self.base}/api/v1{path}"
        response = in_time(
            lambda: requests.request(method, url, json=body, headers=headers, timeout=30, **more)
        )
        assert response.ok, response.text
        return response.json() if response.content else None


def in_time(call: Callable[[], Any]) -> Any:
    """Call again where a service is late for a moment, as on a busy machine: that is no finding."""
    for _ in range(4):
        response = call()
        if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
            return response
        time.sleep(1)
    return call()


@pytest.fixture(scope="session")
def market(suite: Suite) -> Market:
    market = Market(base=suite.endpoints.gateway, owners={}, names={})
    for side in ("buyer", "factory"):
        email = f"{uuid4().hex}@{side}.example"
        account = {"email": email, "password": PASSWORD, "display_name": "Owner"}
        account |= {"organisation": {"name": f"The {side}", "kind": side}}
        market.names[f"{side}_id"] = market.call("POST", "/auth/register", account)["organisation"]["id"]
        market.owners[side] = market.signed_in(email)
    _trade(market)
    return market


def _trade(market: Market) -> None:
    buyer, factory, names = market.owners["buyer"], market.owners["factory"], market.names
    quote = {
        "quote_id": uuid4().hex,
        "factory_id": names["factory_id"],
        "product": {"name": "Bracket"},
        "quantity": 5,
        "unit_price": {"amount": "1.00", "currency": "EUR"},
        "deadline": (datetime.now(UTC) + timedelta(days=9)).date().isoformat(),
    }
    order_id = market.call("POST", "/orders", quote, headers=buyer)["id"]
    path = f"/orders/{order_id}"
    file = {"file": ("photo.jpg", a_photo(), "image/jpeg")}
    attachment = market.call("POST", f"{path}/attachments", files=file, headers=buyer)
    message = {"text": "The sample", "attachment_ids": [attachment["id"]]}
    market.call("POST", f"{path}/messages", message, headers=buyer)
    for step in ("in_production", "quality_check", "shipped"):
        market.call("POST", f"{path}/status", {"to": step}, headers=factory)
    market.call("POST", f"{path}/receipt", {}, headers=buyer)
    review = market.call("POST", f"{path}/reviews", {"rating": 4}, headers=buyer)
    webhook = market.call("POST", "/webhooks", {"url": "http://127.0.0.1:9/"}, headers=buyer)
    names |= {
        "order_id": order_id,
        "attachment_id": attachment["id"],
        "review_id": review["id"],
        "webhook_id": webhook["id"],
        "organisation_id": names["buyer_id"],
    }
