"""The doors to `workspace_ext.widgets`: what their controls do, and in whose name."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from workspace_ext.foundation.errors import Denied
from workspace_ext.protocol.hypotheses import HypothesisState
from workspace_ext.widgets.board import Board
from workspace_ext.widgets.form import TemplateForm
from workspace_ext.widgets.timeline import Timeline
from workspace_ext.widgets.view import Bundle
from workspace_kernel.asking import Asker
from workspace_kernel.catalogue import Catalogue
from workspace_kernel.connection import Connection
from workspace_kernel.display import parts
from workspace_kernel.events import Reporter
from workspace_kernel.hypothesis import Hypothesis


def form(connection: Connection, template: str) -> TemplateForm:
    """A template's form, whose answers belong to the cell that shows it."""
    cell = _Cell(connection)
    catalogue = Catalogue(cell.connection)
    described = catalogue.template(template)
    state = Reporter(cell.connection).state()

    def ask(params: Mapping[str, Any]) -> Sequence[Bundle]:
        cell.check()
        return parts(Asker(cell.connection).template(template, dict(params)))

    scope = {"window": state["window"], "baseline": state["baseline"]}
    return TemplateForm(described, scope, catalogue.services(), ask)


def board(connection: Connection) -> Board:
    """The board of hypotheses; what is done on it is done by whoever ran its cell."""
    cell = _Cell(connection)
    return Board(Reporter(cell.connection).state, _Acts(cell))


def timeline(connection: Connection) -> Timeline:
    """The story so far."""
    return Timeline(Reporter(_Cell(connection).connection).state)


class _Cell:
    """The cell that shows controls: whatever they do, it did, in the name of whoever ran it.

    The record says who did something by whose run it was, and another person's click is no run
    of theirs: it may look, and is told how to act.
    """

    def __init__(self, connection: Connection) -> None:
        self._locate, self._place = connection.here, connection.here()
        self.connection = copy.copy(connection)
        self.connection.here = lambda: self._place

    def check(self) -> None:
        """Refuses whoever is not the person that ran it.

        Raises:
            Denied: It is another one.
        """
        now = self._locate()
        if now.user and self._place.user and now.user != self._place.user:
            raise Denied(
                f"these controls act for {self._place.user}, who ran this cell",
                hint="run the cell yourself, then they act for you",
                code="not_yours",
            )


class _Acts:
    """What the board does, through the same objects that code uses."""

    def __init__(self, cell: _Cell) -> None:
        self._cell = cell

    def propose(self, text: str, prediction: str) -> object:
        from workspace_kernel.investigation import Investigation

        self._cell.check()
        return Investigation(self._cell.connection).hypothesis(text, predicts=prediction)

    def judge(self, text: str, state: HypothesisState, reason: str) -> object:
        self._cell.check()
        connection = self._cell.connection
        claim = Hypothesis(text, Reporter(connection), Asker(connection))
        judge = {
            "supported": claim.support,
            "refuted": claim.refute,
            "inconclusive": claim.leave_open,
            "contributing": claim.contributing,
            "ruled_out": claim.rule_out,
        }[state]
        return judge(reason)
