"""A page that was shown without what a late service knows completes itself."""

import pytest
from playwright.async_api import expect

from deploy.local import Endpoints
from tests.suites import hanging
from tests.web.visitor import Visit

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(
    ("path", "notice"),
    [
        ("/", "No answer from"),
        ("/organisations/{organisation_id}", "Some parts of this profile do not answer at the moment."),
    ],
)
async def test_what_a_service_was_late_for_comes_without_a_reload(
    visit: Visit, endpoints: Endpoints, path: str, notice: str
) -> None:
    lin = await visit()
    await lin.join("factory", "Ningbo Precision", "Lin Wei")
    organisation = (await lin.call("GET", "/auth/me"))["organisation"]

    with hanging(endpoints.pids["reviews"]):
        await lin.open(path.format(organisation_id=organisation["id"]))
        await expect(lin.page.get_by_text(notice)).to_be_visible()
        await lin.stay()

    await expect(lin.page.get_by_text(notice)).to_be_hidden()
    assert await lin.has_stayed()
