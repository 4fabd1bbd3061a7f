"""Replays by real kernels on private brokers: what is said of each cell, and of each claim."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.support.archive import ALICE, Frozen, Parts, forged, rewritten
from tests.support.broker import broker
from workspace_ext.client.discovery import BROKER_FILE
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import BadInput, Damaged, NotFound
from workspace_ext.inquiry.archive.model import CellReplay, ReplayReport
from workspace_ext.inquiry.archive.replay import replay
from workspace_ext.inquiry.archive.telling import require_origin, tell
from workspace_ext.inquiry.archive.wording import facts

SPANS, LOGS = "data/slices/spans.parquet", "data/slices/logs.parquet"
MINE = ("STORE", "BROKER", "TOKEN", "UID")
SEEN = f"[os.environ.get('INVESTIGATION_' + name) for name in {MINE}]"


def verdicts(report: ReplayReport) -> dict[str, str]:
    return {cell.uid: cell.verdict for cell in report.cells}


def cell(report: ReplayReport, uid: str) -> CellReplay:
    return next(cell for cell in report.cells if cell.uid == uid)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Another folder, for temporary files too."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(folder))
        yield folder


@pytest.fixture(scope="module")
def replayed(frozen: Frozen, elsewhere: Path) -> ReplayReport:
    """The archive, replayed in another folder."""
    archive = elsewhere / "moved.zip"
    archive.write_bytes(frozen.path.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(elsewhere)
        return replay(archive, actor=ALICE)


def test_every_cell_comes_out_the_same(replayed: ReplayReport) -> None:
    assert verdicts(replayed) == {
        "sum": "same",
        "slow": "same",
        "logs": "same",
        "claim": "same",
        "wrong": "same",
        "unknown": "same",
        "large": "same",
        "end": "same",
        "later": "same",
        "scoped": "same",
        "edited": "same",
        "retold": "same",
        "wide": "same",
        "copied": "skipped",
        "new": "skipped",
    }
    assert replayed.verdict == "same"
    assert replayed.ok
    assert replayed.environment == ()


def test_cells_see_the_pin_and_the_window_of_their_captured_run(replayed: ReplayReport) -> None:
    assert cell(replayed, "logs").queries[0].comparison.rung == "exact"
    assert cell(replayed, "later").queries[0].comparison.rung == "exact"
    assert cell(replayed, "scoped").queries[0].comparison.rung == "exact"


def test_each_run_finds_the_text_of_its_template(replayed: ReplayReport) -> None:
    """It was edited under its version between the two; the archive has both texts."""
    for uid in ("slow", "retold"):
        assert cell(replayed, uid).queries[0].comparison.rung == "exact"


def test_a_large_answer_in_another_order_is_compared_by_its_aggregates(
    replayed: ReplayReport, frozen: Frozen, tmp_path: Path
) -> None:
    (query,) = cell(replayed, "wide").queries
    assert query.comparison.rung in ("exact", "unordered", "tolerance")

    def more(parts: Parts) -> None:
        queries = json.loads(parts["data/queries.json"])
        told = next(each for each in queries if each["id"] == query.query)
        told["digest"] = "sha256:" + 64 * "0"
        column = told["aggregates"]["columns"][2]
        column |= {"digest": "other", "bag": "other", "max": "9999.0"}
        parts["data/queries.json"] = json.dumps(queries).encode()

    found = replay(forged(frozen.path, tmp_path / "other.zip", more), actor=ALICE)
    (again,) = cell(found, "wide").queries
    assert (again.verdict, again.comparison.rung) == ("changed", "shape")
    assert "column ms: largest 9999.0 then" in again.comparison.reason


def test_what_did_not_run_is_skipped_and_says_why(
    replayed: ReplayReport,
) -> None:
    assert "was captured" in cell(replayed, "new").reason
    assert "was captured" in cell(replayed, "copied").reason
    assert "edited after" in cell(replayed, "edited").reason
    assert "failed then and now" in cell(replayed, "wrong").reason


def test_claims_are_traced_to_their_evidence(replayed: ReplayReport) -> None:
    (hypothesis,) = replayed.hypotheses
    assert (hypothesis.before, hypothesis.holds) == ("root_cause", True)
    assert hypothesis.why == "2 tests all came out as then"
    assert replayed.conclusion is not None
    assert replayed.conclusion.confidence_percent == 80
    at = cell(replayed, "slow").position, cell(replayed, "claim").position
    assert [each.cell for each in replayed.conclusion.evidence] == [at[0], at[1], at[1]]
    assert {each.verdict for each in replayed.conclusion.evidence} == {"same"}


def test_queries_that_no_cell_asks_are_counted(replayed: ReplayReport) -> None:
    assert replayed.left_out == ("1 asked outside of its cells", "1 asked in cells that are gone")


def test_a_template_nobody_looked_through_is_told_of(replayed: ReplayReport) -> None:
    """As it was captured: what was reviewed since, or is not known here, changes nothing."""
    assert [said for said in replayed.warnings if "cart.slow v1 is not reviewed" in said]
    assert "Warned of when captured" in dict(facts(replayed))


def test_a_replay_leaves_nothing_behind(replayed: ReplayReport, elsewhere: Path) -> None:
    assert replayed.ok
    assert sorted(path.name for path in elsewhere.iterdir()) == ["moved.zip"]


def test_the_store_it_came_from_is_not_touched(replayed: ReplayReport, frozen: Frozen) -> None:
    assert replayed.ok
    assert not (frozen.store / BROKER_FILE).exists()


def test_a_replay_is_told_to_the_workspace_it_came_from(
    replayed: ReplayReport, frozen: Frozen, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    shutil.copytree(frozen.store, store)
    with broker(store) as client:
        require_origin(frozen.path, client)
        authors = client.review(frozen.uid)["authors"]
        assert tell(replayed, client, Actor("user", "rita"))
        told = client.projection(frozen.uid)
        assert told["notebook"]["replay"]["verdict"] == "same"
        assert told["cells"]["slow"]["replay"] == {"verdict": "same"}
        assert "replay" not in told["cells"]["edited"], "it ran other code then"
        steps = client.state(frozen.uid)["steps"].values()
        assert {step.get("replay") for step in steps if step["cell"] == "wide"} == {"same"}
        assert client.review(frozen.uid)["authors"] == authors, "who replays changes nothing"
        assert "replayed: same" in [
            each["what"] for each in client.changes(frozen.uid)["changes"] if each["by"]
        ]
        with pytest.raises(BadInput, match="not made of this investigation"):
            tell(replace(replayed, entry="another"), client, ALICE)
        assert not tell(replace(replayed, problems=("changed",)), client, ALICE)


def test_data_that_changed_is_told_where_it_changed(
    frozen: Frozen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slower payments turn a prediction, although manifest and ledger agree with them."""
    for name in MINE:
        monkeypatch.setenv(f"INVESTIGATION_{name}", "mine")

    def slower(parts: Parts) -> None:
        table = pq.read_table(io.BytesIO(parts[SPANS]))
        column = table.schema.get_field_index("duration_ns")
        slow = pa.array([900_000_000] * table.num_rows, pa.int64())
        name = table.schema.field(column)
        pay = pc.equal(table["service"], "pay")
        durations = pc.if_else(pay, slow, table["duration_ns"])
        changed = io.BytesIO()
        pq.write_table(table.set_column(column, name, durations), changed)
        parts[SPANS] = changed.getvalue()
        notebook = json.loads(parts["data/notebook.ipynb"])
        notebook["nbformat_minor"] = 4
        for each in notebook["cells"]:
            del each["id"]
        notebook["cells"][1]["source"] = f"import os\nassert 'mine' not in {SEEN}"
        parts["data/notebook.ipynb"] = json.dumps(notebook).encode()

    report = replay(forged(frozen.path, tmp_path / "forged.zip", slower), actor=ALICE)
    assert report.problems == ()
    assert report.verdict == "error"
    assert "cannot be published as root cause" in cell(report, "end").reason
    found = verdicts(report)
    assert found["sum"] == "skipped", "its kernel sees no store and no broker of the caller"
    assert [uid for uid, verdict in found.items() if verdict == "changed"] == ["claim", "wide"]
    (hypothesis,) = report.hypotheses
    assert hypothesis.holds is False
    assert hypothesis.why == "cart.slow supported it then, refuted now"


