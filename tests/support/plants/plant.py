"""What is planted, how strong, and what a template must say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from tests.support.plants.world import World, context
from workspace_ext.inquiry.templates.judge import Judge
from workspace_ext.inquiry.templates.model import Template
from workspace_ext.inquiry.templates.stepping import after
from workspace_ext.telemetry.query.trusted import open_reader


@dataclass(frozen=True)
class Plant:
    """A fault for one template.

    Attributes:
        template: Whose question it is.
        plant: Fills a world; with strength 0 only with what is usual.
        strengths: How strong it must be found, from weak to strong; their unit is the plant's.
        first: What the first row must say then.
        params: What the template is asked with.
        name: To tell plants of one template apart.
    """

    template: str
    plant: Callable[[World, float], None]
    strengths: tuple[float, ...]
    first: Mapping[str, Any]
    params: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""

    def found(
        self, store: duckdb.DuckDBPyConnection, template: Template, seed: int, strength: float
    ) -> bool:
        """Whether the template speaks up, and of what was planted when something was."""
        world = World(seed)
        self.plant(world, strength)
        world.fill(store)
        bound = template.bind(dict(self.params), context())
        reader = open_reader(store, template.sql, bound.values, stream=False)
        judge = Judge(template, bound.arguments)
        batches = after(template, reader.read_all(), bound.arguments).to_batches()
        for batch in batches:
            judge.feed(batch)
        if not judge.verdict()["interesting"]:
            return False
        first = batches[0].slice(0, 1).to_pylist()[0]
        return strength == 0 or {name: first[name] for name in self.first} == dict(self.first)
