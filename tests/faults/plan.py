"""Which faults a run has, and when: a seed gives the same plan each time."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.faults.stage import APPLICATIONS

_PARTS: Final = ("mongod", "rabbitmq", "s3")
# How long each lasts, in seconds; what dies comes back when its supervisor has noticed.
_LASTS: Final = {
    "kill": (0, 0),
    "stop": (0, 0),
    "freeze": (0.5, 12),
    "crash": (0.2, 4),
    "shut down": (0.2, 4),
    "cut": (0, 2),
    "slow": (1, 4),
    "hold": (0.5, 12),
    "lose": (0, 0),
    "fill": (1, 4),
    "litter": (0, 0),
}


@dataclass(frozen=True, kw_only=True)
class Fault:
    at: float
    kind: str
    target: str
    lasts: float

    def __str__(self) -> str:
        return f"{self.at:6.1f} s  {self.kind} {self.target}" + (
            f", {self.lasts:.1f} s" if self.lasts else ""
        )


def faults(*, seed: int, seconds: float, every: float, instances: int) -> list[Fault]:
    """Plan them: every kind on every target comes once before any comes twice."""
    chance = random.Random(f"faults {seed}")  # noqa: S311 - no secret
    cards = _shuffled(chance, instances)
    planned, at = [], 0.0
    while (at := at + chance.uniform(0.5, 1.5) * every) < seconds:
        kind, target = next(cards)
        shortest, longest = _LASTS[kind]
        lasts = min(
            shortest * (longest / shortest) ** chance.random() if shortest else longest * chance.random(),
            seconds - at,
        )
        planned.append(Fault(at=at, kind=kind, target=target, lasts=round(lasts, 1)))
    return planned


def _shuffled(chance: random.Random, instances: int) -> Iterator[tuple[str, str]]:
    everything = [
        *(
            (kind, f"{name}-{n}")
            for kind in ("kill", "stop", "freeze")
            for name in APPLICATIONS
            for n in range(instances)
        ),
        *((kind, name) for kind in ("crash", "shut down") * instances for name in _PARTS),
        *(
            (kind, name)
            for kind in ("cut", "slow", "hold")
            for name in (*_PARTS, *(f"gateway-{n}" for n in range(instances)))
        ),
        *(("lose", name) for name in _PARTS),
        *[("fill", "s3"), ("litter", "rabbitmq")] * instances,
    ]
    while True:
        yield from chance.sample(everything, len(everything))
