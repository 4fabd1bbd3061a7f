"""Disks that fail."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.jupyter import Jupyter


@contextmanager
def full_disk(server: Jupyter) -> Iterator[None]:
    """Files of the server cannot grow: writing fails as on a full disk."""
    process = server.process.pid
    before = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, before)


@contextmanager
def no_saves(server: Jupyter) -> Iterator[None]:
    """No notebook in the server's root folder can be saved; what lies elsewhere can.

    A save writes a new file beside the old one, under a name that a folder takes here.
    """
    taken = [server.root / f".~{path.name}" for path in server.root.glob("*.ipynb")]
    for path in taken:
        path.mkdir()
    try:
        yield
    finally:
        for path in taken:
            path.rmdir()
