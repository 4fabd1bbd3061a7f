from __future__ import annotations

import errno
from pathlib import Path

import pytest

from workspace_ext.foundation.errors import NotFound
from workspace_ext.storage.failures import explain

PATH = Path("/data/telemetry.duckdb")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
        (OSError(errno.EFBIG, "File too large"), "disk_full"),
        (RuntimeError("IO Error: Could not write file: No space left on device"), "disk_full"),
        (RuntimeError("database or disk is full"), "disk_full"),
        (RuntimeError("Out of Memory Error: could not allocate block"), "memory_limit"),
        (MemoryError(), "memory_limit"),
        (RuntimeError("IO Error: Could not set lock on file"), "store_held"),
        (RuntimeError("database is locked"), "store_held"),
        (RuntimeError("database disk image is malformed"), "store_damaged"),
        (RuntimeError("file is not a database"), "store_damaged"),
        (PermissionError(errno.EACCES, "Permission denied"), "not_permitted"),
        (OSError(errno.EIO, "Input/output error"), "store_unavailable"),
    ],
)
def test_each_failure_has_its_code_and_a_hint(error: Exception, code: str) -> None:
    explained = explain(error, PATH)
    assert explained.code == code
    assert explained.hint
    assert "\n" not in explained.message


def test_our_own_errors_stay() -> None:
    ours = NotFound("no file", hint="look elsewhere")
    assert explain(ours, PATH) is ours
