"""What DuckDB says when a query fails, as errors with a hint."""

from __future__ import annotations

import re

import duckdb

from workspace_ext.foundation.errors import (
    BadInput,
    InvestigationError,
    LimitExceeded,
    Unavailable,
)

_CANDIDATES = re.compile(r"Candidate bindings: (.+)")
_SUGGESTION = re.compile(r"Did you mean (.+?)\??$", re.MULTILINE)
_COLUMNS_HINT = "the tables are spans, logs, metrics, events and services; see the catalog"


def memory_limit(what: str = "") -> LimitExceeded:
    """The error for a query that needed more memory, or more spill space, than it may use."""
    return LimitExceeded(
        f"the query ran out of memory{': ' if what else ''}{what}",
        hint="narrow the time window, select fewer columns, or aggregate before sorting or joining",
        code="memory_limit",
    )


def row_limit(rows: int) -> LimitExceeded:
    """The error for a result with more rows than asked for."""
    return LimitExceeded(
        f"the result has more than {rows:,} rows",
        hint="aggregate, narrow the time window, or end the query with a LIMIT",
        code="row_limit",
    )


def explain_query(error: BaseException) -> InvestigationError:
    """An error of DuckDB as one of ours; one of ours comes back as it is."""
    if isinstance(error, InvestigationError):
        return error
    text = _first_line(error)
    if isinstance(error, (duckdb.OutOfMemoryException, MemoryError)):
        return memory_limit()
    if "max_temp_directory_size" in str(error):
        return memory_limit("no spill space left")
    if isinstance(error, (duckdb.FatalException, duckdb.InternalException, duckdb.IOException)):
        return Unavailable(
            f"the query could not be run: {text}",
            hint="try again; if it stays, check the store with: jupyter investigation doctor",
            code="query_unavailable",
        )
    return BadInput(text, hint=_hint(error), code="bad_sql")


def _hint(error: BaseException) -> str:
    text = str(error)
    for pattern in (_SUGGESTION, _CANDIDATES):
        found = pattern.search(text)
        if found:
            return f"did you mean {found[1].strip()}?"
    if isinstance(error, (duckdb.BinderException, duckdb.CatalogException)):
        return _COLUMNS_HINT
    if isinstance(error, duckdb.ConversionException):
        return "check the values; TRY_CAST gives NULL where a cast fails"
    return "correct the SQL (DuckDB's dialect) and ask again"


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
