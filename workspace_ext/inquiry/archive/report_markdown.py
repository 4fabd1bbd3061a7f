"""A replay's report as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from workspace_ext.inquiry.archive.model import CellReplay, ReplayReport
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

_SPECIAL = re.compile(r"([\\`*_<>|#\[\]])")


def to_markdown(report: ReplayReport) -> str:
    """The report."""
    title = f"{MARKS[report.verdict]} Replay of {_text(report.title)}: {report.verdict}"
    lines = [f"# {title}", "", headline(report), *_problems(report)]
    if report.hypotheses:
        columns = ("hypothesis", "then", "now", "why")
        rows = [
            ("<br>".join(map(_text, claim(found))), found.before.replace("_", " "),
             still(found), _text(found.why))
            for found in report.hypotheses
        ]  # fmt: skip
        lines += ["", "## Still supported?", "", *_table(columns, rows)]
    lines += _conclusion(report)
    others = differing(report)
    if others:
        lines += ["", "## What differs", ""]
        for cell in others:
            lines.append(f"- **{_verdict(cell)}**, cell {cell.position}: {_code(cell.summary)}")
            lines += [f"  - {_text(reason)}" for reason in reasons(cell)]
    if report.cells:
        heading = "## All cells" if others else "## Cells"
        listed = map(_cell_row, report.cells)
        lines += ["", heading, "", *_table(("cell", "code", "verdict", "why"), listed)]
    lines += ["", "## Replay", ""]
    lines += [f"- **{name}**: {_text(value)}" for name, value in facts(report)]
    return "\n".join([*lines, *_environment(report)]) + "\n"


def _problems(report: ReplayReport) -> Iterator[str]:
    if report.problems:
        yield from ("", "## What was changed in the archive", "")
        yield from (f"- {_text(problem)}" for problem in report.problems)


def _conclusion(report: ReplayReport) -> Iterator[str]:
    found = report.conclusion
    if found is None:
        return
    yield from ("", "## Conclusion", "")
    yield f"> {_text(found.root_cause)}"
    yield ">"
    yield f"> {found.confidence_percent} % sure, {_text(found.by)}"
    yield from ("", "It rests on:" if found.evidence else "No evidence was named.", "")
    for each in found.evidence:
        verdict = f"{MARKS[each.verdict]} {each.verdict}"
        place = ", ".join(filter(None, (where(each), led(each))))
        yield f"- {verdict}: {_text(each.title)} ({_text(place)}): {_text(told(each))}"


def _environment(report: ReplayReport) -> Iterator[str]:
    said, short = environment(report)
    yield from ("", "## Environment", "")
    if short:
        yield said
    else:
        yield f"<details><summary>{said}</summary>"
    rows = [(_text(each.package), each.then or "-", each.now or "-") for each in report.environment]
    if rows:
        yield from ("", *_table(("what", "then", "now"), rows))
    if not short:
        yield from ("", "</details>")


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    head = list(columns)
    for cells in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(cells)} |"


def _cell_row(cell: CellReplay) -> tuple[str, ...]:
    why = _text("; ".join(reasons(cell)))
    return str(cell.position), _code(cell.summary), _verdict(cell), why


def _verdict(cell: CellReplay) -> str:
    return f"{MARKS[cell.verdict]} {cell.verdict}"


def _text(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """Code as it is; a bar would end the cell of a table, a backtick the code."""
    return f"`{text.replace('`', chr(39)).replace('|', '¦')}`"
