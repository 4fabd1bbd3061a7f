"""What an archived investigation tells the store: an incident that later ones are compared with.

Its symptoms are what the template ``incidents.similar`` takes for symptoms, by that template's own
SQL: so they are found again when the telemetry they were seen in has been removed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from functools import cache

from workspace_ext.foundation.clock import Window, moment
from workspace_ext.foundation.errors import Damaged
from workspace_ext.foundation.shipped import shipped
from workspace_ext.protocol.messages import InvestigationState, LedgerEntry
from workspace_ext.telemetry.query.runner import QueryRunner

SOURCE = "investigation-workspace"
"""The source of these events; ``incidents.similar`` takes the newest of each investigation."""

MAPPING = f"""\
signal: events
fields:
  time: time
  end_time: end_time
  kind: {{constant: incident}}
  source: {{constant: {SOURCE}}}
  state: {{constant: concluded}}
  severity: severity
  title: title
  service: service
  fingerprint: fingerprint
attributes: [investigation, root_cause, symptoms, entry]
"""

_TEMPLATE = "queries/incidents/similar.sql"
_BEGIN, _END = "-- symptoms: begin", "-- symptoms: end"
_MOST = 200
_SETTLES = ("conclusion.reached", "outcome.recorded")


def symptoms(runner: QueryRunner, state: InvestigationState) -> list[str]:
    """The symptoms in an investigation's window, in the data that it was pinned to.

    Args:
        runner: Asks the store.
        state: The investigation.

    Returns:
        The most frequent, `_MOST` at most, in the order of the alphabet; none without a window
        or a conclusion.

    Raises:
        InvestigationError: The question took too long, or the store cannot be read.
    """
    if state["window"] is None or state["conclusion"] is None:
        return []
    window = Window.parse(state["window"])
    rows = runner.look(
        _question(),
        {
            "window_start": moment(window.start_ns),
            "window_end": moment(window.end_ns),
            "history": 0.0,
        },
        pin=state["pin"],
        limits=runner.limits,
        cancelled=threading.Event(),
    )
    return sorted(row["symptom"] for batch in rows for row in batch.to_pylist())


def incident(
    state: InvestigationState, entries: Sequence[LedgerEntry], shown: Sequence[str]
) -> bytes | None:
    """The event, as a line of JSON to be read by `MAPPING`; None before there is a conclusion.

    Another conclusion, or how one turned out, is another event: of each state there is one,
    however often the investigation is archived in it.

    Args:
        state: The investigation.
        entries: Its ledger; the last that settles something tells the states apart.
        shown: Its symptoms; none of them holds a semicolon.
    """
    found, window, services = state["conclusion"], state["window"], state["services"]
    if found is None or state["state"] != "concluded":
        return None
    outcome = found["outcome"]
    wrong = outcome is not None and not outcome["correct"]
    settled = next(entry for entry in reversed(entries) if entry["type"] in _SETTLES)
    line = {
        "time": window["start"] if window else found["at"],
        "end_time": window["end"] if window else None,
        "severity": state["severity"] or None,
        "title": state["title"],
        "service": services[0] if len(services) == 1 else None,
        "fingerprint": f"{state['uid']} {settled['id']}",
        "investigation": state["uid"],
        "root_cause": found["root_cause"] + (" (turned out to be wrong)" if wrong else ""),
        "symptoms": "; ".join(shown) or None,
        "entry": f"{settled['seq']:012}",
    }
    return json.dumps(line, sort_keys=True, ensure_ascii=False).encode() + b"\n"


@cache
def _question() -> str:
    text = shipped(_TEMPLATE).read_text("utf-8")
    head, _, rest = text.partition(_BEGIN)
    signs, end, _ = rest.partition("\n)," + "\n" + _END)
    if not head or not end:
        raise Damaged(
            f"{_TEMPLATE} has no {_BEGIN!r} … {_END!r}",
            hint="install the package again",
            code="template_damaged",
        )
    return (
        f"WITH {signs.partition(chr(10))[2]}\n) SELECT symptom FROM signs"  # noqa: S608 - our own
        f" GROUP BY symptom ORDER BY count(*) DESC, symptom LIMIT {_MOST}"
    )
