"""Ports for the listeners of a suite: free ones, and the same again at the next start."""

import json
import random
import socket
from collections.abc import Iterable
from pathlib import Path

# Below the range from which Linux takes the local ports of outgoing connections: a port of ours must
# still be free when a part that died is started again on it.
CANDIDATES = range(20_000, 32_000)


def is_free(port: int, *, host: str = "127.0.0.1") -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        # Servers set it too; without it a port counts as taken for a minute after its last use.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen()
        except OSError:
            return False
    return True


_picked = set[int]()


def pick() -> int:
    """Find any port that is free, another one each time: who asked for the last may not listen there yet."""
    while (port := random.choice(CANDIDATES)) in _picked or not is_free(port):  # noqa: S311 - no secret
        pass
    _picked.add(port)
    return port


def choose(names: Iterable[str], *, remembered_in: Path, avoid: int = 0) -> dict[str, int]:
    """Give each name a free port, the remembered one if it is still free, and remember the choice."""
    try:
        remembered: dict[str, int] = json.loads(remembered_in.read_text())
    except (OSError, ValueError):
        remembered = {}
    chosen: dict[str, int] = {}
    for name in names:
        port = remembered.get(name)
        while port is None or port in {avoid, *chosen.values()} or not is_free(port):
            port = pick()
        chosen[name] = port
        _picked.add(port)
    remembered_in.write_text(json.dumps(remembered | chosen))
    return chosen
