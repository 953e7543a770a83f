"""docker-compose.yml as text; `make compose-check` runs it."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text("utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(TEXT)["services"]
MODULES = {
    "gateway": "gateway.main",
    "orders": "services.orders.main",
    "chat": "services.chat.main",
    "reviews": "services.reviews.main",
    "notifications": "services.notifications.main",
}
# The image says where to listen, and the databases' names are those that the password is good for.
FIXED = {"host", "port", "mongo_db_prefix"}


@pytest.mark.parametrize("service", MODULES)
def test_every_setting_of_an_application_reaches_its_container(service: str) -> None:
    settings = set(importlib.import_module(MODULES[service]).Settings.model_fields) - FIXED

    handed_on = {
        name.removeprefix("MILLRACE_").lower()
        for name in SERVICES[service]["environment"]
        if name.startswith("MILLRACE_")
    }

    assert handed_on == settings


def test_only_the_gateway_is_published() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["gateway"]


def test_no_secret_has_a_default() -> None:
    secrets = re.findall(r"\$\{(MILLRACE_\w*(?:SECRET|PASSWORD|KEY)\w*)(.*?)\}", TEXT)

    assert len({name for name, _ in secrets}) == 6
    assert {rest for _, rest in secrets} == {":?run deploy/new-env.sh first"}


def test_every_image_is_pinned_and_a_setting() -> None:
    defaults = re.findall(r"\$\{MILLRACE_\w+_IMAGE:-(.+?)\}", TEXT)

    assert len(defaults) == 6
    for image in defaults:
        assert re.search(r":\D*\d+[.-]\d+[.-]\d+", image), image
