"""What people open: dashboards, lists, profiles; beside a bare route that reads the same page."""

from itertools import cycle
from urllib.parse import quote

from tests.bench.comparing import calling, in_turn, rates, slowest
from tests.bench.load import NextCall
from tests.bench.report import Row
from tests.bench.stage import Stage, reference

BARE = "bare route"


async def dashboard(stage: Stage) -> list[Row]:
    rows = []
    async with reference(stage, "routes") as bare:
        for cards in (20, 100):
            name = f"dashboard, {cards} cards, c=16"
            ours, theirs = await in_turn(
                stage,
                ours=_by_factory(stage, f"{stage.api}/dashboard?limit={cards}"),
                theirs=_bare_page(stage, f"{bare}/orders?limit={cards}"),
                costs=f"dashboard, {cards} cards",
            )
            goal = 0.5 if cards == 20 else None
            rows.append(rates(name, ours, theirs, goal=goal, against=BARE))
            rows.append(slowest(name, ours, theirs, goal=2 if cards == 20 else None))
        tabs = "20 cards, one user in 16 tabs"
        ours, theirs = await in_turn(
            stage,
            ours=lambda: calling(
                stage.http, "GET", f"{stage.api}/dashboard?limit=20", headers=stage.data.big[0].headers
            ),
            theirs=_bare_page(stage, f"{bare}/orders?limit=20"),
            costs=f"dashboard, {tabs}",
        )
        rows.append(rates(f"dashboard, {tabs}", ours, theirs, against=BARE))
    return rows


async def unchanged_dashboard(stage: Stage) -> list[Row]:
    tags = []
    for person in stage.data.big:
        async with stage.http.get(f"{stage.api}/dashboard", headers=person.headers) as response:
            tags.append((person, response.headers["ETag"]))
    calls = cycle(
        calling(
            stage.http,
            "GET",
            f"{stage.api}/dashboard",
            headers=person.headers | {"If-None-Match": tag},
            status=304,
        )
        for person, tag in tags
    )
    async with reference(stage, "routes") as bare:
        ours, theirs = await in_turn(
            stage,
            ours=lambda: next(calls),
            theirs=_bare_page(stage, f"{bare}/orders?limit=20"),
            costs="dashboard, unchanged",
        )
    return [rates("dashboard unchanged since the client's ETag, c=16", ours, theirs, goal=2, against=BARE)]


async def order_list(stage: Stage) -> list[Row]:
    words = "?q=" + quote("bracket lot 1") + "&state=active"
    async with reference(stage, "routes") as bare:
        ours, theirs = await in_turn(
            stage,
            ours=_by_factory(stage, f"{stage.api}/orders{words}"),
            theirs=_bare_page(stage, f"{bare}/orders?limit=20&q={quote('bracket lot 1')}"),
            costs="order list with search",
        )
    return [rates("order list with search, c=16", ours, theirs, goal=0.4, against=BARE)]


async def profile(stage: Stage) -> list[Row]:
    shown = cycle(
        calling(
            stage.http,
            "GET",
            f"{stage.api}/organisations/{shown.organisation_id}/profile",
            headers=reader.headers,
        )
        for shown, reader in zip(stage.data.big, cycle(stage.data.buyers[:20]), strict=False)
    )
    async with reference(stage, "routes") as bare:
        ours, theirs = await in_turn(
            stage,
            ours=lambda: next(shown),
            theirs=_bare_page(stage, f"{bare}/orders?limit=20"),
            costs="profile",
        )
    return [rates("profile of a factory, c=16", ours, theirs, against=BARE)]


def _by_factory(stage: Stage, url: str) -> NextCall:
    calls = cycle(calling(stage.http, "GET", url, headers=person.headers) for person in stage.data.big)
    return lambda: next(calls)


def _bare_page(stage: Stage, url: str) -> NextCall:
    calls = cycle(
        calling(stage.http, "GET", f"{url}&factory_id={person.organisation_id}") for person in stage.data.big
    )
    return lambda: next(calls)
