"""A kernel's token ends with its kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workspace_ext.access.kernels import LONGEST_IDLE_NS, MIGRATIONS, Kernels
from workspace_ext.access.tokens import Tokens
from workspace_ext.foundation.errors import Denied
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.storage.records import RecordsEngine

HOUR_NS = 3600 * 10**9


class Store:
    """Records that are opened again, as by a broker that is restarted, and a clock."""

    def __init__(self, path: Path) -> None:
        self.folder = StoreFolder.create(path)
        self.now = 1_700_000_000 * 10**9
        self.open()

    def open(self) -> None:
        self.records = RecordsEngine(self.folder, {"access": MIGRATIONS})
        self.kernels = Kernels(self.records, lambda: self.now)
        self.tokens = Tokens(self.folder.secret, self.kernels)

    def restart(self) -> None:
        self.records.close()
        self.open()

    def holds(self, token: str) -> bool:
        try:
            return self.tokens.principal(token).kind == "kernel"
        except Denied:
            return False


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store")
    yield made
    made.records.close()


def test_a_token_holds_until_its_kernel_is_shut_down_whatever_the_broker_does(
    store: Store,
) -> None:
    gone, alive = (store.tokens.kernel_token(kernel=name, user="alice") for name in "ab")
    store.restart()
    assert store.holds(gone)
    store.tokens.revoke(["a", "never there"])
    assert not store.holds(gone)
    assert store.holds(alive)
    store.restart()
    assert not store.holds(gone)
    assert store.holds(alive)


def test_a_token_of_a_kernel_that_nobody_started_here_is_refused(store: Store) -> None:
    signed = Tokens(store.folder.secret).kernel_token(kernel="a", user="alice")
    with pytest.raises(Denied, match="shut down") as caught:
        store.tokens.principal(signed)
    assert "start it again" in caught.value.hint


def test_a_kernel_that_asks_nothing_for_a_month_is_taken_for_gone(store: Store) -> None:
    idle, busy = (store.tokens.kernel_token(kernel=name, user="alice") for name in "ab")
    store.now += LONGEST_IDLE_NS - HOUR_NS
    assert store.holds(busy)
    store.kernels.settle()
    store.restart()  # who asked is known also to the next broker
    store.now += 2 * HOUR_NS
    assert not store.holds(idle)
    assert store.holds(busy)
    store.kernels.settle()
    store.now -= 2 * HOUR_NS  # a clock that is set back brings nobody back
    assert not store.holds(idle)


def test_nothing_is_written_for_kernels_that_asked_nothing(store: Store) -> None:
    store.tokens.kernel_token(kernel="a", user="alice")
    store.kernels.settle()
    store.records.close()
    store.kernels.settle()  # else it would need the records
