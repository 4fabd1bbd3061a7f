"""A short round of `tests.faults.fuzz`."""

from __future__ import annotations

import pytest

from tests.faults.fuzz import fuzz
from tests.support.samples import samples
from workspace_ext.telemetry.ingest import registry


@pytest.mark.parametrize("name", samples())
def test_whatever_bytes_come(name: str) -> None:
    done = fuzz(name, 150, derandomize=True)
    assert done.records
    assert done.refused + done.rejects


def test_every_decoder_is_fuzzed() -> None:
    assert set(samples()) == set(registry.formats())
