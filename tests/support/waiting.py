"""Waiting for what another process or thread is about to do."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 60.0
"""Far more than anything takes: only a test that fails waits for so long."""

COMMAND_SECONDS = 300.0
"""Likewise for a command, from its start to its end."""


def until(true: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """Asks again and again until the answer is something; that answer."""
    deadline = time.monotonic() + seconds
    while not (answer := true()):
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)
    return answer


def as_written(file: Path) -> dict[str, Any]:
    """A notebook, or another JSON object, as its file has it; empty while it is being written."""
    try:
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except ValueError:
        return {}
    return found


def files_named(name: str, folder: Path) -> list[Path]:
    """Files of a name anywhere below a folder in which others make and remove folders meanwhile."""
    return [Path(each, name) for each, _, names in os.walk(folder) if name in names]
