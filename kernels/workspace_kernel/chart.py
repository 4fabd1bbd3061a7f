"""A chart: the Vega-Lite specification that comes with an answer, given its rows.

Data is cut to what a chart of this size can show, so that notebooks stay light. Altair, which
takes more than a second to import, is not needed for that. JupyterLab 4 draws Vega-Lite 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workspace_ext.protocol.messages import Answer

if TYPE_CHECKING:
    import altair
    import pyarrow as pa

MIME = "application/vnd.vegalite.v5+json"
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
MOST_ROWS = 300
TEXT_LENGTH = 120
WIDTH, HEIGHT, STEP = 496, 220, 18  # between the gallery and the panel on 1280 pixels
SYMBOL, LETTER = 26, 5.2  # pixels: a legend's mark with what is around it; a letter of any text
LONGEST_LABEL = 320  # pixels, as the broker's charts cut labels off
NO_VALUE = "too little data"
GREY = "#c0c0c0"
COLOURS = (
    *("#d1495b", "#e09f3e", "#3a7ca5", "#5f9e6e", "#7d5ba6"),
    *("#8c6d5a", "#c97b9d", "#6b7a8f", "#9a9a3a", "#4aa5a0"),
)


def specification(answer: Answer, table: pa.Table) -> dict[str, Any] | None:
    """The chart of an answer; None when it has none, or no rows, or misses a column."""
    chart = answer["chart"]
    if not chart or not table.num_rows:
        return None
    fields = _fields(chart)
    if not set(fields) <= set(table.column_names):
        return None
    encoding = {channel: _zoned(drawn) for channel, drawn in chart["encoding"].items()}
    rows = _rows(table.select(fields), encoding.get("x", {}))
    x = encoding["x"]["field"]
    if all(row[x] is None for row in rows):
        return None
    if "x2" in encoding:  # a line from one value to the other
        encoding["x"] = {**encoding["x"], "title": f"{_said(x)} → {_said(encoding['x2']['field'])}"}
    y, by_category = encoding["y"]["field"], encoding["y"].get("type") == "nominal"
    if encoding.get("color", {}).get("type") == "nominal":
        longest = max(len(str(row[y])) for row in rows) if by_category else 0
        room = WIDTH - min(LETTER * longest, LONGEST_LABEL)
        encoding["color"] = _coloured(encoding["color"], rows, room)
    # The answer's title stands above the chart already.
    same = chart.get("title") == answer["title"]
    return {
        **{name: part for name, part in chart.items() if not (same and name == "title")},
        "$schema": SCHEMA,
        "data": {"values": rows},
        "encoding": encoding,
        "width": WIDTH,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "height": {"step": STEP} if by_category else HEIGHT,
        "config": {"rule": {"strokeWidth": 5}},
    }


def _said(name: str) -> str:
    return name.replace("_", " ")


def as_altair(spec: dict[str, Any]) -> altair.Chart:
    """The chart as an Altair object.

    Altair's own default draws by a script from the internet, and its newest MIME type is one that
    JupyterLab does not draw: unless somebody chose a renderer, charts are shown as ours are.
    """
    import altair as alt

    if "investigation" not in alt.renderers.names():
        alt.renderers.register("investigation", _mime_bundle)
    if alt.renderers.active == "default":
        alt.renderers.enable("investigation")
    return alt.Chart.from_dict({key: spec[key] for key in spec if key != "$schema"})


def _mime_bundle(spec: dict[str, Any], **_options: Any) -> dict[str, Any]:
    return {MIME: {**spec, "$schema": SCHEMA}, "text/plain": "<chart>"}


def caption(spec: dict[str, Any]) -> str:
    """A chart in words, for where none is drawn."""
    encoding = spec["encoding"]
    axes = [encoding[axis]["field"] for axis in ("y", "x") if axis in encoding]
    return f"[chart: {' by '.join(axes)}]"


def _fields(chart: dict[str, Any]) -> list[str]:
    """The columns that a chart reads: of its channels, and those it sorts by."""
    found = []
    for drawn in chart["encoding"].values():
        sort = drawn.get("sort")
        found += [drawn["field"], sort["field"] if isinstance(sort, dict) else drawn["field"]]
    return list(dict.fromkeys(found))


def _zoned(drawn: dict[str, Any]) -> dict[str, Any]:
    """Times on an axis in UTC, as everywhere else in the product."""
    if drawn.get("type") != "temporal":
        return drawn
    return {**drawn, "scale": {"type": "utc"}, "axis": {"format": "%H:%M:%S"}}


def _coloured(drawn: dict[str, Any], rows: list[dict[str, Any]], room: float) -> dict[str, Any]:
    """Colours in the order of the rows, which begin with what matters; grey where is no value."""
    column = drawn["field"]
    found = list(dict.fromkeys(row[column] for row in rows))
    values = [value for value in found if value is not None]
    colours = [COLOURS[number % len(COLOURS)] for number in range(len(values))]
    if None in found:
        for row in rows:
            row[column] = NO_VALUE if row[column] is None else row[column]
        values, colours = [*values, NO_VALUE], [*colours, GREY]
    scale = {"domain": values, "range": colours}
    return {
        **drawn,
        "scale": scale,
        "legend": _legend(column, [str(value) for value in values], room),
    }


def _legend(title: str, values: list[str], room: float) -> dict[str, Any]:
    """Above the chart, in as many columns as fit: beside it, long names leave no room for bars."""
    widest = SYMBOL + LETTER * max(map(len, values), default=0)
    columns = max(1, int((room - LETTER * len(title)) // widest))
    return {"orient": "top", "titleOrient": "left", "columns": columns}


def _rows(table: pa.Table, x: dict[str, Any]) -> list[dict[str, Any]]:
    if x.get("type") == "temporal" and table.num_rows > MOST_ROWS:
        kept = _thin(table.to_pylist(), x["field"])
    else:
        kept = table.slice(0, MOST_ROWS).to_pylist()
    return [{name: _plain(value) for name, value in row.items()} for row in kept[:MOST_ROWS]]


def _thin(rows: Sequence[dict[str, Any]], x: str) -> Sequence[dict[str, Any]]:
    """Every n-th moment with all its series: a line keeps its shape, which a cut would not."""
    moments = sorted({row[x] for row in rows if row[x] is not None})
    kept = set(moments[:: -(-len(rows) // MOST_ROWS)])
    return [row for row in rows if row[x] in kept]


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}") if value - value == 0 else None
    if value is None or isinstance(value, (bool, int)):
        return value
    return (value.isoformat() if hasattr(value, "isoformat") else str(value))[:TEXT_LENGTH]
