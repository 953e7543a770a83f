"""The choice of ports."""

import socket
from pathlib import Path

from deploy import ports


def test_ports_are_the_same_at_the_next_start(tmp_path: Path) -> None:
    first = ports.choose(["orders", "chat"], remembered_in=tmp_path / "ports.json")

    second = ports.choose(["chat", "orders"], remembered_in=tmp_path / "ports.json")

    assert second == first
    assert len(set(first.values())) == 2


def test_a_port_that_was_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    first = ports.choose(["orders", "chat"], remembered_in=tmp_path / "ports.json")
    with socket.create_server(("127.0.0.1", first["orders"])):
        second = ports.choose(["orders", "chat"], remembered_in=tmp_path / "ports.json")

    assert second["orders"] != first["orders"]
    assert second["chat"] == first["chat"]


def test_a_broken_memory_of_ports_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text('{"orders": 2')

    chosen = ports.choose(["orders"], remembered_in=tmp_path / "ports.json")

    assert ports.is_free(chosen["orders"])
