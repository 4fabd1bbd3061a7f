from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.live import Receiver, receiver


@pytest.fixture(scope="module")
def open_receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    doors = "--otlp-grpc", "127.0.0.1:0", "--syslog", "127.0.0.1:0"
    with receiver(tmp_path_factory.mktemp("store") / "s", *doors) as running:
        yield running
