"""An answer as an analyst holds it: a verdict on top, all rows behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.errors import Unavailable
from workspace_ext.protocol.messages import Answer, Verdict

if TYPE_CHECKING:
    import altair
    import pandas as pd
    import pyarrow as pa

    from workspace_kernel.lineage import Lineage
    from workspace_kernel.path import Path


class Result:
    """The rows of one query with its verdict.

    Showing it prints the verdict, a chart and the first rows only, so that notebooks stay
    light; everything is in ``df`` and ``arrow``.
    """

    def __init__(
        self,
        table: pa.Table,
        answer: Answer,
        *,
        title: str = "",
        trace: Callable[[str], dict[str, Any]] | None = None,
        path: Path | None = None,
    ) -> None:
        self._table = table
        self._answer = answer
        self._title = title
        self._trace = trace
        self._path = path
        self._frame: pd.DataFrame | None = None

    @property
    def arrow(self) -> pa.Table:
        """All rows, as an Arrow table."""
        return self._table

    @property
    def df(self) -> pd.DataFrame:
        """All rows, as a pandas frame (made on first use; yours to change)."""
        if self._frame is None:
            self._frame = self._table.to_pandas()
        return self._frame

    @property
    def chart(self) -> altair.Chart | None:
        """The chart as an Altair object to build on; None where the answer draws nothing."""
        from workspace_kernel.chart import as_altair, specification

        spec = specification(self._answer, self._table)
        return None if spec is None else as_altair(spec)

    @property
    def verdict(self) -> Verdict:
        """Whether it is interesting, why, and on how many rows."""
        return self._answer["verdict"]

    @property
    def answer(self) -> Answer:
        """Everything that came with the rows: parameters, pin, digest, comparison mode."""
        return self._answer

    @property
    def run_id(self) -> str:
        """The id under which this query is recorded; evidence names it."""
        return self._answer["query"]

    @property
    def title(self) -> str:
        """What was asked."""
        return self._title or self._answer["title"] or "Query"

    def lineage(self) -> Lineage:
        """Where the rows behind it come from, batches and sources: ``result.lineage()``."""
        from workspace_kernel.lineage import Lineage

        if self._trace is None:
            raise Unavailable("this result has lost its broker", hint="ask again", code="no_broker")
        return Lineage(self._trace(self.run_id))

    def where(self, condition: str) -> Result:
        """The same question, its rows that meet a condition: ``result.where("n > 2")``; recorded.

        Args:
            condition: Over the columns of a row, as in ``"service = 'cart' AND ratio > 2"``.
        """
        return self._onward().where(condition)

    def compare(self, baseline: Any) -> Result:
        """The same question against another baseline: ``result.compare("START/END")``; recorded.

        Args:
            baseline: When it was fine, as ``"START/END"`` or a pair of times.
        """
        return self._onward().compare(baseline)

    def drill(self, row: int | Mapping[str, Any] = 0, into: str = "", /, **params: Any) -> Any:
        """Goes on from a row: ``result.drill(0)``, ``result.drill(0, "latency.shift")``.

        Args:
            row: Which row, from 0, or its values by column.
            into: The template to run; without it the proposals are shown.
            params: Inputs beside those that are filled, or instead of them.

        Returns:
            The proposals, or the answer of the one that was chosen; the record knows the path.
        """
        return self._onward().drill(self._table, row, into, params)

    def _onward(self) -> Path:
        if self._path is None:
            raise Unavailable("this result has lost its broker", hint="ask again", code="no_broker")
        return self._path

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        from workspace_kernel.display import text

        return text(self)

    def _ipython_display_(self, **_options: Any) -> None:
        from workspace_kernel.display import show

        show(self)

    def _repr_html_(self) -> str:
        from workspace_kernel.display import html

        return html(self)
