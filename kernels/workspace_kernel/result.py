"""An answer as an analyst holds it: a verdict on top, all rows behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.errors import Unavailable
from workspace_ext.protocol.messages import Answer, Verdict

if TYPE_CHECKING:
    import altair
    import pandas as pd
    import pyarrow as pa

    from workspace_kernel.lineage import Lineage


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
    ) -> None:
        self._table = table
        self._answer = answer
        self._title = title
        self._trace = trace
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
        """Where the rows behind it come from: the batches and their sources."""
        from workspace_kernel.lineage import Lineage

        if self._trace is None:
            raise Unavailable("this result has lost its broker", hint="ask again", code="no_broker")
        return Lineage(self._trace(self.run_id))

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
