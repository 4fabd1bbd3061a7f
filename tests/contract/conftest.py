"""One real archive for all who look at archives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.archive import Frozen, make_archive
from tests.support.places import kernels_of_this_checkout


@pytest.fixture(scope="session")
def _kernels() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        kernels_of_this_checkout(patch)
        yield


@pytest.fixture(scope="session")
def frozen(tmp_path_factory: pytest.TempPathFactory, _kernels: None) -> Frozen:
    """The archive that all look at; nobody changes it."""
    return make_archive(tmp_path_factory.mktemp("frozen"))


@pytest.fixture
def copy(frozen: Frozen, tmp_path: Path) -> Path:
    """The archive alone, in another folder."""
    path = tmp_path / "copy.investigation.zip"
    path.write_bytes(frozen.path.read_bytes())
    return path
