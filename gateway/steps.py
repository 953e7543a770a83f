"""Steps of orders that this gateway has just answered: their threads may not show them yet.

Chat hears of a step by event, a moment after its answer. A message that is sent within that moment belongs
behind the step's line, so the thread is brought up to date before it. Another instance does not know of the
step, only of its event.
"""

from time import monotonic
from typing import Annotated, Final

from fastapi import Depends, Request

# Events are much faster. If they are not, the broker is away, and the first message that waits ends the wait.
_SECONDS: Final = 30.0


class Steps:
    """Remembers each order for a while, or until its thread is up to date."""

    def __init__(self) -> None:
        self._taken_at: dict[str, float] = {}

    def taken(self, order_id: str) -> None:
        """Note that an order has taken a step, and let go of those that are old."""
        now = monotonic()
        self._taken_at.pop(order_id, None)
        self._taken_at[order_id] = now
        while (oldest := next(iter(self._taken_at))) and self._taken_at[oldest] < now - _SECONDS:
            del self._taken_at[oldest]

    def untold(self, order_id: str) -> float | None:
        """Find the mark of the order's last step, if its thread may not show that yet."""
        return self._taken_at.get(order_id)

    def told(self, order_id: str, mark: float) -> None:
        """Note that the thread was brought up to date since the mark was found; a step after it stays untold."""
        if self._taken_at.get(order_id) == mark:
            del self._taken_at[order_id]


async def _steps(request: Request) -> Steps:
    steps: Steps = request.app.state.steps
    return steps


CurrentSteps = Annotated[Steps, Depends(_steps)]
