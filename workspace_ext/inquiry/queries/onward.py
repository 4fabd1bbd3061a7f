"""Onward: the questions that an answer leads to, with what fills their parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workspace_ext.inquiry.templates.library import TemplateLibrary
from workspace_ext.inquiry.templates.model import Next, Template
from workspace_ext.protocol.templates import NextStep


def onward(
    template: Template,
    recorded: Mapping[str, Any],
    led: Sequence[list[int]],
    templates: TemplateLibrary,
) -> list[NextStep]:
    """Where an answer with rows leads, in the header's order.

    Args:
        template: Whose answer it is.
        recorded: `Bound.recorded` of the question.
        led: `Judge.led`: which rows meet each condition.
        templates: The templates there are; an entry that names another one is left out.
    """
    known = templates.known()
    met = iter(led)
    entries = [(each, next(met) if each.when else None) for each in template.next]
    return [
        _step(each, known[each.template], recorded, rows)
        for each, rows in entries
        if each.template in known
    ]


def _step(
    each: Next, target: Template, recorded: Mapping[str, Any], rows: list[int] | None
) -> NextStep:
    windows = [name for name, param in target.params.items() if param.type == "window"]
    same = {name: recorded[name] for name in windows if name in recorded}
    given = {name: recorded[other] for name, other in each.given.items()}
    return {
        "template": target.id,
        "title": target.title,
        "question": target.question,
        "params": {**same, **given, **each.values},
        "columns": dict(each.columns),
        "rows": rows,
    }
