"""A replay's report for people: Markdown, and the same as one HTML page without scripts."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from workspace_ext.inquiry.archive.model import CellReplay, ReplayReport

_MARK = {"same": "✓", "changed": "≠", "data missing": "∅", "error": "✗", "skipped": "·"}

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto }}
table {{ border-collapse: collapse; width: 100% }}
td, th {{ border-bottom: 1px solid #8884; padding: .3rem; text-align: left }}
td {{ vertical-align: top }}
.verdict {{ font-size: 1.3rem }} .same {{ color: #1a7f37 }} .skipped {{ color: #777 }}
.changed, .data, .error, .damaged {{ color: #b3261e }} code {{ white-space: pre-wrap }}
</style></head><body>
{body}
</body></html>
"""


def write_report(report: ReplayReport, folder: Path) -> list[Path]:
    """Writes ``report.md``, ``report.html`` and ``report.json``.

    Args:
        report: What to write.
        folder: Made when it is not there.

    Returns:
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "report.md": to_markdown(report),
        "report.html": to_html(report),
        "report.json": json.dumps(report.to_dict(), indent=2, ensure_ascii=False) + "\n",
    }
    for name, content in contents.items():
        (folder / name).write_text(content, "utf-8")
    return [folder / name for name in contents]


def _tables(report: ReplayReport) -> list[tuple[str, list[str], list[list[str]]]]:
    """Heading, column names and rows of each table, for either form."""
    cells = [
        [str(cell.position), cell.summary, f"{_MARK[cell.verdict]} {cell.verdict}", _why(cell)]
        for cell in report.cells
    ]
    told = {True: "yes", False: "no", None: "not tested"}
    hypotheses = [
        [found.text, found.before, found.after or "-", told[found.holds]]
        for found in report.hypotheses
    ]
    drifts = [[found.package, found.then or "-", found.now or "-"] for found in report.environment]
    tables = [
        ("Cells", ["cell", "what", "verdict", "why"], cells),
        ("Hypotheses", ["hypothesis", "then", "now", "still so"], hypotheses),
        ("Environment that differs", ["package", "then", "now"], drifts),
    ]
    return [table for table in tables if table[2]]


def _why(cell: CellReplay) -> str:
    reasons = [f"{query.title}: {query.comparison.reason}" for query in cell.queries]
    return "; ".join([cell.reason, *reasons] if cell.reason else reasons)


def _facts(report: ReplayReport) -> list[tuple[str, str]]:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in report.counts.items() if count)
    return [
        ("Investigation", report.title),
        ("Conclusion", report.conclusion or "none"),
        ("Cells", counts or "none"),
        ("Data", f"up to batch {report.pin}, frozen {report.frozen_at}"),
        ("Replayed", f"{report.replayed_at}, in {report.seconds:.1f} s"),
        ("Archive", report.archive),
    ]


def to_markdown(report: ReplayReport) -> str:
    """The report as Markdown."""
    lines = [f"# Replay: {report.verdict}", ""]
    lines += [f"- **{name}**: {value}" for name, value in _facts(report)]
    if report.problems:
        lines += ["", "## Damage", "", *[f"- {problem}" for problem in report.problems]]
    for heading, columns, rows in _tables(report):
        lines += ["", f"## {heading}", "", _line(columns), _line(["---"] * len(columns))]
        lines += [_line(row) for row in rows]
    return "\n".join(lines) + "\n"


def _line(cells: list[str]) -> str:
    clean = [" ".join(cell.replace("|", r"\|").split()) for cell in cells]
    return f"| {' | '.join(clean)} |"


def to_html(report: ReplayReport) -> str:
    """The report as one page."""
    parts = [f'<h1>Replay: <span class="{report.verdict}">{escape(report.verdict)}</span></h1>']
    parts += ["<ul>", *[f"<li><b>{n}</b>: {escape(v)}</li>" for n, v in _facts(report)], "</ul>"]
    if report.problems:
        items = [f"<li>{escape(problem)}</li>" for problem in report.problems]
        parts += ["<h2>Damage</h2><ul>", *items, "</ul>"]
    for heading, columns, rows in _tables(report):
        parts += [f"<h2>{heading}</h2><table><tr>", *[f"<th>{c}</th>" for c in columns], "</tr>"]
        for row in rows:
            parts += ["<tr>", *[f"<td>{escape(cell)}</td>" for cell in row], "</tr>"]
        parts.append("</table>")
    return _PAGE.format(title=escape(f"Replay of {report.title}"), body="\n".join(parts))
