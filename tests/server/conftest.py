"""Two servers for all tests here: one where editing is shared, one where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.editor import Editor
from tests.support.jupyter import Jupyter, jupyter


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A server without shared editing."""
    with jupyter(tmp_path_factory.mktemp("plain"), rtc=False) as server:
        yield server


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A server with shared editing."""
    with jupyter(tmp_path_factory.mktemp("shared"), rtc=True) as server:
        yield server


@pytest.fixture
def name(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Names of notebooks that no other test uses."""
    count = iter(range(1, 100))
    test = request.node.name.removeprefix("test_").split("[")[0].replace("_", "-")
    return lambda: f"{test}-{next(count)}.ipynb"


@pytest.fixture
def editors() -> Iterator[list[Editor]]:
    """Put those in here that the end of the test shall close."""
    opened: list[Editor] = []
    yield opened
    for editor in opened:
        editor.close()
