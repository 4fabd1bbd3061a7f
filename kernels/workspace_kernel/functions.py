"""A test that is a Python function: it runs here, and the record says so."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workspace_ext.foundation.canonical import digest_json, digest_text
from workspace_ext.foundation.errors import BadInput
from workspace_ext.protocol.messages import FunctionTest
from workspace_kernel.cards import Card
from workspace_kernel.display import fell
from workspace_kernel.events import Reporter
from workspace_kernel.result import Result
from workspace_kernel.values import to_wire

MOST_ROWS = 10_000
_HINT = (
    "return True or False (None: cannot tell), or (True, evidence);"
    ' or rows (a frame, a map, a result) together with expect="max(ratio) > 2"'
)


@dataclass(frozen=True)
class _Found:
    """What a function returned, taken apart."""

    supports: bool | None = None
    rows: list[dict[str, Any]] | None = None
    queries: tuple[str, ...] = ()
    reason: str = ""


def run_function(
    hypothesis: str,
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    *,
    expect: str,
    reporter: Reporter,
) -> Card:
    """Calls a function and reports what it found out; its error is reported, and raised.

    Args:
        hypothesis: The id of what it tests.
        function: The test.
        arguments: Its arguments, by name.
        expect: A condition over the rows it returns; empty when it says True or False.
        reporter: Takes the report.

    Raises:
        BadInput: It returned nothing that could be evidence.
    """
    begun = time.monotonic()
    name = getattr(function, "__qualname__", type(function).__name__).removeprefix("<locals>.")

    def report(found: _Found) -> Card:
        # the rows of a result that itself is recorded are digested, not sent again as a verdict
        content = to_wire(found.rows if found.rows is not None else found.supports)
        test: FunctionTest = {
            "hypothesis": hypothesis,
            "name": name[:200],
            "expect": expect or "returns true",
            "source_digest": _source_digest(function),
            "result_digest": digest_json([content, list(found.queries), found.reason]),
            "elapsed_ms": round((time.monotonic() - begun) * 1000),
            "queries": list(found.queries),
        }
        if expect and found.rows is not None:
            test["evidence"] = found.rows
        else:
            test["supports"] = found.supports
            test["reason"] = found.reason[:2000]
        told = reporter.report_test(test)
        said = (told["reason"], *fell(told))
        details = (*said, f"Expected: {test['expect']}", "Found by code in this kernel")
        return Card("Test", name, details, told["outcome"])

    try:
        found = _take_apart(function(**arguments), expect)
    except BaseException as error:
        report(_Found(reason=f"{type(error).__name__}: {error}"))
        raise
    return report(found)


def _take_apart(returned: Any, expect: str) -> _Found:
    if isinstance(returned, tuple) and len(returned) == 2:
        supports = _truth(returned[0])
        found = _evidence(returned[1])
        return _Found(supports, found.rows, found.queries, found.reason)
    if returned is None or _is_truth(returned):
        if expect:
            raise BadInput(
                f"the function returned {returned!r}, so there are no rows to expect {expect!r} of",
                hint=_HINT,
                code="bad_evidence",
            )
        return _Found(_truth(returned), reason="" if returned is not None else "it returned None")
    found = _evidence(returned)
    if not expect:
        raise BadInput(
            f"a {type(returned).__name__} says neither yes nor no", hint=_HINT, code="bad_evidence"
        )
    return found


def _evidence(value: Any) -> _Found:
    if isinstance(value, str):
        return _Found(reason=value)
    if isinstance(value, Result):
        return _Found(rows=_rows(value.df), queries=(value.run_id,))
    if isinstance(value, (list, tuple)) and value and all(isinstance(v, Result) for v in value):
        return _Found(queries=tuple(result.run_id for result in value))
    return _Found(rows=_rows(value))


def _rows(value: Any) -> list[dict[str, Any]]:
    """A frame, an Arrow table, a map or a list of maps as rows of plain values."""
    if hasattr(value, "to_pandas") and not isinstance(value, Mapping):
        value = value.to_pandas()
    if hasattr(value, "to_json"):  # pandas
        frame = value.to_frame() if hasattr(value, "to_frame") else value
        rows = json.loads(frame.to_json(orient="records", date_format="iso", double_precision=15))
    elif isinstance(value, Mapping):
        rows = [to_wire(value)]
    elif isinstance(value, list) and all(isinstance(row, Mapping) for row in value):
        rows = to_wire(value)
    else:
        raise BadInput(f"a {type(value).__name__} is no evidence", hint=_HINT, code="bad_evidence")
    if len(rows) > MOST_ROWS:
        raise BadInput(
            f"the function returned {len(rows):,} rows, more than {MOST_ROWS:,}",
            hint="let it summarise them",
            code="too_many_rows",
        )
    found: list[dict[str, Any]] = rows
    return found


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")


def _truth(value: Any) -> bool | None:
    if value is None:
        return None
    if not _is_truth(value):
        raise BadInput(f"{value!r} is neither True nor False", hint=_HINT, code="bad_evidence")
    return bool(value)


def _source_digest(function: Callable[..., Any]) -> str:
    try:
        return digest_text(inspect.getsource(function))
    except (OSError, TypeError):  # built in, or made by another function
        code = getattr(function, "__code__", None)
        return digest_text(repr((code.co_code, code.co_consts) if code else function))
