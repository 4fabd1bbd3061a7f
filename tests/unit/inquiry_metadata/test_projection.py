"""The projection: who ran what, when, on which data, with which result; small and stable."""

import json
from pathlib import Path
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from workspace_ext.foundation.canonical import canonical_json
from workspace_ext.inquiry.metadata.limits import CELL_BYTES, NOTEBOOK_BYTES, fit_cell, fit_notebook
from workspace_ext.inquiry.metadata.notebook import apply_projection, read_metadata
from workspace_ext.inquiry.metadata.projection import project
from workspace_ext.protocol.messages import InvestigationState
from workspace_ext.protocol.validation import validate

DIGEST = "sha256:" + "0" * 64
TIME = "2023-01-29T09:00:00Z"
GOLDEN = Path(__file__).with_name("golden")


def state(**more: Any) -> InvestigationState:
    given = {
        "uid": "u",
        "title": "Checkout fails",
        "severity": "high",
        "state": "open",
        "window": {"start": TIME, "end": "2023-01-29T09:10:00Z"},
        "baseline": None,
        "services": ["cart"],
        "pin": 3,
        "notebook": "a.ipynb",
        "opened_at": TIME,
        "seq": 9,
        "head": DIGEST,
        "hypotheses": {},
        "steps": {},
        "queries": {},
        "notes": {},
        "conclusion": None,
        "participants": {"user:alice": "owner"},
    }
    return cast(InvestigationState, {**given, **more})


def step(run: str, cell: str, seq: int, queries: tuple[str, ...] = (), **more: Any) -> Any:
    made = {
        "id": run,
        "seq": seq,
        "cell": cell,
        "kernel": "k1",
        "by": "user:bob",
        "started": TIME,
        "ended": TIME,
        "status": "ok",
        "error": None,
        "source_digest": DIGEST,
        "queries": list(queries),
    }
    return {run: {**made, **more}}


def query(key: str, cell: str | None = "c1", **more: Any) -> Any:
    made = {
        "id": key,
        "run": "r1",
        "cell": cell,
        "at": TIME,
        "template": {"id": "latency.shift", "version": 2, "digest": DIGEST},
        "title": "Latency shift",
        "sql": None,
        "params": {"min_ratio": 1.5, "services": ["cart"], "min_rows": 30, "window": None},
        "pin": 3,
        "rows": 7,
        "digest": DIGEST,
        "interesting": True,
        "reason": "",
        "compare": {"mode": "tolerance", "reason": ""},
        "ok": True,
        "error": None,
        "hypothesis": None,
    }
    return {key: {**made, **more}}


def hypothesis(key: str, cell: str | None = "c0", evidence: tuple[str, ...] = ()) -> Any:
    made = {"id": key, "text": "pool", "prediction": "waits", "state": "supported"}
    made |= {"prediction_late": False, "tests": {}, "why": "", "override": ""}
    return {key: {**made, "by": "user:bob", "at": TIME, "evidence": list(evidence), "cell": cell}}


def full_state() -> InvestigationState:
    notes = {
        "n1": {"id": "n1", "kind": "note", "text": "x", "because": "", "by": "user:bob"},
        "n2": {"id": "n2", "kind": "decision", "text": "x", "because": "y", "by": "user:bob"},
    }
    for note, cell in zip(notes.values(), ("c2", "c3"), strict=True):
        note.update(at=TIME, cell=cell)
    conclusion = {
        "root_cause": "cart's pool",
        "confidence_percent": 80,
        "evidence": ["q1", "q2", "q3"],
        "hypothesis": "h1",
        "by": "user:alice",
        "at": TIME,
        "cell": "c4",
    }
    return state(
        state="concluded",
        hypotheses=hypothesis("h1", "c0", ("q1", "q2")),
        steps={
            **step("r0", "c0", 2),
            **step("r1", "c1", 3, ("q1", "q2")),
            **step("r2", "c1", 8, ("q3",), status="running", ended=None),
            **step("r3", "c2", 7, status="error", error="boom"),
        },
        queries={
            **query("q1"),
            **query("q2", hypothesis="h1"),
            **query("q3", template={"id": "latency.shift", "version": 3, "digest": DIGEST}),
        },
        notes=notes,
        conclusion=conclusion,
    )


def test_cell_tells_who_ran_what_when_on_which_data_with_which_result() -> None:
    projected = project(full_state())
    assert projected["cells"]["c1"] == {
        "uid": "c1",
        "role": "query",
        "hypothesis": "h1",
        "template": {
            "id": "latency.shift",
            "version": 2,
            "params": {"min_ratio": "1.5", "services": ["cart"], "min_rows": 30, "window": None},
        },
        "compare": {"mode": "tolerance"},
        "last": {
            "run": "r1",
            "seq": 3,
            "by": "user:bob",
            "at": TIME,
            "ok": True,
            "source_digest": DIGEST,
            "query": "q2",
            "queries": 2,
            "pin": 3,
            "rows": 7,
            "result_digest": DIGEST,
            "interesting": True,
        },
    }


