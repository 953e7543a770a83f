"""Orders as a spreadsheet: CSV that Excel opens rightly and that cannot carry a formula."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime

from services.orders import domain
from services.orders.domain import OrderHeader
from shared.identity import Side

# Without it Excel reads UTF-8 as the machine's old code page, and Chinese names are lost.
_BYTE_ORDER_MARK = "\ufeff"
# What makes a cell a formula, also after white space and in the full width that Excel folds.
_FORMULA = tuple("=+-@＝＋－＠")

COLUMNS = (
    "number status next_status due deadline product sku counterparty quantity unit unit_price total currency "
    "carrier tracking_number created_at updated_at"
).split()


async def write(orders: AsyncIterator[OrderHeader], *, side: Side, now: datetime) -> AsyncIterator[bytes]:
    """Write the sheet piece by piece."""
    yield (_BYTE_ORDER_MARK + _line(COLUMNS)).encode()
    async for order in orders:
        yield _line(_cells(order, side=side, now=now)).encode()


def harmless(cell: str) -> str:
    """Put an apostrophe, which spreadsheets do not show, before what they would calculate."""
    return f"'{cell}" if cell.lstrip().startswith(_FORMULA) else cell


def _cells(order: OrderHeader, *, side: Side, now: datetime) -> list[str]:
    counterparty = order.factory if side == "buyer" else order.buyer
    return [
        order.number,
        order.status.value,
        following.value if (following := domain.next_status(order)) else "",
        domain.due_of(order, now=now).state,
        order.deadline.isoformat(),
        order.product.name,
        order.product.sku or "",
        counterparty.name,
        str(order.quantity),
        order.unit,
        format(order.unit_price.amount, "f"),
        format(order.total.amount, "f"),
        order.total.currency,
        order.tracking.carrier if order.tracking else "",
        order.tracking.number if order.tracking else "",
        _instant(order.created_at),
        _instant(order.updated_at),
    ]


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(harmless(cell) for cell in cells)
    return line.getvalue()
