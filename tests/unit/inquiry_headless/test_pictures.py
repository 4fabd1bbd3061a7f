"""Charts of a run without a browser."""

import base64
import zlib
from typing import Any

import nbformat.v4 as nbf

from workspace_ext.inquiry.headless.pictures import draw_charts

CHART = "application/vnd.vegalite.v5+json"
BARS: dict[str, Any] = {
    "mark": "bar",
    "data": {"values": [{"service": "cart", "ratio": 3.5}]},
    "encoding": {
        "x": {"field": "ratio", "type": "quantitative"},
        "y": {"field": "service", "type": "nominal"},
    },
    "width": 300,
}


def _shown(data: dict[str, Any]) -> dict[str, Any]:
    cell = nbf.new_code_cell("1", outputs=[nbf.new_output("display_data", data=data)])
    draw_charts(nbf.new_notebook(cells=[nbf.new_markdown_cell("text"), cell]))
    found: dict[str, Any] = cell.outputs[0].data
    return found


def test_a_chart_gets_a_picture_beside_its_words() -> None:
    shown = _shown({CHART: BARS, "text/plain": "[chart: service by ratio]"})
    png = base64.b64decode(shown["image/png"])
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20]) > 300  # pixels across: the bars, and the name beside them
    at = png.index(b"IDAT")
    length = int.from_bytes(png[at - 4 : at])
    width, height = int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
    pixels = zlib.decompress(png[at + 4 : at + 4 + length])
    assert len(pixels) == height * (4 * width + 1)  # RGBA, and a filter byte a line
    assert shown["text/plain"] == "[chart: service by ratio]"


def test_what_has_a_picture_keeps_it() -> None:
    shown = _shown({CHART: BARS, "image/png": "aGVyZQ=="})
    assert shown["image/png"] == "aGVyZQ=="


def test_what_cannot_be_drawn_keeps_its_words() -> None:
    elsewhere = {**BARS, "data": {"url": "http://127.0.0.1:1/rows.json"}}
    for chart in ({"nonsense": 1}, elsewhere):
        assert "image/png" not in _shown({CHART: chart, "text/plain": "words"})
    assert "image/png" not in _shown({"text/plain": "no chart"})
