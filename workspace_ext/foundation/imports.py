"""How our own processes start quicker."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SLOW = "rfc3987_syntax"


@contextmanager
def without_slow_formats() -> Iterator[None]:
    """Lets ``jsonschema`` be imported without one format, IRIs, that nothing here checks.

    It builds a grammar for it at import, which takes longer than all else that a command or a
    broker imports. Only for processes that are ours alone; whoever imported it before keeps it.
    """
    modules: dict[str, Any] = sys.modules
    if _SLOW in modules:
        yield
        return
    modules[_SLOW] = None  # documented: an import of it fails, and jsonschema does without
    try:
        yield
    finally:
        del modules[_SLOW]
