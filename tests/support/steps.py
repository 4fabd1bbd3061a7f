"""A package of steps for tests, and how it is installed: as an installer leaves it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workspace_ext.foundation.entries import entry_points
from workspace_ext.inquiry.steps import registry

MODULE = """
import os, time
import pyarrow as pa

def doubled(table, params):
    twice = [2 * n + params["more"] for n in table.column("n").to_pylist()]
    return pa.table({"service": table.column("service"), "n": pa.array(twice, pa.int32())})

def told(table, params):
    return pa.table({"name": list(params), "kind": [type(v).__name__ for v in params.values()],
                     "pid": [os.getpid()] * len(params)})

def fails(table, params):
    raise ValueError("no two rows alike")

def wrong(table, params):
    return pa.table({"other": [1]})

def text(table, params):
    return pa.table({"service": ["a"], "n": ["many"]})

def forever(table, params):
    time.sleep(600)

def works(table, params):
    begun = time.process_time()
    while time.process_time() < begun + 1.0:
        pass
    while not os.path.exists(params["until"]):
        time.sleep(0.01)
    return table

def greedy(table, params):
    return pa.table({"n": [len(bytearray(1 << 40))]})

def dies(table, params):
    os._exit(3)

nothing = 1
"""
NAMES = (
    "doubled",
    "told",
    "fails",
    "wrong",
    "text",
    "forever",
    "works",
    "greedy",
    "dies",
    "nothing",
)


@contextmanager
def installed_steps(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Installs the package, for this process and those it starts."""
    info = folder / "made_steps-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: made-steps\nVersion: 1.2\n")
    lines = [f"tests.{name} = made_steps:{name}" for name in NAMES]
    points = [f"[{registry.GROUP}]", *lines, "tests.missing = made_steps:missing", ""]
    (info / "entry_points.txt").write_text("\n".join(points))
    (folder / "made_steps.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")
    _forget()
    yield
    _forget()


def _forget() -> None:
    for known in (entry_points, registry.find, registry.version):
        known.cache_clear()
