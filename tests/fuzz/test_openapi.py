"""Rubbish through every door: each call of the OpenAPI document, with what fits its schema and what does not.

Whatever comes in, the answer is one that the document declares, in its form, and never a 5xx.
"""

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fuzz.conftest import Market, in_time

SCHEMA = schemathesis.openapi.from_path(Path(__file__).parents[2] / "docs" / "openapi" / "gateway.json")
OPERATIONS = [
    operation.ok()
    for operation in SCHEMA.get_all_operations()
    # A stream has no end; what its cursor takes is tried beside it.
    if operation.ok().definition.raw["operationId"] != "stream"
]
# The names of an order's things serve both sides, those of an organisation its own.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def tried(market: Market, operation: Any, *, examples: int, is_repeated: bool) -> None:
    """Make an operation's calls as new members of both sides' organisations."""
    people = {side: market.somebody(side) for side in ("buyer", "factory")}

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=is_repeated,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=st.one_of(
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
            operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        ),
        side=st.sampled_from(["buyer", "factory"]),
        is_real=st.integers(0, 3),
    )
    def try_it(case: Any, side: str, is_real: int) -> None:
        if is_real:
            names = market.names | {"organisation_id": market.names[f"{side}_id"]}
            case.path_parameters = {name: names.get(name, "x") for name in case.path_parameters or {}}
        response = in_time(
            lambda: case.call(base_url=market.base, headers=people[side], timeout=30, allow_redirects=False)
        )
        case.validate_response(response, checks=CHECKS)

    try_it()


@pytest.mark.e2e
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.definition.raw["operationId"])
def test_no_call_breaks_the_gateway(market: Market, operation: Any) -> None:
    tried(market, operation, examples=8, is_repeated=True)


@pytest.mark.soak
@pytest.mark.e2e
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.definition.raw["operationId"])
def test_no_call_breaks_the_gateway_however_often(market: Market, operation: Any) -> None:
    tried(market, operation, examples=300, is_repeated=False)
