"""Waiting until all is up again and nothing is on its way any more."""

import asyncio
from typing import Final

import aiohttp

from shared import messaging
from tests.faults import truth
from tests.faults.stage import Stage
from tests.waiting import eventually

_STAYS = {truth.SHADOW, messaging.LIVE_LOG.name}
_LOOK_EVERY: Final = 0.3
# Six seconds: RabbitMQ's management tells how many messages a queue had up to five seconds ago.
_QUIET_LOOKS: Final = 20


async def settled(stage: Stage, *, within: float) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
        await eventually(lambda: _all_are_ready(http, stage), within=within, every=0.2)
    await asyncio.to_thread(truth.give_up_cut_off_uploads, stage)
    quiet = 0

    async def stays_quiet() -> bool:
        nonlocal quiet
        try:
            await _nothing_is_on_its_way(stage)
        except AssertionError:
            quiet = 0
            raise
        quiet += 1
        return quiet > _QUIET_LOOKS

    await eventually(stays_quiet, within=within, every=_LOOK_EVERY)


async def _all_are_ready(http: aiohttp.ClientSession, stage: Stage) -> bool:
    for suite in stage.suites:
        for url in (suite.endpoints.gateway, *suite.endpoints.services.values()):
            try:
                async with http.get(f"{url}/health/ready") as response:
                    assert response.status == 200, f"{url}: {await response.text()}"
            except (aiohttp.ClientError, TimeoutError) as error:
                raise AssertionError(f"{url}: {error!r}") from error
    return True


async def _nothing_is_on_its_way(stage: Stage) -> None:
    left = await asyncio.to_thread(truth.waiting_events, stage)
    assert not left, f"events wait in {left[:5]}"
    busy = {
        name: queue["messages"]
        for name, queue in (await truth.queues(stage)).items()
        if queue.get("messages") and name not in _STAYS and not name.endswith(messaging.dead(""))
    }
    assert not busy, f"messages wait in {busy}"
    unfinished = await asyncio.to_thread(truth.unfinished_uploads, stage)
    assert not unfinished, f"{unfinished} uploads are neither stored nor gone"
