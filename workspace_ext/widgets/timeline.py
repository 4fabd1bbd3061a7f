"""The story of an investigation: what was run, found, believed and decided, by whom and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workspace_ext.protocol.messages import InvestigationState, QuerySummary, Step
from workspace_ext.widgets.tables import Still
from workspace_ext.widgets.view import View

if TYPE_CHECKING:
    import ipywidgets

ALL = "all"
FIRST = 100
"""So many of the newest are shown."""


@dataclass(frozen=True)
class Entry:
    """One thing that happened."""

    at: str
    by: str
    kind: str
    text: str


class Timeline(View):
    """What happened, the newest first; chosen by person and by kind.

    Args:
        state: Tells the investigation as it stands.
    """

    def __init__(self, state: Callable[[], InvestigationState]) -> None:
        super().__init__()
        self._state = state
        self._entries = entries(state())
        self._person = self._kind = ALL

    def refresh(self) -> None:
        """Shows what is known now."""
        if self._try(self._read):
            self._redraw_picture()

    def choose(self, *, person: str = ALL, kind: str = ALL) -> None:
        """Shows only what one person did, or only things of one kind."""
        self._person, self._kind = person, kind
        if self._root is not None:
            self._people.value, self._kinds.value = person, kind
            self._table.value = self.still().html()

    def still(self) -> Still:
        """One line a thing."""
        chosen = [
            each
            for each in self._entries
            if self._person in (ALL, each.by) and self._kind in (ALL, each.kind)
        ]
        rows = [[_clock(each.at), each.by, each.kind, each.text] for each in chosen[:FIRST]]
        left_out = len(chosen) - len(rows)
        return Still(
            "Timeline",
            "",
            ["time (UTC)", "who", "kind", "what"],
            rows,
            empty="Nothing happened yet.",
            note=f"{left_out} earlier ones are not shown" if left_out else "",
        )

    def _read(self) -> None:
        self._entries = entries(self._state())
        self._people.options = _choices(each.by for each in self._entries)
        self._kinds.options = _choices(each.kind for each in self._entries)
        self.choose()

    def _build(self) -> ipywidgets.Widget:
        import ipywidgets

        def chosen(_change: object) -> None:
            self._person, self._kind = self._people.value, self._kinds.value
            self._table.value = self.still().html()

        options = [_choices(each.by for each in self._entries)]
        options += [_choices(each.kind for each in self._entries)]
        self._people, self._kinds = (
            ipywidgets.Dropdown(options=some, value=value, description=name)
            for some, value, name in zip(
                options, (self._person, self._kind), ("who", "kind"), strict=True
            )
        )
        self._people.observe(chosen, "value")
        self._kinds.observe(chosen, "value")
        refresh = ipywidgets.Button(description="Refresh", icon="refresh")
        refresh.on_click(lambda _button: self.refresh())
        self._table = ipywidgets.HTML(self.still().html())
        head = ipywidgets.HBox([self._people, self._kinds, refresh])
        return ipywidgets.VBox([head, self._table, self.said])


def entries(state: InvestigationState) -> list[Entry]:
    """The whole story, newest first."""
    return sorted(_all(state), key=lambda each: each.at, reverse=True)


def _all(state: InvestigationState) -> Iterator[Entry]:
    queries = state["queries"]
    joined: set[str] = set()
    for step in state["steps"].values():
        asked = [queries[query] for query in step["queries"] if query in queries]
        joined.update(query["id"] for query in asked)
        yield Entry(step["started"], _name(step["by"]), "step", _step_text(step, asked, queries))
    for query in queries.values():
        if query["id"] not in joined:
            yield Entry(query["at"], "", "step", _query_text(query, queries))
    for claim in state["hypotheses"].values():
        yield _said("hypothesis", claim)
        for test in claim["tests"].values():
            told = f"{test['outcome']} by {test['name']}: {claim['text']}"
            yield Entry(test["at"], "", "test", told)
    for note in state["notes"].values():
        yield _said(note["kind"], note)
    conclusion = state["conclusion"]
    if conclusion:
        yield _said("conclusion", {**conclusion, "text": conclusion["root_cause"]})


def _said(kind: str, told: Any) -> Entry:
    return Entry(told["at"], _name(told["by"]), kind, told["text"])


def _step_text(
    step: Step, asked: Sequence[QuerySummary], queries: Mapping[str, QuerySummary]
) -> str:
    failed = f"{step['status']}: {step['error']}" if step["error"] else ""
    said = [_query_text(query, queries) for query in asked] or ["ran a cell"]
    return "; ".join([*said, *([failed] if failed else [])])


def _query_text(query: QuerySummary, queries: Mapping[str, QuerySummary]) -> str:
    before = queries.get(query.get("parent") or "")
    named = f"{_named(query)} (from {_named(before)})" if before else _named(query)
    if not query["ok"]:
        return f"{named}: {query['error']}"
    finding = {True: "interesting, ", False: "not interesting, ", None: ""}[query["interesting"]]
    return f"{named}: {finding}{query['rows']} row{'' if query['rows'] == 1 else 's'}"


def _named(query: QuerySummary) -> str:
    title = query["title"] or (query["template"]["id"] if query["template"] else "SQL")
    service = query["params"].get("service")
    return f"{title} · {service}" if isinstance(service, str) else title


def _choices(values: Any) -> list[str]:
    return [ALL, *sorted({value for value in values if value})]


def _name(actor: str) -> str:
    return actor.partition(":")[2]


def _clock(time: str) -> str:
    return time[:19].replace("T", " ")
