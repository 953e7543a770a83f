"""The link at the foot of a mail, as mail programs and browsers open it: nobody is signed in."""

import aiohttp
import pytest

from deploy.local import Suite
from services.notifications.domain import unsubscribing
from tests.e2e.market import Person

pytestmark = pytest.mark.e2e


async def test_one_click_in_a_mail_program_ends_mails_of_a_kind(
    suite: Suite, buyer_and_factory: tuple[Person, Person]
) -> None:
    buyer, _ = buyer_and_factory
    secret = (suite.home / "secrets" / "service").read_text().strip()
    token = unsubscribing.sign(user_id=buyer.user_id, what="order_overdue", secret=secret)
    url = f"{suite.endpoints.gateway}/api/v1/notifications/unsubscribe?token={token}"

    async with aiohttp.ClientSession() as nobody:
        async with nobody.get(url) as page:
            assert (page.status, page.content_type) == (200, "text/html")
        before = await buyer.get("/notifications/preferences")
        async with nobody.post(url, data={"List-Unsubscribe": "One-Click"}) as done:
            assert done.status == 200
        async with nobody.post(url[:-6] + "AAAAAA") as forged:
            assert forged.status == 422

    after = await buyer.get("/notifications/preferences")
    assert before["kinds"]["order_overdue"]["email"] == "immediate", "looking changes nothing"
    assert after["kinds"]["order_overdue"]["email"] == "off"
    assert after["kinds"] | {"order_overdue": 0} == before["kinds"] | {"order_overdue": 0}
