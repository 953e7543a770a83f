"""`make bench` measures, and tells what it measured."""

import asyncio
import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.bench import report
from tests.bench.report import Row
from tests.bench.stage import Cost

FASTER = Row(name="reads", unit="a second", suite=[50, 60, 55], reference=[100, 100, 100], goal=0.5)
SLOWER = Row(name="delay", unit="ms", suite=[30], reference=[10], goal=2, better="less")
ALONE = Row(name="memory", unit="MiB", suite=[400], goal=450, better="less")


@pytest.mark.e2e
async def test_a_quick_run_measures_the_suite_beside_its_reference() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench", "--quick", "--only", "step", "rest"),
        stdout=asyncio.subprocess.PIPE,
    )

    output, _ = await asyncio.wait_for(process.communicate(), 240)

    rows = [line for line in output.decode().splitlines() if line.startswith("| ")]
    assert process.returncode == 0, output.decode()
    assert any(row.startswith("| status step, c=16 | a second |") and "≥ 0.5" in row for row in rows)
    assert any("at rest" in row for row in rows)


def test_a_goal_is_of_the_ratio_where_there_is_a_reference() -> None:
    assert [FASTER.is_met, SLOWER.is_met, ALONE.is_met] == [True, False, True]
    assert FASTER.ratios == [0.5, 0.6, 0.55]


def test_the_results_are_a_table_a_document_and_a_picture(tmp_path: Path) -> None:
    cost = Cost(milliseconds={"gateway": 1.5, "orders": 2.5}, commands=3)

    report.write(
        tmp_path,
        name="results",
        title="Results",
        rows=[FASTER, SLOWER, ALONE],
        costs={"step": cost},
        facts={"data": "10 orders"},
    )

    text = (tmp_path / "results.md").read_text("utf-8")
    assert (
        "| reads | a second | 55.0 (50.0 – 60.0) | 100 (100 – 100) | 0.55 (0.50 – 0.60) | ≥ 0.5 | yes |"
        in text
    )
    assert "| step | 1.5 | 2.5 | 4.0 | 3.0 |" in text
    found = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert [row["met"] for row in found["rows"]] == [True, False, True]
    assert found["about"]["data"] == "10 orders"
    assert ET.parse(tmp_path / "results.svg").getroot().tag.endswith("svg")  # noqa: S314
