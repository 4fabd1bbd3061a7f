from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.versions import Shelf, shelf


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Shelf]:
    with shelf(tmp_path / "store") as made:
        yield made
