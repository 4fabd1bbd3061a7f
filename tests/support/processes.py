"""Processes that a test started, or that came of them."""

import subprocess
import sys
from contextlib import suppress
from typing import Any

import psutil


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked after does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def started(code: str, *arguments: object, says: str) -> "subprocess.Popen[str]":
    """Python in a process of its own, once it has said a line; it is told more on its input."""
    child = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == f"{says}\n"
    return child


def kill_with_all_below(process: "subprocess.Popen[Any]") -> None:
    """Ends a process that would not end by itself, and all that it started; for a failed test."""
    with suppress(psutil.NoSuchProcess):
        for each in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                each.kill()
    process.kill()
    process.wait()
