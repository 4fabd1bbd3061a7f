"""Each template finds the fault that was planted for it, and is quiet where there is none."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tests.support.plants.plant import Plant
from tests.support.plants.table import PLANTS
from workspace_ext.inquiry.templates.library import TemplateLibrary, default_paths
from workspace_ext.inquiry.templates.sandbox import fresh_store

LIBRARY = TemplateLibrary(default_paths())
RUNS = 20
LEAST = 0.95
CASES = [(plant, strength) for plant in PLANTS for strength in (0.0, *plant.strengths)]


@pytest.fixture(scope="module")
def store() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = fresh_store()
    yield connection
    connection.close()


def _name(case: object) -> str:
    if isinstance(case, Plant):
        return f"{case.template}-{case.plant.__name__}"
    return "clean" if case == 0 else f"{case:g}"


@pytest.mark.parametrize(("plant", "strength"), CASES, ids=_name)
def test_recall(store: duckdb.DuckDBPyConnection, plant: Plant, strength: float) -> None:
    template = LIBRARY.get(plant.template)

    spoke = [seed for seed in range(RUNS) if plant.found(store, template, seed, strength)]

    share = len(spoke) / RUNS
    if strength == 0:
        assert 1 - share >= LEAST, f"speaks up without a reason, with the seeds {spoke}"
    else:
        assert share >= LEAST, f"found in {share:.0%} of the runs, with the seeds {spoke}"
