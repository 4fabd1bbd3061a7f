"""What `templates new` writes, and the pictures of examples that `templates docs` draws."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspace_ext.cli.gallery import PLANTED
from workspace_ext.cli.writing import write_text
from workspace_ext.foundation.errors import BadInput, Conflict

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
columns:
  z: "standard errors by which the share that fails differs from the baseline's"
  needed_z: what z must reach, with so many services looked at
interesting: CASE WHEN least(n, baseline_n) >= min_n THEN failing >= min_ratio * baseline_failing AND z >= needed_z END
reason: "{{service}}: {{failing:.1%}} of its {{n}} spans fail, {{baseline_failing:.1%}} before"
quiet: "no service fails {{min_ratio:g}}x as often as before, beyond chance"
empty: no span of what was asked is recorded in the window or the baseline
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
  - name: missing minutes are no more failures
    spans:
      - {at: -60s, every: 1s, repeat: 60, service: cart, name: GET, status: [error, ok, ok]}
      - {at: 30s, every: 1s, repeat: 30, service: cart, name: GET, status: [error, ok, ok]}
    expect: {interesting: false, rows: 1, warning: the window is partly without spans}
  - name: nothing
    expect: {interesting: null, rows: 0}
plants:
  - name: a part of stock's calls fails
    strengths: [0.15, 0.4]
    shop: {stock: {fails: strength}}
    first: {service: stock}
"""  # noqa: E501 - rows


_DRAWN = 3000


def begin(template_id: str, folder: Path) -> tuple[Path, Path]:
    """Writes a template that holds, with fixtures that pass, to be made into another one.

    Args:
        template_id: As in ``cart.failing``.
        folder: The folder of templates.

    Raises:
        BadInput: It is no id.
        Conflict: There is one already.
        Unavailable: They cannot be written.
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
    title = name.replace("_", " ").capitalize()
    write_text(path, _SQL.format(id=template_id, title=title))
    write_text(fixtures, _FIXTURES)
    return path, fixtures


def draw(client: BrokerClient, template: Template, window: str, baseline: str) -> str | None:
    """An example of a template's chart, as SVG.

    Args:
        client: Of a store with data.
        template: The template.
        window: When it hurt, ``START/END``.
        baseline: When it was fine.

    Returns:
        None when it cannot be asked without more, or nothing interesting came of it.
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
    return _picture(template, chart, answered.table)


def draw_planted(template: Template) -> str | None:
    """The same from the fault that is planted for it, which the picture says.

    Returns:
        None when nothing is planted for it, or it has no chart.

    Raises:
        BadInput: The plant cannot be run.
    """
    from workspace_ext.inquiry.planting import example
    from workspace_ext.inquiry.templates.chart import vega_lite

    chart, table = vega_lite(template), example(template)
    if chart is None or table is None:
        return None
    title = {"text": chart["title"], "subtitle": PLANTED, "subtitleColor": "#666"}
    return _picture(template, {**chart, "title": title}, table)


def is_current(template: Template) -> bool:
    """Whether there is a picture of a template's answer, drawn since what it shows changed last."""
    picture = template.picture
    return picture.is_file() and _stamp(template) in picture.read_text("utf-8")


def _stamp(template: Template) -> str:
    """Says in a picture what was drawn: not the sentences of the header, but what makes rows."""
    from workspace_ext.foundation.canonical import digest_json

    made_of = [template.sql, template.step, template.interesting, template.chart]
    return f"<!-- drawn from {digest_json(made_of)} -->"


def _picture(template: Template, chart: dict[str, Any], table: pa.Table) -> str:
    import vl_convert

    rows = json.loads(json.dumps(table.slice(0, _DRAWN).to_pylist(), default=_plain))
    picture: str = vl_convert.vegalite_to_svg({**chart, "width": 480, "data": {"values": rows}})
    return picture.replace("</svg>", f"{_stamp(template)}</svg>")


def _plain(value: Any) -> str:
    return str(value.isoformat() if hasattr(value, "isoformat") else value)