def test_what_is_damaged_is_refused_and_named(frozen: Frozen, tmp_path: Path) -> None:
    damaged = rewritten(frozen.path, tmp_path / "d.zip", lambda parts: parts.update({LOGS: b"x"}))
    with pytest.raises(Damaged, match=LOGS):
        replay(damaged, actor=ALICE)


def test_despite_damage_only_what_needs_the_damaged_part_is_missing(
    frozen: Frozen, tmp_path: Path
) -> None:
    def damage(parts: Parts) -> None:
        parts[LOGS] = b"nothing of use"

    damaged = rewritten(frozen.path, tmp_path / "damaged.zip", damage)
    report = replay(damaged, actor=ALICE, despite_damage=True)
    assert report.verdict == "damaged"
    assert not report.ok
    missing = [uid for uid, verdict in verdicts(report).items() if verdict == "data missing"]
    assert missing == ["logs", "edited"]
    assert "slice of logs" in cell(report, "logs").reason
    assert report.counts["same"] == 11
    assert report.hypotheses[0].holds is True


@pytest.mark.parametrize("part", ["data/notebook.ipynb", "data/ledger.jsonl", "data/queries.json"])
def test_without_its_heart_an_archive_is_not_replayed(
    frozen: Frozen, tmp_path: Path, part: str
) -> None:
    damaged = rewritten(frozen.path, tmp_path / "d.zip", lambda parts: parts.update({part: b"{}"}))
    with pytest.raises(Damaged, match="too much"):
        replay(damaged, actor=ALICE, despite_damage=True)


def test_an_unknown_kernel_is_told(copy: Path) -> None:
    with pytest.raises(NotFound, match="no kernel 'fortran'"):
        replay(copy, actor=ALICE, kernel="fortran")
