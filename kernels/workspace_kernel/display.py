"""How a result looks: in a notebook (HTML and a chart) and in a terminal (plain text)."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from workspace_ext.client.columns import values_of
from workspace_ext.protocol.messages import METADATA_KEY, TestOutcome, Verdict
from workspace_kernel.ahead import Ahead, ahead
from workspace_kernel.chart import MIME, caption, specification
from workspace_kernel.markup import MUTED, WARN, badge, table_html, table_text

if TYPE_CHECKING:
    from workspace_kernel.result import Result

FIRST_ROWS = 10
MOST_COLUMNS = 16

NEXT_CLASS = "investigation-next"
"""Marks the line that the front end hides where it has buttons in its place."""


def show(result: Result) -> None:
    """Shows a result in up to three outputs: what it says, its chart, its first rows."""
    from IPython.display import display

    for part in parts(result):
        display(part["data"], raw=True, metadata=part["metadata"])  # type: ignore[no-untyped-call]


def parts(result: Result) -> list[dict[str, Any]]:
    """What is shown of a result: each part says of which query, as a replay compares that."""
    spec = specification(result.answer, result.arrow)
    onward = ahead(result.answer, result.arrow)
    shown = [
        {"text/plain": _head_text(result), "text/html": _head_html(result)},
        *([] if spec is None else [{"text/plain": caption(spec), MIME: spec}]),
        {"text/plain": _body_text(result, onward), "text/html": _body_html(result, onward)},
    ]
    about: dict[str, Any] = {"query": result.run_id}
    found = [{"data": forms, "metadata": {METADATA_KEY: about}} for forms in shown]
    if onward:  # the front end makes buttons of it, and hides what the text says of it
        template = result.answer["template"]
        told = {
            **about,
            "template": template["id"] if template else "",
            "next": [each.told() for each in onward],
        }
        found[-1]["metadata"] = {METADATA_KEY: told}
    return found


def text(result: Result) -> str:
    """All of a result as plain text."""
    return f"{_head_text(result)}\n{_body_text(result, ahead(result.answer, result.arrow))}"


def html(result: Result) -> str:
    """A result as HTML, without its chart."""
    return _head_html(result) + _body_html(result, ahead(result.answer, result.arrow))


def verdict_word(result: Result) -> str:
    """One word or two on the answer; empty where nobody judges, as with free SQL."""
    verdict = result.verdict
    if verdict["interesting"] is None:
        if not verdict["rows"]:
            return "No rows"
        return "Cannot tell" if result.answer["template"] else ""
    return "Interesting" if verdict["interesting"] else "Not interesting"


def _head_text(result: Result) -> str:
    word, verdict = verdict_word(result), result.verdict
    lines = [result.title]
    if word:
        lines.append(f"{word}{_beside(word, verdict['reason'], ': ')}")
    test = result.answer["test"]
    if test is not None:
        lines.append(f"Hypothesis {test['outcome']}{_because(test, verdict, ': ')}")
    return "\n".join([*lines, *[f"Warning: {warning}" for warning in _warnings(result)]])


def _beside(word: str, reason: str, before: str) -> str:
    """The reason after the word; nothing where it is the same, as of SQL that found no rows."""
    return "" if reason.lower() == word.lower() else f"{before}{reason}"


def _warnings(result: Result) -> list[str]:
    test = result.answer["test"]
    return [*fell(test), *result.verdict["warnings"]] if test else result.verdict["warnings"]


def _because(test: TestOutcome, verdict: Verdict, before: str) -> str:
    """Why a test says so; nothing where that is the verdict's reason, which stands above it."""
    return "" if test["reason"] == verdict["reason"] else f"{before}{test['reason']}"


def fell(test: TestOutcome) -> list[str]:
    """Says that a test took away what was concluded; nothing where that stands."""
    was = test.get("fell_from")
    if was is None:
        return []
    lost = "the conclusion rests on it no longer" if was == "root_cause" else "it counts no longer"
    return [f"until now it was held to be {was.replace('_', ' ')}: {lost}"]


def _head_html(result: Result) -> str:
    answer, word, verdict = result.answer, verdict_word(result), result.verdict
    parts = [f"<div><b>{escape(result.title)}</b>"]
    if answer["question"]:
        parts.append(f' <span style="{MUTED}">{escape(answer["question"])}</span>')
    parts.append("</div>")
    if word:
        parts.append(f"<div>{badge(word)}{escape(_beside(word, verdict['reason'], ' '))}</div>")
    test = answer["test"]
    if test is not None:
        because = escape(_because(test, verdict, " "))
        parts.append(f"<div>Hypothesis {badge(test['outcome'])}{because}</div>")
    warnings = [f'<div style="color:{WARN}">⚠ {escape(said)}</div>' for said in _warnings(result)]
    return "".join([*parts, *warnings])


def _small_print(result: Result) -> str:
    """Without how long it took: what is printed twice is to be the same twice."""
    answer, rows = result.answer, len(result)
    template = answer["template"]
    first = f"first {FIRST_ROWS} of {rows:,} rows" if rows > FIRST_ROWS else _rows(rows)
    made = f"{template['id']} v{template['version']}" if template else "SQL"
    return f"{first} · pin {answer['pin']} · {made}"


def _rows(rows: int) -> str:
    return "no rows" if not rows else f"{rows} row{'s' if rows != 1 else ''}"


def _first(result: Result) -> tuple[list[str], list[list[Any]]]:
    names = list(result.arrow.column_names[:MOST_COLUMNS])
    head = result.arrow.slice(0, FIRST_ROWS)
    columns = [values_of(head.column(index)) for index in range(len(names))]
    return names, [list(row) for row in zip(*columns, strict=True)]


def _body_html(result: Result, onward: Sequence[Ahead]) -> str:
    names, rows = _first(result)
    left_out = result.arrow.num_columns - len(names)
    small = f"{escape(_small_print(result))} · {result.answer['elapsed_ms']} ms" + (
        f" · {left_out} more column{'s' * (left_out > 1)}" if left_out else ""
    )
    note = f'<div style="{MUTED};font-size:85%">{small}</div>'
    meanings = result.answer.get("columns", {})
    return (table_html(names, rows, meanings=meanings) if rows else "") + note + _next_html(onward)


def _next_html(onward: Sequence[Ahead]) -> str:
    """Where it leads, for whoever has no buttons: on paper, on nbviewer, in a terminal."""
    parts = [
        f'<span title="{escape(each.step["question"])}">{escape(_next(each))}</span>'
        for each in onward
    ]
    if not parts:
        return ""
    return f'<div class="{NEXT_CLASS}" style="{MUTED}">Next: {" · ".join(parts)}</div>'


def _next(each: Ahead) -> str:
    inputs = each.said()
    return f"{each.step['title']} ({inputs})" if inputs else each.step["title"]


def _body_text(result: Result, onward: Sequence[Ahead]) -> str:
    names, rows = _first(result)
    leads = " · ".join(_next(each) for each in onward)
    lines = [table_text(names, rows)] if rows else []
    lines += [_small_print(result), *([f"Next: {leads}"] if leads else [])]
    return "\n".join(lines)
