"""From an investigation's state to the metadata of its notebook and cells."""

from __future__ import annotations

from typing import Any

from workspace_ext.inquiry.metadata.limits import fit_cell, fit_notebook
from workspace_ext.protocol.hypotheses import Hypothesis
from workspace_ext.protocol.messages import (
    METADATA_SCHEMA,
    InvestigationState,
    NotebookProjection,
    QuerySummary,
    Step,
)


def project(state: InvestigationState) -> NotebookProjection:
    """What belongs into the notebook; the same state gives the same bytes."""
    cells: dict[str, dict[str, Any]] = {}
    _roles(state, cells)
    for uid, step in _last_steps(state).items():
        _fill(cells.setdefault(uid, {"uid": uid}), state, step)
    return {
        "notebook": fit_notebook(_notebook(state)),
        "cells": {uid: fit_cell(cell) for uid, cell in cells.items()},
    }


def _notebook(state: InvestigationState) -> dict[str, Any]:
    templates: dict[str, int] = {}
    for query in state["queries"].values():
        used = query["template"]
        if used is not None:
            templates[used["id"]] = max(used["version"], templates.get(used["id"], 0))
    notebook: dict[str, Any] = {
        "schema": METADATA_SCHEMA,
        "uid": state["uid"],
        "title": state["title"],
        "severity": state["severity"],
        "state": state["state"],
        "services": list(state["services"]),
        "pin": state["pin"],
        "hypotheses": {
            key: _hypothesis(state, found) for key, found in state["hypotheses"].items()
        },
        "participants": dict(state["participants"]),
        "templates": templates,
        "ledger": {"head": state["head"], "seq": state["seq"]},
    }
    if state["window"]:
        notebook["window"] = dict(state["window"])
    if state["baseline"]:
        notebook["baseline"] = dict(state["baseline"])
    replay = state.get("replay")
    if replay:
        notebook["replay"] = {"verdict": replay["verdict"], "at": replay["at"]}
    conclusion = state["conclusion"]
    if conclusion:
        notebook["conclusion"] = {
            "root_cause": conclusion["root_cause"],
            "confidence_percent": conclusion["confidence_percent"],
            "by": conclusion["by"],
            "evidence": _cells(state, conclusion["evidence"]),
        }
        if conclusion["hypothesis"]:
            notebook["conclusion"]["hypothesis"] = conclusion["hypothesis"]
    return notebook


def _hypothesis(state: InvestigationState, found: Hypothesis) -> dict[str, Any]:
    told: dict[str, Any] = {
        "text": found["text"],
        "prediction": found["prediction"],
        "state": found["state"],
        "by": found["by"],
        "evidence": _cells(state, found["evidence"]),
    }
    if found["prediction_late"]:
        told["prediction_late"] = True
    return told


def _cells(state: InvestigationState, evidence: list[str]) -> list[str]:
    """The uids of the cells that hold this evidence (queries, or cells themselves), each once."""
    holds: dict[str, str | None] = {step["cell"]: step["cell"] for step in state["steps"].values()}
    holds |= {key: query["cell"] for key, query in state["queries"].items()}
    cells = (holds.get(each) for each in evidence)
    return list(dict.fromkeys(cell for cell in cells if cell))


def _roles(state: InvestigationState, cells: dict[str, dict[str, Any]]) -> None:
    """Says what each cell is for; what comes later here weighs more."""

    def say(uid: str | None, role: str) -> dict[str, Any]:
        cell = cells.setdefault(uid, {"uid": uid}) if uid else {}
        cell["role"] = role
        return cell

    for note in state["notes"].values():
        if note["kind"] != "decision":
            say(note["cell"], "note")
    for query in state["queries"].values():
        cell = say(query["cell"], "query")
        if query["hypothesis"]:
            cell["hypothesis"] = query["hypothesis"]
    for hypothesis in state["hypotheses"].values():
        say(hypothesis["cell"], "hypothesis")["hypothesis"] = hypothesis["id"]
    for note in state["notes"].values():
        if note["kind"] == "decision":
            say(note["cell"], "decision")
    if state["conclusion"]:
        say(state["conclusion"]["cell"], "conclusion")


def _last_steps(state: InvestigationState) -> dict[str, Step]:
    """The last finished run of each cell: while a cell runs, its metadata stays as it was."""
    last: dict[str, Step] = {}
    for step in state["steps"].values():
        known = last.get(step["cell"])
        if step["status"] != "running" and (known is None or step["seq"] > known["seq"]):
            last[step["cell"]] = step
    return last


def _fill(cell: dict[str, Any], state: InvestigationState, step: Step) -> None:
    last: dict[str, Any] = {
        "run": step["id"],
        "seq": step["seq"],
        "by": step["by"],
        "at": step["started"],
        "ok": step["status"] == "ok",
        "source_digest": step["source_digest"],
    }
    cell["last"] = last
    if "replay" in step:
        cell["replay"] = {"verdict": step["replay"]}
    queries = [state["queries"][query] for query in step["queries"] if query in state["queries"]]
    if queries:
        _fill_query(cell, last, queries[-1])
        last["queries"] = len(queries)


def _fill_query(cell: dict[str, Any], last: dict[str, Any], query: QuerySummary) -> None:
    template = query["template"]
    if template is not None:
        cell["template"] = {
            "id": template["id"],
            "version": template["version"],
            "params": _plain(query["params"]),
        }
    cell["compare"] = {"mode": query["compare"]["mode"]}
    last.update(query=query["id"], pin=query["pin"], rows=query["rows"])
    if query["digest"]:
        last["result_digest"] = query["digest"]
    if query["interesting"] is not None:
        last["interesting"] = query["interesting"]


def _plain(value: Any) -> Any:
    """A value without floats: their shortest text differs between writers."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
