"""What `templates new` writes and `templates docs` says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.errors import BadInput, Conflict, Unavailable

if TYPE_CHECKING:
    from workspace_ext.client.broker import BrokerClient
    from workspace_ext.inquiry.templates.model import Template

_SQL = """/*---
id: {id}
version: 1
title: {title}
question: Which services have more failing spans than in the baseline?
status: draft
params:
  window:   {{type: window, help: when it hurts}}
  baseline: {{type: window, help: when it was fine}}
  service:  {{type: service, optional: true, help: one service only}}
  min_n:    {{type: int, default: 30, min: 1, help: "with fewer spans, then or now, a service is not judged"}}
  min_ratio: {{type: float, default: 2, min: 1, help: how many times more often counts}}
  min_z:    {{type: float, default: 3, min: 0, help: how many standard errors away from chance a single service must be}}
requires: [spans.service, spans.status]
returns:
  service: VARCHAR
  n: BIGINT
  baseline_n: BIGINT
  failing: DOUBLE
  baseline_failing: DOUBLE
  z: DOUBLE
  needed_z: DOUBLE
interesting: CASE WHEN least(n, baseline_n) >= min_n THEN failing >= min_ratio * baseline_failing AND z >= needed_z END
reason: "{{service}}: {{failing:.1%}} of its {{n}} spans fail, {{baseline_failing:.1%}} before"
quiet: "no service fails {{min_ratio:g}}x as often as before, beyond chance"
covers: [spans that carry a status]
not_covered: [failures that only logs tell of]
chart: {{mark: bar, x: failing, y: service}}
references:
  - "z of two shares; needed_z: min_z, raised for the number of services (Bonferroni by the Gaussian tail)"
next:
  - {{template: errors.origin, params: {{service: service}}}}
---*/
WITH seen AS (
    SELECT true AS is_now, service, status = 'error' AS failed FROM spans
    WHERE time >= $window_start AND time < $window_end
      AND ($service IS NULL OR service = $service)
    UNION ALL
    SELECT false, service, status = 'error' FROM spans
    WHERE time >= $baseline_start AND time < $baseline_end
      AND ($service IS NULL OR service = $service)
),
counted AS (
    SELECT service, count(*) FILTER (is_now) AS n, count(*) FILTER (NOT is_now) AS baseline_n,
           count(*) FILTER (is_now AND failed) AS bad,
           count(*) FILTER (NOT is_now AND failed) AS baseline_bad
    FROM seen GROUP BY service
)
SELECT service, n, baseline_n,
       bad / nullif(n, 0) AS failing, baseline_bad / nullif(baseline_n, 0) AS baseline_failing,
       (failing - baseline_failing)
           / sqrt((bad + baseline_bad + 1) / (n + baseline_n + 2)
                  * (1 - (bad + baseline_bad + 1) / (n + baseline_n + 2))
                  * (1 / nullif(n, 0) + 1 / nullif(baseline_n, 0))) AS z,
       sqrt($min_z * $min_z + 2 * ln(count(*) OVER ())) AS needed_z
FROM counted
ORDER BY coalesce(failing >= $min_ratio * baseline_failing AND z >= needed_z, false) DESC,
         z DESC NULLS LAST, service
"""  # noqa: E501 - a template

_FIXTURES = """origin: 2024-05-01T12:00:00Z
window: [0s, 60s]
baseline: [-60s, 0s]
cases:
  - name: cart fails
    spans:
      - {at: -60s, every: 1s, repeat: 60, service: cart, name: GET, status: ok}
      - {at: 0s, every: 1s, repeat: 60, service: cart, name: GET, status: [ok, error]}
    expect: {interesting: true, rows: 1, first: {service: cart, failing: 0.5}, reason: "50.0% of its 60 spans"}
  - name: as before
    spans:
      - {at: -60s, every: 1s, repeat: 120, service: cart, name: GET, status: ok}
    expect: {interesting: false, rows: 1}
  - name: nothing
    expect: {interesting: null, rows: 0}
plants:
  - name: a part of stock's calls fails
    strengths: [0.15, 0.4]
    shop: {stock: {fails: strength}}
    first: {service: stock}
