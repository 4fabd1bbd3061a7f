"""What `templates new` writes and `templates docs` says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.errors import BadInput, Conflict, Unavailable

if TYPE_CHECKING:
    import pyarrow as pa

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


_DRAWN = 3000
PLANTED = "planted data"


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
    listed = (f"- [{each.id}](#{_anchor(each.id)}): {each.question}" for each in templates)
    parts = ["# Query templates\n", "\n".join([*listed, ""])]
    for each in templates:
        state = "" if each.status == "stable" else f" ({each.status})"
        parts.append(f"## {each.id}{state}\n\n**{each.title}.** {each.question}\n")
        if each.replaced_by:
            parts.append(f"Ask [{each.replaced_by}](#{_anchor(each.replaced_by)}) instead.\n")
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


def _anchor(template_id: str) -> str:
    return template_id.replace(".", "")


def gallery_html(templates: Sequence[Template]) -> str:
    """A page about templates, with pictures of examples where there are some; one file."""
    areas: dict[str, list[Template]] = {}
    for each in templates:
        areas.setdefault(each.id.partition(".")[0], []).append(each)
    index = "".join(
        f"<p><b>{escape(area)}</b>"
        + "".join(f'<a href="#{escape(t.id)}">{escape(t.title)}</a>' for t in members)
        + "</p>"
        for area, members in areas.items()
    )
    return _PAGE.format(
        count=len(templates), index=index, body="\n".join(_section(each) for each in templates)
    )


def _section(template: Template) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code><td>{escape(kind)}<td>{escape(default)}"
        f"<td>{escape(text)}</tr>"
        for name, kind, default, text in _inputs(template)
    )
    lists = "".join(
        f"<div><h3>{heading}</h3><ul>{''.join(f'<li>{escape(item)}' for item in items)}</ul></div>"
        for heading, items in (
            ("Covers", template.covers),
            ("Does not cover", template.not_covered),
            ("Method", template.references),
        )
        if items
    )
    leads = ", ".join(
        f'<a href="#{escape(name)}">{escape(name)}</a>'
        for name in dict.fromkeys(step.template for step in template.next)
    )
    status = "" if template.status == "stable" else f" <small>{escape(template.status)}</small>"
    return (
        f'<section id="{escape(template.id)}"><h2>{escape(template.title)}'
        f" <code>{escape(template.id)}</code>{status}</h2>"
        f"<p class=question>{escape(template.question)}</p>{_figure(template)}"
        f"<pre>{escape(template.example())}</pre>"
        f"<div class=lists>{lists}</div>"
        + (f"<p>Leads to {leads}</p>" if leads else "")
        + "<details><summary>Inputs</summary><table>"
        + f"<tr><th>input<th>type<th>default<th>meaning</tr>{rows}</table></details></section>"
    )


def _figure(template: Template) -> str:
    if not template.picture.is_file():
        return ""
    picture = template.picture.read_text("utf-8")
    told = PLANTED if PLANTED in picture else "recorded data"
    return f"<figure>{picture}<figcaption>An example, from {told}</figcaption></figure>"


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Query templates</title>
<meta name="viewport" content="width=device-width"><style>
:root {{ color-scheme: light dark; --line: #8884 }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 0 1rem;
  display: grid; grid-template-columns: 13rem minmax(0, 1fr); gap: 2.5rem }}
nav {{ position: sticky; top: 0; max-height: 100vh; overflow-y: auto; font-size: 13px; padding: 1rem 0 }}
nav p {{ margin: .5rem 0 }} nav a {{ display: block; padding: 1px 0 }}
a {{ color: light-dark(#0b57d0, #8ab4f8); text-decoration: none }} a:hover {{ text-decoration: underline }}
section {{ border-top: 1px solid var(--line); padding: .5rem 0 1rem; scroll-margin-top: 1rem }}
h1 {{ margin-bottom: 0 }} h2 {{ margin: .5rem 0 0 }} h2 code, h2 small {{ font-size: 14px; font-weight: normal; opacity: .7 }}
h3 {{ font-size: 13px; margin: 0; opacity: .7 }} .question {{ font-size: 17px; margin: .25rem 0 .75rem }}
.lists {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .5rem 2rem }}
ul {{ margin: .25rem 0; padding-left: 1.1rem }} pre {{ background: #8881; padding: .5rem .75rem; overflow-x: auto }}
figure {{ margin: 0 }} figure svg {{ max-width: 100%; height: auto; background: #fff; border-radius: 4px; padding: 8px }}
figcaption {{ font-size: 13px; opacity: .7 }}
table {{ border-spacing: 0; font-size: 14px }} td, th {{ text-align: left; padding: 3px 14px 3px 0; vertical-align: top; border-top: 1px solid var(--line) }}
summary {{ cursor: pointer }}
@media (max-width: 50rem) {{ body {{ display: block }} nav {{ position: static; max-height: none }} }}
</style></head><body><nav>{index}</nav><main><h1>Query templates</h1>
<p>{count} questions that one call answers, each with a verdict. Ask by
<code>investigation.run(ID, …)</code>; the inputs <code>window</code> and <code>baseline</code> come
from the investigation.</p>
{body}
</main></body></html>
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
        None when it cannot be asked without more, or nothing interesting came of it.

    Raises:
        Unavailable: Nothing here can draw.
    """
    windows = {"window": window, "baseline": baseline}
    given = {name: text for name, text in windows.items() if name in template.params}
    try:
        answered = client.query({"template": template.id, "params": given})
    except BadInput:
        return None
    chart = answered.answer["chart"]
    if chart is None or not answered.answer["verdict"]["interesting"]:
        return None
    return _picture(chart, answered.table)


def draw_planted(template: Template) -> str | None:
    """The same from the fault that is planted for it, which the picture says.

    Returns:
        None when nothing is planted for it, or it has no chart.

    Raises:
        BadInput: The plant cannot be run.
        Unavailable: Nothing here can draw.
    """
    from workspace_ext.inquiry.planting import example
    from workspace_ext.inquiry.templates.chart import vega_lite

    chart, table = vega_lite(template), example(template)
    if chart is None or table is None:
        return None
    title = {"text": chart["title"], "subtitle": PLANTED, "subtitleColor": "#666"}
    return _picture({**chart, "title": title}, table)


def _picture(chart: dict[str, Any], table: pa.Table) -> str:
    try:
        import vl_convert
    except ImportError as error:
        raise Unavailable(
            "nothing here can draw charts", hint="pip install 'investigation-workspace[docs]'"
        ) from error
    rows = json.loads(json.dumps(table.slice(0, _DRAWN).to_pylist(), default=_plain))
    picture: str = vl_convert.vegalite_to_svg({**chart, "width": 480, "data": {"values": rows}})
    return picture


def _plain(value: Any) -> str:
    return str(value.isoformat() if hasattr(value, "isoformat") else value)
