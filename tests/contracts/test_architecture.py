"""Who may import whom."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_import_contracts_hold() -> None:
    checked = subprocess.run(
        [ROOT / ".venv/bin/lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, check=False, text=True
    )

    assert checked.returncode == 0, checked.stdout[-3000:]