"""  # noqa: E501 - rows


_DRAWN = 200


def begin(template_id: str, folder: Path) -> tuple[Path, Path]:
    """Writes a template that holds, with fixtures that pass, to be made into another one.

    Args:
        template_id: As in ``cart.failing``.
        folder: The folder of templates.

    Raises:
        BadInput: It is no id.
        Conflict: There is one already.
    """
    from workspace_ext.inquiry.templates.header import is_id

    if not is_id(template_id):
        raise BadInput(f"{template_id!r} is no id", hint="area.name, as in cart.failing")
    area, name = template_id.split(".")
    path = folder / area / f"{name}.sql"
    fixtures = path.with_suffix(".fixtures.yaml")
    for each in (path, fixtures):
        if each.exists():
            raise Conflict(f"{each} is already there", hint="take another id, or edit it")
    path.parent.mkdir(parents=True, exist_ok=True)
    title = name.replace("_", " ").capitalize()
    path.write_text(_SQL.format(id=template_id, title=title), encoding="utf-8")
    fixtures.write_text(_FIXTURES, encoding="utf-8")
    return path, fixtures


def gallery_markdown(templates: Sequence[Template]) -> str:
    """A page about templates, as Markdown."""
    parts = ["# Query templates\n"]
    for each in templates:
        state = "" if each.status == "stable" else f" ({each.status})"
        parts.append(f"## {each.id}{state}\n\n**{each.title}.** {each.question}\n")
        if each.replaced_by:
            parts.append(
                f"Ask [{each.replaced_by}](#{each.replaced_by.replace('.', '')}) instead.\n"
            )
        rows = [
            f"| `{name}` | {kind} | {default} | {text} |"
            for name, kind, default, text in _inputs(each)
        ]
        if rows:
            parts.append(
                "\n".join(["| input | type | default | meaning |", "|---|---|---|---|", *rows, ""])
            )
        parts += [
            f"Covers: {'; '.join(each.covers)}.\n",
            f"Does not: {'; '.join(each.not_covered)}.\n",
        ]
        if each.next:
            parts.append(f"Leads to: {', '.join(f'`{step.template}`' for step in each.next)}.\n")
        parts.append(f"```python\n{each.example()}\n```\n")
    return "\n".join(parts)


def gallery_html(templates: Sequence[Template]) -> str:
    """A page about templates, with pictures of examples where there are some; one file."""
    parts = []
    for each in templates:
        rows = "".join(
            f"<tr><td><code>{escape(name)}</code></td><td>{escape(kind)}</td>"
            f"<td>{escape(default)}</td><td>{escape(text)}</td></tr>"
            for name, kind, default, text in _inputs(each)
        )
        picture = each.picture.read_text("utf-8") if each.picture.is_file() else ""
        leads = ", ".join(
            f'<a href="#{escape(step.template)}">{escape(step.template)}</a>' for step in each.next
        )
        parts.append(
            f'<section id="{escape(each.id)}"><h2>{escape(each.title)}'
            f" <code>{escape(each.id)}</code> <small>{escape(each.status)}</small></h2>"
            f"<p><b>{escape(each.question)}</b></p>{picture}"
            f"<table><tr><th>input<th>type<th>default<th>meaning</tr>{rows}</table>"
            f"<p>Covers: {escape('; '.join(each.covers))}.</p>"
            f"<p>Does not cover: {escape('; '.join(each.not_covered))}.</p>"
            + (f"<p>Leads to: {leads}.</p>" if leads else "")
            + f"<pre>{escape(each.example())}</pre></section>"
        )
    return _PAGE.format(body="\n".join(parts))


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Query templates</title>
<meta name="viewport" content="width=device-width"><style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark }}
section {{ border-top: 1px solid #8886; padding-top: .5rem }} td, th {{ text-align: left; padding: 2px 12px 2px 0; vertical-align: top }}
svg {{ max-width: 100%; height: auto; background: #fff }} small {{ font-weight: normal; opacity: .7 }}
</style></head><body><h1>Query templates</h1>
{body}
</body></html>
"""  # noqa: E501 - styles


def _inputs(template: Template) -> list[tuple[str, str, str, str]]:
    found = []
    for param in template.params.values():
        default = "" if param.default is None else str(param.default)
        kind = " or ".join(param.of) if param.of else param.type
        found.append((param.name, kind, "required" if param.required else default, param.help))
    return found


def draw(client: BrokerClient, template: Template, window: str, baseline: str) -> str | None:
    """An example of a template's chart, as SVG.

    Args:
        client: Of a store with data.
        template: The template.
        window: When it hurt, ``START/END``.
        baseline: When it was fine.

    Returns:
        None when it cannot be asked without more, or nothing came of it.

    Raises:
        Unavailable: Nothing here can draw.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise Unavailable(
            "nothing here can draw charts", hint="pip install 'investigation-workspace[docs]'"
        ) from error
    windows = {"window": window, "baseline": baseline}
    given = {name: text for name, text in windows.items() if name in template.params}
    try:
        answered = client.query({"template": template.id, "params": given})
    except BadInput:
        return None
    chart = answered.answer["chart"]
    if chart is None or not answered.table.num_rows:
        return None
    rows = json.loads(json.dumps(answered.table.slice(0, _DRAWN).to_pylist(), default=_plain))
    picture: str = vl_convert.vegalite_to_svg({**chart, "width": 480, "data": {"values": rows}})
    return picture


def _plain(value: Any) -> str:
    return str(value.isoformat() if hasattr(value, "isoformat") else value)
