"""The board of hypotheses: what is believed, how it fared, and what one makes of it."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Protocol

from workspace_ext.protocol.hypotheses import Hypothesis, HypothesisState
from workspace_ext.protocol.messages import InvestigationState
from workspace_ext.widgets.tables import MUTED, Still
from workspace_ext.widgets.view import View

if TYPE_CHECKING:
    import ipywidgets

LABELS: dict[HypothesisState, str] = {
    "root_cause": "Root cause",
    "contributing": "Contributing",
    "supported": "Supported",
    "testing": "Testing",
    "proposed": "Proposed",
    "inconclusive": "Inconclusive",
    "refuted": "Refuted",
    "ruled_out": "Ruled out",
}
"""What a state is called, in the order of the board."""

JUDGEMENTS: dict[HypothesisState, str] = {
    "supported": "Supported",
    "refuted": "Refuted",
    "inconclusive": "Inconclusive",
    "contributing": "Contributing",
    "ruled_out": "Ruled out",
}
"""What a person may make of one here. A root cause is concluded, with its evidence."""


class Acts(Protocol):
    """What the board does; each may be refused."""

    def propose(self, text: str, prediction: str) -> object:
        """States a hypothesis."""
        ...

    def judge(self, text: str, state: HypothesisState, reason: str) -> object:
        """Judges one, for a reason."""
        ...


class Board(View):
    """All hypotheses by state; new ones are stated, and any is judged for a reason.

    Args:
        state: Tells the investigation as it stands.
        acts: What can be done.
    """

    def __init__(self, state: Callable[[], InvestigationState], acts: Acts) -> None:
        super().__init__()
        self._state = state
        self._acts = acts
        self._shown = in_order(state())

    def refresh(self) -> None:
        """Shows what is known now."""
        if self._try(self._read):
            self._redraw_picture()

    def propose(self, text: str, prediction: str = "") -> None:
        """States a hypothesis."""
        self._do(lambda: self._acts.propose(text, prediction), "Stated.")

    def judge(self, hypothesis: Hypothesis, state: HypothesisState, reason: str) -> None:
        """Judges one; refused without a reason."""
        self._do(lambda: self._acts.judge(hypothesis["text"], state, reason), LABELS[state] + ".")

    def still(self) -> Still:
        """One line a hypothesis."""
        rows = [
            [LABELS[each["state"]], each["text"], each["prediction"], _tested(each), _who(each)]
            for each in self._shown
        ]
        names = ["state", "hypothesis", "predicts", "tests", "by"]
        return Still("Hypotheses", "", names, rows, empty="None was stated yet.")

    def _do(self, act: Callable[[], object], done: str) -> None:
        def both() -> None:
            act()
            self._read()

        if self._try(both, done):
            self._redraw_picture()

    def _read(self) -> None:
        self._shown = in_order(self._state())
        self._cards.children = tuple(self._card(each) for each in self._shown)

    def _build(self) -> ipywidgets.Widget:
        import ipywidgets

        wide = {"width": "28em"}
        text = ipywidgets.Text(placeholder="A new hypothesis", layout=wide)
        prediction = ipywidgets.Text(placeholder="What must show if it is true", layout=wide)
        state_it = ipywidgets.Button(description="State it", icon="plus")
        refresh = ipywidgets.Button(description="Refresh", icon="refresh", layout={"width": "auto"})

        def stated(_button: object) -> None:
            if self._try(lambda: self._acts.propose(text.value, prediction.value), "Stated."):
                text.value = prediction.value = ""
                self._read()
                self._redraw_picture()

        state_it.on_click(stated)
        refresh.on_click(lambda _button: self.refresh())
        self._cards = ipywidgets.VBox([self._card(each) for each in self._shown])
        new = ipywidgets.HBox([ipywidgets.VBox([text, prediction]), state_it])
        head = ipywidgets.HBox([ipywidgets.HTML("<b>Hypotheses</b>"), refresh])
        return ipywidgets.VBox([head, self._cards, new, self.said])

    def _card(self, hypothesis: Hypothesis) -> ipywidgets.Widget:
        import ipywidgets

        verdict = ipywidgets.Dropdown(
            options=[("judge it…", ""), *((name, state) for state, name in JUDGEMENTS.items())],
            layout={"width": "9em"},
        )
        reason = ipywidgets.Text(placeholder="what shows it", layout={"width": "20em"})
        save = ipywidgets.Button(description="Save", layout={"width": "5em"})

        def judged(_button: object) -> None:
            if verdict.value:
                self.judge(hypothesis, verdict.value, reason.value)

        save.on_click(judged)
        said = ipywidgets.HTML(_card_html(hypothesis))
        return ipywidgets.VBox([said, ipywidgets.HBox([verdict, reason, save])])


def in_order(state: InvestigationState) -> list[Hypothesis]:
    """The hypotheses as a board has them: what explains most first, then by time."""
    order = list(LABELS)
    standing = [each for each in state["hypotheses"].values() if each["superseded_by"] is None]
    return sorted(standing, key=lambda each: (order.index(each["state"]), each["at"], each["id"]))


def _tested(hypothesis: Hypothesis) -> str:
    tests = [test for test in hypothesis["tests"].values() if not test["replaced"]]
    return "; ".join(f"{test['outcome']} by {test['name']}: {test['reason']}" for test in tests)


def _who(hypothesis: Hypothesis) -> str:
    return hypothesis["by"].partition(":")[2]


def _card_html(hypothesis: Hypothesis) -> str:
    late = " (written after a test began)" if hypothesis["prediction_late"] else ""
    predicts = f"Predicts{late}: {hypothesis['prediction']}" if hypothesis["prediction"] else ""
    lines = [predicts, _tested(hypothesis), hypothesis["why"] and f"Because {hypothesis['why']}"]
    more = "".join(f'<div style="{MUTED}">{escape(line)}</div>' for line in lines if line)
    return (
        f'<div style="border-left:3px solid #2b6cb0;padding:2px 10px;line-height:1.4">'
        f"<b>{LABELS[hypothesis['state']]}</b> {escape(hypothesis['text'])}"
        f' <span style="{MUTED}">{escape(_who(hypothesis))}</span>{more}</div>'
    )
