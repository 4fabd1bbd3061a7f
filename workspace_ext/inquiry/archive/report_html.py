"""A replay's report as one HTML page: no scripts, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from workspace_ext.inquiry.archive.model import CellReplay, Evidence, ReplayReport
from workspace_ext.inquiry.archive.wording import (
    MARKS,
    claim,
    differing,
    environment,
    facts,
    headline,
    led,
    reasons,
    still,
    told,
    where,
)

_STYLE = """
:root { color-scheme: light dark; --good: #1a7f37; --bad: #b3261e; --dim: #6e7781;
  --line: #8883; --card: #8881 }
@media (prefers-color-scheme: dark) { :root { --good: #57ab5a; --bad: #f47067; --dim: #909dab } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.1rem; margin: 0; color: var(--dim); font-weight: 500 }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
header { border-left: .4rem solid; padding: .2rem 1rem }
header p { margin: 0 } header .word { font-size: 1.9rem; font-weight: 700; line-height: 1.2 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1.2rem; margin: 1rem 0 }
dt { color: var(--dim) } dd { margin: 0; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
th { text-align: left; color: var(--dim); font-weight: 500 }
td, th { border-bottom: 1px solid var(--line); padding: .35rem .8rem .35rem 0;
  vertical-align: top }
code { font-size: .87em; overflow-wrap: anywhere; white-space: pre-wrap }
blockquote { margin: .5rem 0; padding: .7rem 1rem; background: var(--card); border-radius: .4rem }
blockquote p { margin: 0; font-size: 1.1rem } blockquote footer { color: var(--dim) }
img { max-width: 100%; background: #fff; border-radius: .4rem; padding: .5rem; margin: .4rem 0 }
ul { padding-left: 1.2rem; margin: .3rem 0 } summary { cursor: pointer }
.same { color: var(--good) } .skipped { color: var(--dim) }
.changed, .data, .error, .damaged { color: var(--bad) }
.verdict { white-space: nowrap; font-weight: 600 } .dim { color: var(--dim) }
header[class] { color: inherit }
.cells td:first-child, .evidence td:first-child { white-space: nowrap }
.cells td:nth-child(2) { width: 45% } .evidence td:nth-child(2) { width: 22% }
header.same { border-color: var(--good) } header.skipped { border-color: var(--dim) }
header.changed, header.data, header.error, header.damaged { border-color: var(--bad) }
@media (max-width: 40rem) {
  body { margin: 1rem auto } h2 { margin: 1.4rem 0 .4rem }
  tr:first-child { display: none } tr { display: block; border-bottom: 1px solid var(--line) }
  td, .cells td, .evidence td { display: grid; grid-template-columns: 5.2rem 1fr; width: auto;
    gap: .5rem; border: 0; padding: .15rem 0; overflow-wrap: anywhere; white-space: normal }
  .cells td:nth-child(2), .evidence td:nth-child(2) { width: auto }
  td::before { content: attr(data-name); color: var(--dim) } tr { padding: .5rem 0 }
  td:empty { display: none } dl { grid-template-columns: 1fr; gap: 0 } dd { margin-bottom: .4rem }
}
@media print { details > * { display: block } }
"""


def to_html(report: ReplayReport, charts: Mapping[str, str]) -> str:
    """The page.

    Args:
        report: What it tells.
        charts: The picture of an answer, by query: PNG in base64.
    """
    title = escape(f"Replay of {report.title}")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(_body(report, charts))
        + "\n</body></html>\n"
    )


def _body(report: ReplayReport, charts: Mapping[str, str]) -> Iterator[str]:
    yield f'<header class="{report.verdict}"><h1>{escape(f"Replay of {report.title}")}</h1>'
    yield f'<p class="word {report.verdict}">{MARKS[report.verdict]} {report.verdict}</p>'
    yield f"<p>{escape(headline(report))}</p></header>"
    if report.problems:
        yield "<h2>What was changed in the archive</h2>"
        yield _list(escape(problem) for problem in report.problems)
    if report.hypotheses:
        yield "<h2>Still supported?</h2>"
        yield _table(("hypothesis", "then", "now", "why"), _hypotheses(report), kind="claims")
    yield from _conclusion(report, charts)
    others = differing(report)
    if others:
        yield f"<h2>What differs</h2>{_cells(others)}"
    if report.cells:
        yield f"<h2>{'All cells' if others else 'Cells'}</h2>{_cells(report.cells)}"
    yield "<h2>Replay</h2><dl>"
    yield from (f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts(report))
    yield "</dl><h2>Environment</h2>"
    yield from _environment(report)


def _conclusion(report: ReplayReport, charts: Mapping[str, str]) -> Iterator[str]:
    found = report.conclusion
    if found is None:
        return
    yield f"<h2>Conclusion</h2><blockquote><p>{escape(found.root_cause)}</p>"
    yield f"<footer>{found.confidence_percent} % sure, {escape(found.by)}</footer></blockquote>"
    if not found.evidence:
        yield '<p class="dim">No evidence was named.</p>'
        return
    yield "<p>It rests on:</p>"
    rows = [
        (where(each), _question(each), _verdict(each.verdict), _said(each, charts))
        for each in found.evidence
    ]
    yield _table(("where", "question", "now", "what it said"), rows, kind="evidence")


def _question(evidence: Evidence) -> str:
    path = led(evidence)
    asked = f"<code>{escape(evidence.title)}</code>"
    return f'<div>{asked}<br><span class="dim">{escape(path)}</span></div>' if path else asked


def _said(evidence: Evidence, charts: Mapping[str, str]) -> str:
    """What its answer said; the chart as it was then, which tells it at a glance."""
    picture, words = charts.get(evidence.query), escape(told(evidence))
    if not picture:
        return words
    shown = f'<img alt="" src="data:image/png;base64,{escape(picture)}">'
    return f"<div>{words}<details open><summary>Chart</summary>{shown}</details></div>"


def _hypotheses(report: ReplayReport) -> Iterator[Sequence[str]]:
    shades = {True: "same", False: "changed", None: "skipped"}
    for found in report.hypotheses:
        now = f'<span class="verdict {shades[found.holds]}">{still(found)}</span>'
        text, *more = map(escape, claim(found))
        said = text + "".join(f'<br><span class="dim">{line}</span>' for line in more)
        yield f"<div>{said}</div>", escape(found.before.replace("_", " ")), now, escape(found.why)


def _cells(cells: Iterable[CellReplay]) -> str:
    return _table(("cell", "code", "verdict", "why"), map(_cell_row, cells), kind="cells")


def _cell_row(cell: CellReplay) -> Sequence[str]:
    why = "<br>".join(escape(reason) for reason in reasons(cell))
    code = f"<code>{escape(cell.summary)}</code>"
    why = f"<div>{why}</div>" if why else ""
    return str(cell.position), code, _verdict(cell.verdict), why


def _environment(report: ReplayReport) -> Iterator[str]:
    said, short = environment(report)
    rows = [
        (escape(each.package), escape(each.then or "-"), escape(each.now or "-"))
        for each in report.environment
    ]
    table = _table(("what", "then", "now"), rows) if rows else ""
    if short:
        yield f"<p>{said}</p>{table}"
    else:
        yield f"<details><summary>{said}</summary>{table}</details>"


def _verdict(verdict: str) -> str:
    return f'<span class="verdict {verdict}">{MARKS[verdict]} {verdict}</span>'


def _list(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


def _table(columns: Iterable[str], rows: Iterable[Sequence[str]], *, kind: str = "plain") -> str:
    names = list(columns)
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(f"<tr>{_row(names, row)}</tr>\n" for row in rows)
    return f'<table class="{kind}"><tr>{head}</tr>\n{body}</table>'


def _row(names: Sequence[str], row: Sequence[str]) -> str:
    """A row; on a narrow screen each of its cells stands alone and tells its column."""
    pairs = zip(names, row, strict=True)
    return "".join(f'<td data-name="{name}">{cell}</td>' for name, cell in pairs)
