"""Whatever dies, stops, hangs, slows down or fills up: what was acknowledged is there, whole, and happened once."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local import SERVICES
from shared import messaging
from tests.faults import check_accounts, check_chat, check_orders, check_shown, check_telling, plan, truth
from tests.faults.deals import Deal
from tests.faults.errands import Errands
from tests.faults.history import History
from tests.faults.injury import Injury
from tests.faults.market import Market, market
from tests.faults.plan import Fault
from tests.faults.settling import settled
from tests.faults.stage import Stage, stage
from tests.faults.truth import Verdict
from tests.gateway.live.sse import Listener
from tests.notifications.receivers import Receiver, answering, receiving
from tests.waiting import eventually

pytestmark = pytest.mark.e2e

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Run:
    """How long and how hard; the seed gives the faults and what each client does, not who is faster."""

    seed: int
    seconds: float
    every: float
    """Seconds between two faults, on average."""
    instances: int
    deals: int
    errands: int
    settles_within: float

    def chance(self, whose: str) -> random.Random:
        return random.Random(f"{self.seed} {whose}")  # noqa: S311 - no secret


SHORT = Run(seed=1, seconds=12, every=1, instances=2, deals=4, errands=1, settles_within=120)
LONG = Run(
    seed=int(os.environ.get("FAULTS_SEED") or time.time()),
    seconds=float(os.environ.get("FAULTS_SECONDS") or 300),
    every=float(os.environ.get("FAULTS_EVERY") or 2),
    instances=int(os.environ.get("FAULTS_INSTANCES") or 2),
    deals=8,
    errands=2,
    # The delays of a retried event add up to less than four minutes.
    settles_within=300,
)


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Tell:
    def to_the_terminal(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}", end="", flush=True)  # noqa: T201 - figures are what this test is run for

    return to_the_terminal


# Our own connections to a RabbitMQ that dies meanwhile: aiormq then forgets one of its coroutines.
@pytest.mark.filterwarnings("ignore:coroutine 'Connection.close' was never awaited")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "run", [pytest.param(SHORT, id="short"), pytest.param(LONG, id="long", marks=pytest.mark.soak)]
)
async def test_nothing_is_lost_doubled_or_half_done(run: Run, tmp_path: Path, tell: Tell) -> None:
    history, verdict = History(), Verdict()
    faults = plan.faults(seed=run.seed, seconds=run.seconds, every=run.every, instances=run.instances)
    (tmp_path / "plan.txt").write_text("\n".join(map(str, faults)))
    tell(f"seed {run.seed}: {len(faults)} faults in {run.seconds:.0f} s, {run.instances} of each; {tmp_path}")
    async with AsyncExitStack() as stack:
        on_stage = await stack.enter_async_context(stage(tmp_path, instances=run.instances))
        await truth.shadow(on_stage.parts.amqp_url)
        trade = await stack.enter_async_context(market(on_stage, history, seed=run.seed, patience=40))
        receivers = await _webhooks(stack, trade)
        listeners = await _listeners(stack, run, trade, on_stage)

        injury, quotes = await _load(run, on_stage, trade, history, faults)
        history.write(tmp_path / "history.jsonl")
        began = time.monotonic()
        await settled(on_stage, within=run.settles_within)
        tell(f"seed {run.seed}: settled {time.monotonic() - began:.1f} s after the load")

        found = await truth.read(on_stage)
        check_orders.check(verdict, found, history, quotes)
        check_chat.check(verdict, found, history)
        check_telling.check(verdict, found, history, trade)
        check_accounts.check(verdict, found, history)
        for webhook_id, receiver in receivers.items():
            check_telling.check_received(verdict, found, webhook_id, receiver.ids)
        await check_shown.check_streams(verdict, listeners, found, trade)
        await check_shown.check(verdict, found, trade)
        await check_shown.check_dead_letters(verdict, on_stage, injury)
        verdict.checked += trade.stranger.checker.checked
        verdict.wrong += history.wrong
    tell(_figures(run, injury, history, verdict))
    (tmp_path / "wrong.txt").write_text("\n\n".join(verdict.wrong))
    assert not verdict.wrong, f"{len(verdict.wrong)} wrong, see {tmp_path}:\n" + "\n".join(verdict.wrong[:20])


async def _webhooks(stack: AsyncExitStack, trade: Market) -> dict[str, Receiver]:
    """Have a buyer's and a factory's own systems called; answer them by their webhooks' ids."""
    receivers = await stack.enter_async_context(receiving(answering(200), answering(200)))
    owners = [organisations[0].people[0] for organisations in (trade.buyers, trade.factories)]
    made = [
        await owner.call("POST", "/webhooks", {"url": receiver.url})
        for owner, receiver in zip(owners, receivers, strict=True)
    ]
    return {call.answer["id"]: receiver for call, receiver in zip(made, receivers, strict=True)}


