"""From a call in a cell to a request, and from its answer to a result."""

from __future__ import annotations

import re
from typing import Any

from workspace_ext.foundation.errors import BadInput
from workspace_ext.protocol.messages import Expectation, QueryRequest
from workspace_kernel.connection import Connection
from workspace_kernel.errors import stopped
from workspace_kernel.path import Path
from workspace_kernel.result import Result
from workspace_kernel.values import text_of, to_wire

_QUERY = re.compile(r"\s|;|\(")


def is_sql(text: str) -> bool:
    """Whether a question is SQL; a template's id has no white space."""
    return bool(_QUERY.search(text.strip()))


class Asker:
    """Puts questions to the broker, each with its investigation, cell and run."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def template(
        self,
        template: str,
        params: dict[str, Any],
        *,
        version: int | None = None,
        test: Expectation | None = None,
        parent: str = "",
    ) -> Result:
        """Runs a template; the broker binds, runs, judges and records it."""
        text_of(template, "template")
        given = {name: to_wire(value, name) for name, value in params.items()}
        request: QueryRequest = {"template": template, "params": given}
        if version is not None:
            request["version"] = version
        if parent:
            request["parent"] = parent
        return self._ask(request, test)

    def again(self, request: QueryRequest, parent: str) -> Result:
        """Asks what came of an answer, and records that it did."""
        return self._ask({**request, "parent": parent})

    def sql(
        self,
        sql: str,
        params: dict[str, Any],
        *,
        title: str = "",
        test: Expectation | None = None,
    ) -> Result:
        """Runs free SQL over the guarded views, with ``$names`` bound.

        The broker itself gives ``$window_start``, ``$window_end``, ``$baseline_start`` and
        ``$baseline_end`` from the investigation.
        """
        if not text_of(sql, "query"):
            raise BadInput("there is no SQL", hint="write one SELECT", code="empty_query")
        given = {name: to_wire(value, name) for name, value in params.items()}
        return self._ask({"sql": sql, "params": given}, test, title)

    def _ask(
        self, request: QueryRequest, test: Expectation | None = None, title: str = ""
    ) -> Result:
        request["investigation"] = self._connection.uid
        run = self._connection.here().ref
        if run is not None:
            request["run"] = run
        if test is not None:
            request["test"] = test
        try:
            client = self._connection.client
            answered = client.query(request)
        except KeyboardInterrupt as interrupt:
            raise stopped(interrupt) from None
        path = Path(self, request, answered.answer)
        return Result(answered.table, answered.answer, title=title, trace=client.lineage, path=path)
