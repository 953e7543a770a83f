"""What a call or a consumer asks for is given on the event loop: a detour through a thread costs more than most do."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import faststream
import pytest
from fastapi.routing import APIRoute

from docs import generate


@pytest.mark.parametrize("name", generate.APPLICATIONS)
def test_no_call_waits_for_a_thread(name: str) -> None:
    asked = {
        f"{call.__module__}.{call.__qualname__}"
        for route in routes(generate.app_of(name))
        for call in calls(route.dependant)
        if not runs_on_the_loop(call)
    }

    assert asked == set()


@pytest.mark.parametrize("name", generate.APPLICATIONS[1:])
def test_no_consumer_waits_for_a_thread(name: str) -> None:
    for value in vars(import_module(f"services.{name}.consumers")).values():
        if inspect.iscoroutinefunction(handler := getattr(value, "_original_call", value)):
            annotations = inspect.get_annotations(handler).values()
            asked = [each for annotation in annotations for each in getattr(annotation, "__metadata__", ())]
            assert [each for each in asked if type(each) is type(faststream.Context())] == []


def routes(router: Any) -> Iterator[APIRoute]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from routes(route.original_router)


def calls(dependant: Any) -> Iterator[Any]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from calls(dependency)


def runs_on_the_loop(call: Any) -> bool:
    return any(
        kind(each)
        for each in (call, type(call).__call__)
        for kind in (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    )
