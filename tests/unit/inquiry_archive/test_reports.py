"""What a report tells of evidence: the way that led to it, and its chart."""

from dataclasses import replace

from workspace_ext.inquiry.archive.model import ConclusionReplay, Evidence, ReplayReport
from workspace_ext.inquiry.archive.report_html import to_html
from workspace_ext.inquiry.archive.report_markdown import to_markdown
from workspace_ext.inquiry.archive.shown import pictures
from workspace_ext.inquiry.investigations.model import QueryRecord, path_to

FOUND = Evidence("q3", "errors.origin", "pay fails", 4, "same", "")
REPORT = ReplayReport(
    archive="a.zip",
    investigation="i1",
    title="Slow",
    conclusion=ConclusionReplay("pay's pool", 90, "user:ada", (FOUND,)),
    pin=1,
    frozen_at="2024-05-01T10:00:00Z",
    replayed_at="2024-05-01T10:00:00Z",
    seconds=1.0,
    problems=(),
    cells=(),
    hypotheses=(),
    left_out=(),
    environment=(),
)


def test_evidence_tells_the_way_that_led_to_it() -> None:
    assert "from " not in to_markdown(REPORT)
    led = replace(FOUND, path=("triage.overview", "latency.shift"))
    report = replace(REPORT, conclusion=ConclusionReplay("pay's pool", 90, "user:ada", (led,)))
    assert "from triage.overview → latency.shift" in to_markdown(report)
    assert "from triage.overview → latency.shift" in to_html(report, {})


def test_evidence_shows_its_chart_where_the_notebook_has_one() -> None:
    assert "<img" not in to_html(REPORT, {"q4": "aGVyZQ=="})
    assert 'src="data:image/png;base64,aGVyZQ=="' in to_html(REPORT, {"q3": "aGVyZQ=="})


def test_only_pictures_of_our_own_answers_are_taken() -> None:
    data = {"image/png": "aGVyZQ==\n"}
    ours = {"data": data, "metadata": {"investigation": {"query": "q3"}}}
    cells = [
        {"cell_type": "markdown"},
        {"outputs": [{"data": data}, {"output_type": "stream", "text": "x"}, ours]},
        {"outputs": [{"data": {}, "metadata": {"investigation": {"query": "q4"}}}]},
        {"outputs": [{"data": data, "metadata": {"investigation": {"aside": True}}}]},
    ]
    assert pictures(cells) == {"q3": "aGVyZQ==\n"}


def test_a_path_ends_where_its_begin_is_not_on_record() -> None:
    def asked(key: str, parent: str | None) -> QueryRecord:
        return QueryRecord(key, "", key, {}, 1, {"mode": "ordered", "reason": ""}, parent=parent)

    queries = {each.id: each for each in (asked("a", "gone"), asked("b", "a"), asked("c", "b"))}
    assert [each.id for each in path_to(queries, "c")] == ["a", "b"]
    assert path_to(queries, "gone") == []
