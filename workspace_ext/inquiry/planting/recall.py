"""Recall: in how many of twenty worlds a template finds what was planted, and is quiet else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.planting.language import Plant, read
from workspace_ext.inquiry.planting.world import World, context
from workspace_ext.inquiry.templates.binding import bind
from workspace_ext.inquiry.templates.check import CheckResult, files_of
from workspace_ext.inquiry.templates.fixtures import fixtures_path, load
from workspace_ext.inquiry.templates.header import parse
from workspace_ext.inquiry.templates.judge import Judge
from workspace_ext.inquiry.templates.sandbox import fresh_store
from workspace_ext.inquiry.templates.stepping import after
from workspace_ext.telemetry.query.trusted import open_reader

if TYPE_CHECKING:
    import pyarrow as pa

    from workspace_ext.inquiry.templates.model import Template

RUNS = 20
"""Of each strength, and without the fault; the seeds are the numbers from 0."""
FEW = 5
"""Of the strengths above the weakest, which say less."""
LEAST = 0.95


def plants_of(path: Path) -> list[Plant]:
    """The plants beside a template.

    Raises:
        BadInput: There are none, or one of them or the file cannot be read.
    """
    found = [read(each) for each in load(fixtures_path(path)).plants]
    if not found:
        raise BadInput("no fault is planted for it: its fixtures have no plants")
    return found


def planted(paths: Iterable[Path]) -> Iterator[CheckResult]:
    """Runs all plants of templates.

    Args:
        paths: Template files, or folders that are searched for them.

    Raises:
        NotFound: A path is not there, or no template is under it.
    """
    store = fresh_store()
    try:
        for path in files_of(paths):
            name = f"{path.parent.name}.{path.stem}"
            try:
                template, plants = parse(path.read_bytes(), path), plants_of(path)
                for plant in plants:
                    for strength in (0.0, *plant.strengths):
                        message, ok = judged(store, template, plant, strength)
                        case = f"{plant.name}, {f'strength {strength:g}' if strength else 'none'}"
                        yield CheckResult(name, path, None, case, ok, message)
            except BadInput as error:
                told = f"{error.message}; {error.hint}" if error.hint else error.message
                yield CheckResult(name, path, None, "plants", ok=False, message=told)
    finally:
        store.close()


def judged(
    store: duckdb.DuckDBPyConnection, template: Template, plant: Plant, strength: float
) -> tuple[str, bool]:
    """What came out over all runs, and whether it is good enough."""
    runs = range(RUNS if strength in (0.0, plant.strengths[0]) else FEW)
    spoke = [seed for seed in runs if found(store, template, plant, seed, strength)]
    missed = [seed for seed in runs if seed not in spoke]
    what, good, bad = ("found", spoke, missed) if strength else ("quiet", missed, spoke)
    told = f"{what} in {len(good)} of {len(runs)} runs{'' if strength else ' without a fault'}"
    return told + (f", not with the seeds {bad}" if bad else ""), len(good) >= LEAST * len(runs)


def found(
    store: duckdb.DuckDBPyConnection, template: Template, plant: Plant, seed: int, strength: float
) -> bool:
    """Whether the template speaks up, and of what was planted when something was.

    Raises:
        BadInput: The plant or the template cannot be run, or the first row has no such column.
    """
    unknown = sorted(set(plant.first) - set(template.returns))
    if unknown:
        raise BadInput(f"plant {plant.name!r}: there is no column {unknown[0]!r} in its rows")
    answer, interesting = asked(store, template, plant, seed, strength)
    if not interesting:
        return False
    row = answer.slice(0, 1).to_pylist()[0]
    return not strength or {name: row[name] for name in plant.first} == dict(plant.first)


def asked(
    store: duckdb.DuckDBPyConnection, template: Template, plant: Plant, seed: int, strength: float
) -> tuple[pa.Table, bool]:
    """A template's answer in one world, and whether it is interesting.

    Raises:
        BadInput: The plant or the template cannot be run.
    """
    world = World(seed)
    plant.plant(world, strength)
    try:
        world.fill(store)
        bound = bind(template, dict(plant.params), context())
        reader = open_reader(store, template.sql, bound.values, stream=False)
        answer = after(template, reader.read_all(), bound.arguments)
    except duckdb.Error as error:
        raise BadInput(f"plant {plant.name!r}: {error}") from error
    judge = Judge(template, bound.arguments)
    for batch in answer.to_batches():
        judge.feed(batch)
    return answer, judge.verdict()["interesting"] is True


def example(template: Template) -> pa.Table | None:
    """What a template answers to the strongest fault that is planted for it; None without one.

    Raises:
        BadInput: It cannot be run.
    """
    try:
        plant = plants_of(template.path)[0]
    except BadInput:
        return None
    store = fresh_store()
    try:
        return asked(store, template, plant, 0, plant.strengths[-1])[0]
    finally:
        store.close()
