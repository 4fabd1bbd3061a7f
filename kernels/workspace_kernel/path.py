"""From an answer on: a condition, another baseline, the next question; recorded as a path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import BadInput, NotFound
from workspace_ext.protocol.messages import Answer, QueryRequest
from workspace_ext.protocol.templates import NextStep
from workspace_kernel.ahead import filled, said
from workspace_kernel.markup import MUTED, aside, table_html, table_text
from workspace_kernel.values import to_wire

if TYPE_CHECKING:
    import pyarrow as pa

    from workspace_kernel.asking import Asker
    from workspace_kernel.result import Result


class Path:
    """What can follow an answer.

    Args:
        asker: Asks.
        request: What was asked.
        answer: What came with the rows.
    """

    def __init__(self, asker: Asker, request: QueryRequest, answer: Answer) -> None:
        self._asker = asker
        self._request = request
        self._answer = answer

    def where(self, condition: str) -> Result:
        """See `Result.where`."""
        if not isinstance(condition, str) or not condition.strip():
            raise BadInput(
                "the condition is empty",
                hint="as in where(\"service = 'cart' AND ratio > 2\")",
                code="bad_where",
            )
        before = self._request.get("where")
        both = f"({before}) AND ({condition})" if before else condition.strip()
        return self._asker.again({**self._same(), "where": both}, self._answer["query"])

    def compare(self, baseline: Any) -> Result:
        """See `Result.compare`."""
        params = self._answer["params"]
        if "baseline" not in params:
            raise BadInput(
                f"{self._answer['title']} has no baseline",
                hint="ask it once for each window instead",
                code="no_baseline",
            )
        other = Window.parse(to_wire(baseline, "baseline")).to_dict()
        same = self._same()
        same["params"] = {**params, "baseline": other}
        return self._asker.again(same, self._answer["query"])

    def drill(
        self, table: pa.Table, row: int | Mapping[str, Any], into: str, params: Mapping[str, Any]
    ) -> Proposals | Result:
        """See `Result.drill`."""
        values = dict(row) if isinstance(row, Mapping) else _row(table, row)
        place = None if isinstance(row, Mapping) else range(table.num_rows)[row]
        proposals = Proposals(
            tuple(
                Proposal(self._asker, self._answer["query"], step, filled(step, values))
                for step in self._answer.get("next") or ()
                if place is None or step["rows"] is None or place in step["rows"]
            )
        )
        return proposals.run(into, **params) if into else proposals

    def _same(self) -> QueryRequest:
        """The same question on the same data."""
        answer = self._answer
        same: QueryRequest = {"params": answer["params"], "pin": answer["pin"]}
        if answer["template"] is not None:
            same["template"] = answer["template"]["id"]
            same["version"] = answer["template"]["version"]
        else:
            same["sql"] = self._request["sql"]
        if self._request.get("where"):
            same["where"] = self._request["where"]
        return same


@dataclass(frozen=True)
class Proposal:
    """A question that may come next, with its inputs filled."""

    asker: Asker
    parent: str
    step: NextStep
    params: Mapping[str, Any]

    def run(self, **params: Any) -> Result:
        """Asks it, with these inputs beside or instead of those that are filled."""
        given = {**self.params, **params}
        return self.asker.template(self.step["template"], given, parent=self.parent)


@dataclass(frozen=True)
class Proposals:
    """What may come next, in the order in which the template names it."""

    proposals: tuple[Proposal, ...]

    def run(self, template: str = "", /, **params: Any) -> Result:
        """Asks one: by its template, or the only one there is.

        Raises:
            NotFound: It is not proposed for this row.
            BadInput: There are several, or none.
        """
        names = [each.step["template"] for each in self.proposals]
        for each in self.proposals:
            if template == each.step["template"] or (not template and len(names) == 1):
                return each.run(**params)
        known = ", ".join(names) or "nothing"
        if template:
            raise NotFound(
                f"{template} does not follow from this row",
                hint=f"what does: {known}; investigation.run asks anything",
                code="not_proposed",
            )
        raise BadInput(
            f"this row leads to {known}",
            hint="name one of them" if names else "investigation.run asks anything",
            code="which_next",
        )

    def __len__(self) -> int:
        return len(self.proposals)

    def __getitem__(self, place: int) -> Proposal:
        return self.proposals[place]

    def _rows(self) -> tuple[list[str], list[list[Any]]]:
        rows = [
            [each.step["template"], each.step["question"], said(each.params)]
            for each in self.proposals
        ]
        return ["next", "question", "with"], rows

    def __repr__(self) -> str:
        return table_text(*self._rows()) if self.proposals else "nothing follows from this row"

    def _repr_html_(self) -> str:
        if not self.proposals:
            return f"<div>{escape(repr(self))}</div>"
        how = 'Run one: <code>.drill(row, "…")</code>'
        return f'{table_html(*self._rows())}<div style="{MUTED}">{how}</div>'

    def _repr_mimebundle_(self, **_options: Any) -> tuple[dict[str, str], dict[str, Any]]:
        return aside(self)


def _row(table: pa.Table, row: int) -> dict[str, Any]:
    if isinstance(row, bool) or not isinstance(row, int) or not -len(table) <= row < len(table):
        raise BadInput(
            f"there is no row {row!r}",
            hint=f"rows are 0 to {len(table) - 1}" if len(table) else "the answer has no rows",
            code="no_row",
        )
    found: dict[str, Any] = table.slice(range(len(table))[row], 1).to_pylist()[0]
    return found
