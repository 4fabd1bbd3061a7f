from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.steps import installed_steps


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        installed_steps(tmp_path_factory.mktemp("site"), monkeypatch),
    ):
        yield
