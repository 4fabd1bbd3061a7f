from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broker import broker
from tests.support.live import Receiver, receiver
from workspace_ext.client.broker import BrokerClient


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store") / "s"


@pytest.fixture(scope="module")
def client(store: Path) -> Iterator[BrokerClient]:
    with broker(store) as connected:
        yield connected


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A broker of its own that receives live data."""
    with receiver(tmp_path_factory.mktemp("live") / "s") as started:
        yield started
