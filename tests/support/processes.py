"""Processes that a test started."""

import subprocess
from contextlib import suppress
from typing import Any

import psutil


def kill_with_all_below(process: "subprocess.Popen[Any]") -> None:
    """Ends a process that would not end by itself, and all that it started; for a failed test."""
    with suppress(psutil.NoSuchProcess):
        for each in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                each.kill()
    process.kill()
    process.wait()
