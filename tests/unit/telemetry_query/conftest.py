"""One store for all tests here that only read: two batches of spans, and the runner over it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.spans import Run, add_batch, starter
from tests.support.store import Store, open_store
from workspace_ext.telemetry.query.runner import QueryRunner


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("query") / "store") as opened:
        add_batch(opened)
        add_batch(opened)
        yield opened


@pytest.fixture(scope="session")
def runner(store: Store) -> Iterator[QueryRunner]:
    made = QueryRunner(store.engine)
    yield made
    made.close()


@pytest.fixture(params=[False, True], ids=["library", "free"])
def either(request: pytest.FixtureRequest, runner: QueryRunner) -> Run:
    """Runs a query one way and the other: in the broker's threads, in a worker process."""
    return starter(runner, free=request.param)


@pytest.fixture
def library(runner: QueryRunner) -> Run:
    return starter(runner, free=False)


@pytest.fixture
def free(runner: QueryRunner) -> Run:
    return starter(runner, free=True)
