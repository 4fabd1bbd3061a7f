"""What an investigation looked at when a cell was run: pin, windows, services, template texts.

People move these while they work, also from outside of cells, and run cells in any order. A
replay sets them before each cell as they were when the captured run of the cell began.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.actor import Actor
from workspace_ext.inquiry.archive.order import Turn
from workspace_ext.inquiry.archive.texts import Texts
from workspace_ext.inquiry.investigations.fold import apply
from workspace_ext.protocol.events import event
from workspace_ext.protocol.messages import InvestigationState, LedgerEntry

_SCOPE = ("window", "baseline", "services")


class Circumstances:
    """Restores pin, windows, services and texts before each run of a replay.

    Args:
        entries: The ledger of the captured investigation.
        order: The runs of the replay.
        texts: The texts of templates and scripts.
        actor: Who replays.
    """

    _client: BrokerClient

    def __init__(
        self,
        entries: Iterable[LedgerEntry],
        order: Sequence[Turn],
        texts: Texts,
        actor: Actor,
    ) -> None:
        self._texts = texts
        self._actor = actor
        self._order = order
        self._states: dict[int, InvestigationState] = {}
        state: InvestigationState | None = None
        for entry in entries:
            state = apply(state, entry)
            if state is not None and entry["type"] == "run.started":
                self._states[entry["seq"]] = state
        assert state is not None
        self._uid = state["uid"]

    def begin(self, client: BrokerClient) -> None:
        """Restores what the first run saw, in the broker of the replay."""
        self._client = client
        self.before(0)

    def before(self, number: int) -> None:
        """Restores what a run saw; the first has number 0, one past the last is nothing to do."""
        step = self._order[number].step if number < len(self._order) else None
        if step is None:
            return
        self._texts.before(step)
        was, is_ = self._states[step["seq"]], self._client.state(self._uid)
        scope = {name: was[name] for name in _SCOPE if was[name] != is_[name]}  # type: ignore[literal-required]
        if scope:
            self._report("investigation.scoped", scope)
        if was["pin"] != is_["pin"]:
            self._report("investigation.pinned", {"pin": was["pin"]})

    def _report(self, kind: str, data: dict[str, Any]) -> None:
        why = "as it was when the cell was run"
        told = event(kind, self._uid, data, actor=str(self._actor), rationale=why)
        self._client.report(self._uid, [told])
