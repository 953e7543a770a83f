"""The dashboard's orders as a spreadsheet."""

import csv
import io
import tracemalloc
from dataclasses import replace

import pytest

from services.orders import sheet, store
from services.orders.store.documents import to_document
from shared.clock import utc_now
from shared.identity import HEADER, sign
from shared.mongo import Database
from shared.outbox import sealed
from tests.orders.builders import DEADLINE, NOW, a_caller, a_quote, an_order
from tests.service_client import SECRET, Service

pytestmark = pytest.mark.parts

BUYER = a_caller("buyer")


async def fetch(orders: Service) -> tuple[dict[str, str], bytes]:
    token = sign(BUYER, secret=SECRET, now=utc_now())
    async with orders.session.get(f"{orders.url}/dashboard/orders.csv", headers={HEADER: token}) as response:
        assert response.status == 200
        return dict(response.headers), await response.read()


async def test_the_sheet_is_csv_that_spreadsheets_open_rightly(orders: Service) -> None:
    product = {"name": '六角螺栓, "M8"', "sku": "HB-M8"}
    await orders.call(
        "POST", "/orders", caller=BUYER, json=a_quote(product=product, destination="Two\nlines")
    )

    headers, body = await fetch(orders)

    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert headers["Content-Disposition"].startswith('attachment; filename="orders-')
    assert "Content-Length" not in headers
    assert body.startswith(b"\xef\xbb\xbfnumber,status,")
    assert body.endswith(b"\r\n")
    [row] = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
    assert row["product"] == '六角螺栓, "M8"'
    assert row["counterparty"] == "The factory"
    assert (row["quantity"], row["unit_price"], row["total"], row["currency"]) == (
        "5000",
        "0.12",
        "600.00",
        "USD",
    )
    assert (row["status"], row["next_status"], row["deadline"]) == (
        "confirmed",
        "in_production",
        DEADLINE,
    )


async def test_no_cell_is_a_formula(orders: Service) -> None:
    traps = ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "=cmd|' /C calc'!A0", "- -", "=\u00a01"]
    for trap in traps:
        quote = a_quote(product={"name": trap, "sku": trap}, unit=trap[:20])
        answer = await orders.call("POST", "/orders", caller=BUYER, json=quote)
        assert answer.status == 201

    _, body = await fetch(orders)

    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    assert len(rows) == len(traps) + 1
    assert not [cell for row in rows for cell in row if cell.lstrip().startswith(tuple("=+-@＝＋－＠"))]
    assert {row[5].removeprefix("'") for row in rows[1:]} == set(traps)


@pytest.mark.parametrize("cell", ["=1", " =1", "\t=1", "\r=1", "\u3000=1", "+", "-3", "@a", "＠a"])
def test_what_would_be_calculated_gets_an_apostrophe(cell: str) -> None:
    assert sheet.harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "a=1", "3-4", "M8", "'=1", "六角"])
def test_what_is_only_text_stays(cell: str) -> None:
    assert sheet.harmless(cell) == cell


async def test_memory_does_not_grow_with_the_rows(db: Database) -> None:
    order = an_order(product={"name": "x" * 200, "specification": "y" * 4000})
    await store.insert_order(db, order, sealed([], now=NOW))
    copies = (replace(order, id=f"o-{n}", quote_id=f"q-{n}", number=f"MR-{n}") for n in range(2999))
    await db[store.ORDERS].insert_many([to_document(copy) for copy in copies])
    held: list[int] = []
    size = 0

    tracemalloc.start()
    try:
        async for line in sheet.write(store.each_active_order(db, caller=BUYER), side="buyer", now=NOW):
            size += len(line)
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()

    assert len(held) == 3001
    # A batch of a hundred orders may be held, the fifteen megabytes of all of them are not.
    assert max(held) - held[1] < 2_000_000
