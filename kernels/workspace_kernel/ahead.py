"""Where an answer leads: the next questions, each filled from a row that leads there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.errors import BadInput
from workspace_ext.protocol.messages import Answer, QuerySummary
from workspace_ext.protocol.templates import NextStep
from workspace_kernel.values import to_wire

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Ahead:
    """A question that may come next.

    Attributes:
        step: What is asked.
        params: Its inputs, as the broker wants them.
    """

    step: NextStep
    params: Mapping[str, Any]

    def said(self) -> str:
        """Its inputs for a person."""
        return said(self.params)

    def told(self) -> dict[str, Any]:
        """As an output's metadata tell it to the front end, which makes it a button."""
        step = self.step
        about = {name: step[name] for name in ("template", "title", "question")}
        return {**about, "params": dict(self.params)}


def said(params: Mapping[str, Any]) -> str:
    """Inputs for a person, as in ``service=cart``; windows stand as they are."""
    plain = {name: value for name, value in params.items() if not isinstance(value, Mapping)}
    return ", ".join(f"{name}={value}" for name, value in plain.items())


def ahead(answer: Answer, table: pa.Table) -> tuple[Ahead, ...]:
    """What may follow, each from the first row that it makes sense for."""
    found = []
    for step in answer.get("next") or ():
        places = (0,) if step["rows"] is None else step["rows"]
        row = next((place for place in places if place < table.num_rows), None)
        if row is not None:
            values = table.slice(row, 1).to_pylist()[0]
            found.append(Ahead(step, _on_the_wire(filled(step, values))))
    return tuple(found)


def answered_by(queries: Iterable[QuerySummary], follows: str) -> str:
    """The newest answer of a template, as in ``"latency.shift"`` or ``"latency.shift#1f3a"``.

    Returns:
        The query's id; empty when there is none.
    """
    template, _, begin = follows.partition("#")
    found = [
        query
        for query in queries
        if query["ok"]
        and query["template"] is not None
        and query["template"]["id"] == template
        and query["id"].startswith(begin)
    ]
    return max(found, key=lambda query: query["at"])["id"] if found else ""


def filled(step: NextStep, values: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a question; what the row does not know is left to its default."""
    known = {
        name: values[column]
        for name, column in step["columns"].items()
        if values.get(column) is not None
    }
    return {**step["params"], **known}


def _on_the_wire(params: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, value in params.items():
        if value is None:
            continue
        try:
            found[name] = to_wire(value, name)
        except BadInput:  # a value that cannot be asked with is left to its default
            continue
    return found