def test_roles_and_hypotheses_stand_where_they_were_said() -> None:
    projected = project(full_state())
    roles = {uid: cell.get("role") for uid, cell in projected["cells"].items()}
    assert roles == {
        "c0": "hypothesis",
        "c1": "query",
        "c2": "note",
        "c3": "decision",
        "c4": "conclusion",
    }
    assert projected["cells"]["c2"]["last"]["ok"] is False
    ours = projected["notebook"]
    assert ours["hypotheses"]["h1"]["state"] == "supported"
    assert ours["hypotheses"]["h1"]["evidence"] == ["c1"]
    assert ours["conclusion"]["evidence"] == ["c1"]
    assert ours["templates"] == {"latency.shift": 3}
    assert ours["ledger"] == {"head": DIGEST, "seq": 9}


def test_projection_conforms_and_has_no_floats() -> None:
    projected = project(full_state())
    validate("metadata", projected["notebook"], definition="notebook")
    canonical_json(projected, floats=False)
    for cell in projected["cells"].values():
        validate("metadata", cell, definition="cell")


def test_same_state_same_bytes() -> None:
    again = json.loads(json.dumps(full_state()))
    assert canonical_json(project(full_state())) == canonical_json(project(again))


def test_query_without_template_digest_or_verdict() -> None:
    failed = query("q1", template=None, digest=None, interesting=None, rows=0, ok=False)
    asked = state(queries=failed, steps=step("r1", "c1", 3, ("q1",), status="error"))
    cell = project(asked)["cells"]["c1"]
    validate("metadata", cell, definition="cell")
    assert "template" not in cell
    assert "result_digest" not in cell["last"]


def test_query_outside_a_cell_and_unknown_evidence_are_passed_over() -> None:
    asked = state(queries=query("q1", None), hypotheses=hypothesis("h1", None, ("q1", "gone")))
    projected = project(asked)
    assert projected["cells"] == {}
    assert projected["notebook"]["hypotheses"]["h1"]["evidence"] == []


values = st.recursive(
    st.text(max_size=300) | st.integers() | st.floats(allow_nan=False) | st.none(),
    lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=60,
)
names = st.text(min_size=1, max_size=128)


@given(st.dictionaries(names, values, max_size=8), names, names, names)
def test_cell_stays_within_its_size(params: Any, run: str, cell: str, key: str) -> None:
    asked = state(
        queries=query("q1", cell, params=params, hypothesis=key),
        steps=step(run, cell, 3, ("q1",), by=f"user:{key}"),
    )
    (found,) = project(asked)["cells"].values()
    assert len(canonical_json(found)) <= CELL_BYTES
    validate("metadata", found, definition="cell")
    assert found["uid"] == cell


def test_long_parameters_are_shortened_before_they_are_left_out() -> None:
    long = {"text": "x" * 2000, "service": "cart"}
    asked = state(queries=query("q1", params=long), steps=step("r1", "c1", 3, ("q1",)))
    cell = project(asked)["cells"]["c1"]
    assert cell["template"]["params"] == {"text": "x" * 39 + "…", "service": "cart"}
    assert cell["trimmed"] == ["text"]
    many = {f"parameter_{number}": "y" * 30 for number in range(60)}
    asked = state(queries=query("q1", params=many), steps=step("r1", "c1", 3, ("q1",)))
    cell = project(asked)["cells"]["c1"]
    assert cell["trimmed"]
    assert len(canonical_json(cell)) <= CELL_BYTES


def test_notebook_stays_within_its_size_and_drops_the_oldest_hypotheses_first() -> None:
    many: dict[str, Any] = {}
    for number in range(300):
        found = hypothesis(f"h{number}", None, ())
        found[f"h{number}"].update(text="t" * 2000, prediction="p" * 2000)
        many |= found
    concluded = full_state()
    asked = cast(
        InvestigationState,
        {
            **concluded,
            "hypotheses": {**concluded["hypotheses"], **many},
            "services": [f"service-{number:0150}" for number in range(200)],
        },
    )
    ours = project(asked)["notebook"]
    assert len(canonical_json(ours)) <= NOTEBOOK_BYTES
    validate("metadata", ours, definition="notebook")
    assert "h1" in ours["hypotheses"]
    assert ours["trimmed"]["hypotheses"] > 0
    assert ours["trimmed"]["services"] == 200


def test_what_fits_is_not_touched() -> None:
    cell, ours = {"uid": "a"}, {"uid": "u", "hypotheses": {}}
    assert fit_cell(cell) is cell
    assert fit_notebook(ours) is ours


def test_golden_notebook_is_what_is_written_today() -> None:
    nb = json.loads((GOLDEN / "schema-1.ipynb").read_text("utf-8"))
    before = json.dumps(nb, sort_keys=True)
    for holder in (nb, *nb["cells"]):
        ours = read_metadata(holder) or {}
        holder["metadata"]["investigation"] = {"uid": ours["uid"]} if "uid" in ours else {}
    apply_projection(nb, project(full_state()))
    assert json.dumps(nb, sort_keys=True) == before
