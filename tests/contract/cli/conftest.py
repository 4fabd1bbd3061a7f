"""Folders that commands are run on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broker import broker, load_demo
from tests.support.command_line import Command


@pytest.fixture
def store(tmp_path: Path, command: Command) -> Path:
    """An empty workspace folder."""
    folder = tmp_path / "store"
    assert command("init", folder).code == 0
    return folder


@pytest.fixture
def running(store: Path) -> Iterator[None]:
    """The broker of that folder stays between the commands."""
    with broker(store):
        yield


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the sample's spans whose broker runs already: to be asked, not changed."""
    folder = tmp_path_factory.mktemp("served") / "store"
    with broker(folder) as client:
        load_demo(client, only="spans")
        yield folder