async def _listeners(stack: AsyncExitStack, run: Run, trade: Market, on_stage: Stage) -> dict[str, Listener]:
    """Open a live stream for one person of each organisation, which goes on at whichever gateway."""
    listeners = {}
    for organisation in trade.organisations:
        person = organisation.people[0]
        chance = run.chance(f"stream of {organisation.id}")

        def url(chance: random.Random = chance) -> str:
            return f"{chance.choice(on_stage.gateways).url}/api/v1"

        listener = Listener(url=url, token=f"Bearer {person.token}", pause=0.3)
        listener.start()
        stack.push_async_callback(listener.cut)
        listeners[person.user_id] = listener
    await eventually(lambda: all("ready" in each.types for each in listeners.values()), within=30)
    return listeners


async def _load(
    run: Run, on_stage: Stage, trade: Market, history: History, faults: list[Fault]
) -> tuple[Injury, dict[str, bool]]:
    """Trade, and hurt, until the time is over."""
    consumed = [name for name in await truth.queues(on_stage) if name.startswith(SERVICES)]
    injury = Injury(
        stage=on_stage,
        queues=sorted(name for name in consumed if not name.endswith(messaging.dead(""))),
        chance=run.chance("injury"),
    )
    ends_at = time.monotonic() + run.seconds
    errands = [
        Errands(
            market=trade,
            history=history,
            amqp_url=on_stage.parts.amqp_url,
            chance=run.chance(f"errands {number}"),
            ends_at=ends_at,
        )
        for number in range(run.errands)
    ]
    async with asyncio.TaskGroup() as load:
        load.create_task(injury.carry_out(faults))
        for number in range(run.deals):
            load.create_task(_deal_after_deal(trade, history, run.chance(f"deals {number}"), ends_at=ends_at))
        for each in errands:
            load.create_task(each.run())
    return injury, {quote_id: confirmed for each in errands for quote_id, confirmed in each.quotes.items()}


async def _deal_after_deal(trade: Market, history: History, chance: random.Random, *, ends_at: float) -> None:
    while time.monotonic() < ends_at:
        deal = Deal(
            buyer=chance.choice(trade.buyers),
            factory=chance.choice(trade.factories),
            history=history,
            chance=chance,
            ends_at=ends_at,
        )
        await deal.live()


def _figures(run: Run, injury: Injury, history: History, verdict: Verdict) -> str:
    kinds = Counter(fault.kind for fault in injury.done)
    calls = history.calls
    return (
        f"seed {run.seed}: {len(injury.done)} faults "
        f"({', '.join(f'{times} {kind}' for kind, times in sorted(kinds.items()))}), "
        f"{len(calls)} calls in {history.tries()} tries, {sum(call.unknown for call in calls)} never answered, "
        f"{verdict.checked} checks, {len(verdict.wrong)} wrong"
        + "".join(f"; skipped: {why}" for why in sorted(set(injury.skipped)))
    )
