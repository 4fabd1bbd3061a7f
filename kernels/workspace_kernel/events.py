"""What an analyst says, as events: reported once, however often the cell runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workspace_ext.protocol.events import event
from workspace_ext.protocol.messages import FunctionTest, InvestigationState, TestOutcome
from workspace_kernel.connection import Connection


class Reporter:
    """Reports events of the running cell's investigation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def uid(self) -> str:
        """The investigation's uid."""
        return self._connection.uid

    def state(self) -> InvestigationState:
        """The investigation as it stands now."""
        return self._connection.client.state(self.uid)

    def report(
        self,
        kind: str,
        subject: str,
        data: dict[str, Any],
        *,
        rationale: str = "",
        event_id: str = "",
        attached: Mapping[str, str] | None = None,
    ) -> None:
        """Reports one event.

        Args:
            kind: Its type, as in ``note.added``.
            subject: What it is about.
            data: What its type wants; the run and the cell are added where the type takes them.
            rationale: Why.
            event_id: The same id again is the same event: the broker takes it once.
            attached: Texts that the data name by digest.
        """
        run = self._connection.here().ref
        if run is not None and not kind.startswith("investigation."):
            data = {**data, "run": run["id"], "cell": run["cell"]}
        told = event(kind, subject, data, event_id=event_id, rationale=rationale, attached=attached)
        self._connection.client.report(self.uid, [told])

    def report_test(self, test: FunctionTest) -> TestOutcome:
        """Reports what a function found out; the broker says what it means."""
        run = self._connection.here().ref
        if run is not None:
            test["run"] = run
        return self._connection.client.report_test(self.uid, test)

    @property
    def cell(self) -> str:
        """The running cell, as far as it is known."""
        return self._connection.here().cell
