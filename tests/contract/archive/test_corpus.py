"""The corpus: archives whole, broken and forged, and exactly the verdict that each gets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import corpus as c
from tests.support.archive import ALICE
from tests.support.corpus import Case
from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.inquiry.archive.model import ReplayReport
from workspace_ext.inquiry.archive.reader import Archive
from workspace_ext.inquiry.archive.replay import replay
from workspace_ext.inquiry.archive.wording import reasons

CHANCE = {"random": "changed"}
"""What comes out otherwise in each replay: nobody declared a mask for it."""

REPLAYED = [
    Case("whole", c.sealed(), "changed", says={"random": "00000000"}),
    Case("in_the_documents_order", c.sealed(), "changed", how={"order": "document"}),
    Case(
        "edited_cells",
        c.sealed(
            c.shown("text", "services: 2", "services: 3"),
            c.shown("words", "**2**", "**3**"),
            c.shown("frame", "<td>55</td>", "<td>99</td>"),
            c.shown("figure", '"n": 55', '"n": 50'),
            c.kept("ORDER BY service", c.turned),
            c.kept("avg(", c.scaled(1.01)),
            c.source("wrong", "1 / 1"),
            c.cell("clock", lambda each: each["metadata"].clear()),  # declares no mask now
            c.notebook(lambda nb: nb["metadata"]["widgets"].clear()),
        ),
        "changed",
        {
            **dict.fromkeys(("text", "words", "frame", "figure"), "changed"),
            **dict.fromkeys(("counts", "float", "wrong", "clock"), "changed"),
            "widget": "skipped",
        },
        says={
            "text": "services: 3",
            "words": "- **3** services",
            "frame": "rows by service: 2 changed",
            "figure": "figure: drawn from other data",
            "counts": "not enough",
            "float": "rows by service: 2 changed",
            "wrong": "failed then (ZeroDivisionError",
            "widget": "whose state is not in the notebook",
        },
    ),
    Case(
        "other_sources",
        c.sealed(
            c.source("text", "print('services:', 3)"),
            c.source("float", 'investigation.sql("SELECT 1 AS one")'),
            c.rows(c.LOGS, lambda table: table.slice(0, 100)),
        ),
        "changed",
        {"text": "skipped", "float": "changed", "loose": "changed"},
        says={
            "text": "edited after its last captured run",
            "float": "asked something else",
        },
    ),
    Case(
        "outputs_cleared_and_the_same_otherwise",
        c.sealed(
            c.cell("text", lambda each: each.update(outputs=[])),
            c.kept("avg(", c.scaled(1 + 1e-13)),
            c.kept("logs GROUP BY service", c.turned),
        ),
        "changed",
        {"text": "skipped"},
        says={
            "text": "its outputs were not kept",
            "float": "drift 1e-13",
            "loose": "the same rows in another order",
        },
    ),
    Case(
        "slower_payments",
        c.sealed(c.with_durations(c.slower)),
        "changed",
        {"wide": "changed", "float": "changed"},
        holds={"Payment is slow": False},
        says={"float": "rows by service: 1 changed"},
    ),
    Case(
        "refuted_now",
        c.sealed(c.with_durations(c.quick)),
        "error",
        {"slow": "changed", "claim": "changed", "float": "changed", "end": "error"},
        holds={"The cart is slow": False},
        says={"end": "cannot be published as root cause"},
    ),
    Case(
        "missing_slice",
        c.sealed(c.without(c.LOGS)),
        "data missing",
        {"loose": "data missing", "now": "data missing"},
        says={"loose": "slice of logs"},
    ),
    Case(
        "missing_template",
        c.sealed(c.without(c.TEMPLATE)),
        "error",
        {
            "slow": "data missing",
            "claim": "data missing",
            "wide": "data missing",
            "end": "error",
        },
        holds={"The cart is slow": None, "Payment is slow": None},
        says={"slow": "template cart.slow v1"},
    ),
    Case(
        "capped_slice",
        c.sealed(
            c.about(
                lambda told: told.update(
                    capped={"slices/logs.parquet": {"rows": 50, "of": 110, "until": None}}
                )
            )
        ),
        "data missing",
        {"loose": "data missing", "now": "data missing"},
        says={"loose": "50 of 110 rows were taken"},
    ),
    Case(
        "redacted_and_other_versions",
        c.sealed(
            c.shown("text", "services: 2", "[redacted:policy:0123456789abcdef]"), c.environment
        ),
        "changed",
        {"text": "skipped"},
        says={"text": "redacted"},
    ),
    Case(
        "cells_in_another_order",
        c.sealed(c.notebook(lambda nb: nb["cells"].reverse())),
        "changed",
    ),
    Case(
        "reversed_and_run_as_it_stands",
        c.sealed(c.notebook(lambda nb: nb["cells"].reverse())),
        "error",
        dict.fromkeys(("text", "words", "frame", "figure", "widget", "end"), "error"),
        how={"order": "document"},
        says={"text": "NameError"},
    ),
    Case(
        "cells_that_fail_now",
        c.sealed(
            c.source("text", "import no_such_library"),
            c.source("words", "import socket; socket.create_connection(('127.0.0.1', 9))"),
        ),
        "error",
        {"text": "error", "words": "error"},
        says={"text": "ModuleNotFoundError", "words": "unreachable"},
    ),
    Case(
        "edited_slice_despite_damage",
        c.open_(c.put(c.LOGS, b"other rows")),
        "damaged",
        {"loose": "data missing", "now": "data missing"},
        "slices/logs.parquet",
        how={"despite_damage": True},
    ),
]

REFUSED = [
    Case("edited_slice", c.open_(c.put(c.SPANS, b"x")), "damaged_archive", problem="spans.parquet"),
    Case(
        "edited_slice_in_a_whole_bag",
        c.bagged(c.put(c.SPANS, b"x")),
        "damaged_archive",
        problem="spans.parquet",
    ),
    Case(
        "edited_notebook",
        c.bagged(c.source("slow", "1")),
        "damaged_archive",
        problem="notebook.ipynb",
    ),
    Case("cut_ledger", c.bagged(c.cut_tail), "damaged_archive", problem="ledger"),
    Case("edited_ledger", c.bagged(c.another_actor), "damaged_archive", problem="ledger"),
    Case("edited_template", c.bagged(c.put(c.TEMPLATE, b"SELECT 1")), "damaged_archive",
         problem="slow.sql"),
    Case("lost_part", c.open_(c.gone(c.LOGS)), "damaged_archive", problem="logs.parquet"),
    Case("more_than_was_frozen", c.named("data/more.txt"), "damaged_archive", problem="more.txt"),
    Case("a_name_that_leads_outside", c.named("../../outside.txt"), "damaged_archive",
         problem="outside.txt"),
    Case("an_absolute_name", c.named("/tmp/outside.txt"), "not_an_archive"),
    Case("a_bomb", c.named("data/zeros", bytes(50_000_000)), "damaged_archive", problem="zeros"),
    Case("no_ledger", c.open_(c.gone(c.LEDGER)), "damaged_archive", problem="ledger.jsonl"),
    Case("nonsense", c.sealed(c.put(c.QUERIES, b"[{}]")), "damaged_archive"),
    Case("no_notebook", c.sealed(c.put(c.NOTEBOOK, b"[1]")), "damaged_archive"),
    Case("truncated", c.truncated, "not_an_archive"),
    Case("newer", c.sealed(c.about(lambda told: told.update(version=99))), "newer_archive"),
    Case("another_bag", c.sealed(c.about(lambda told: told.update(format="x"))), "not_an_archive"),
]  # fmt: skip

EMPTY = Case("empty", lambda path, _target: path.parent / c.EMPTY, "skipped")

Results = dict[str, tuple[Path, ReplayReport | InvestigationError]]


@pytest.fixture(scope="module")
def results(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _kernels: None
) -> Results:
    """The archives that were asked for, replayed; two at a time."""
    folder = tmp_path_factory.mktemp("corpus")
    run = c.make_run(folder)

    def outcome(case: Case) -> tuple[Path, ReplayReport | InvestigationError]:
        path = case.make(run, folder / f"{case.name}.investigation.zip")
        try:
            return path, replay(path, actor=ALICE, **case.how)
        except InvestigationError as error:
            return path, error

    items = [item for item in request.session.items if item.module is request.module]
    cases = [item.callspec.params["case"] for item in items]
    with ThreadPoolExecutor(2) as pool:
        return dict(zip((case.name for case in cases), pool.map(outcome, cases), strict=True))


@pytest.mark.parametrize("case", REPLAYED, ids=lambda case: case.name)
def test_each_archive_gets_its_verdict(case: Case, results: Results) -> None:
    path, report = results[case.name]
    assert isinstance(report, ReplayReport), report
    with Archive(path) as archive:
        problems = archive.verify()
    assert bool(problems) == bool(case.problem), problems
    found = {cell.uid: cell.verdict for cell in report.cells}
    expected = dict.fromkeys(c.CELLS, "same") | c.NOT_COMPARED | CHANCE | case.cells
    assert found == expected, [(cell.uid, reasons(cell)) for cell in report.cells
                               if found[cell.uid] != expected[cell.uid]]  # fmt: skip
    assert report.verdict == case.verdict
    holds = {each.text: each.holds for each in report.hypotheses}
    assert holds == {"The cart is slow": True, "Payment is slow": True} | case.holds
    said = {cell.uid: "\n".join(reasons(cell)) for cell in report.cells}
    assert [uid for uid, words in case.says.items() if words not in said[uid]] == [], said
    assert bool(report.environment) == (case.name.endswith("other_versions"))


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_each_broken_archive_is_refused_and_the_place_is_named(
    case: Case, results: Results
) -> None:
    path, error = results[case.name]
    assert isinstance(error, InvestigationError), error
    assert error.code == case.verdict
    assert error.hint
    if case.problem:
        with Archive(path) as archive:
            assert any(case.problem in problem for problem in archive.verify())
    assert not Path("/tmp/outside.txt").exists()


@pytest.mark.parametrize("case", [EMPTY], ids=["empty"])
def test_an_investigation_without_cells_is_replayed_too(case: Case, results: Results) -> None:
    _, report = results[case.name]
    assert isinstance(report, ReplayReport), report
    assert (report.verdict, report.ok, report.cells) == (case.verdict, True, ())
