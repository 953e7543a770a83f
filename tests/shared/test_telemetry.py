"""What a process writes, as the collector of its logs reads it."""

import json
import subprocess
import sys

_PROGRAM = """
import warnings
from shared import telemetry
telemetry.set_up(name="orders", level="INFO", otlp_endpoint=None)
warnings.warn("a coroutine was never awaited", RuntimeWarning)
"""


def test_a_warning_of_python_is_a_json_line_too() -> None:
    ended = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, check=True, text=True)

    [line] = ended.stdout.splitlines()
    assert "a coroutine was never awaited" in json.loads(line)["event"]
    assert (json.loads(line)["level"], ended.stderr) == ("warning", "")
