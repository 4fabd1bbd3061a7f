"""Charts without their browser: a picture beside each, as JupyterLab leaves one."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator
from typing import Any

_PICTURE = "image/png"
_CHART = re.compile(r"application/vnd\.vegalite\.v\d+(\.\d+)*\+json")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def draw_charts(notebook: Any) -> None:
    """Draws the Vega-Lite charts that the outputs show, where no picture is beside them.

    A browser draws a chart when it is looked at, and JupyterLab then keeps the picture in the
    notebook, for viewers that draw none. A run without a browser must do that itself. A chart
    that cannot be drawn, as one whose data lie elsewhere, keeps its words.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data") or {}
            chart = next((data[kind] for kind in data if _CHART.fullmatch(kind)), None)
            picture = None if chart is None or _PICTURE in data else _png(chart)
            if picture is not None:
                data[_PICTURE] = base64.b64encode(picture).decode()


def _png(chart: dict[str, Any]) -> bytes | None:
    import vl_convert  # half a second of processor time, when the first chart is drawn

    try:
        picture: bytes = vl_convert.vegalite_to_png(chart, allowed_base_urls=[])
    except ValueError:
        return None
    return _packed(picture)


def _packed(png: bytes) -> bytes:
    """The same picture in a quarter of the room: it comes hardly compressed."""
    parts = list(_chunks(png))
    pixels = zlib.decompress(b"".join(body for kind, body in parts if kind == b"IDAT"))
    before = [part for part in parts if part[0] not in (b"IDAT", b"IEND")]
    packed = [*before, (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b"")]
    return _SIGNATURE + b"".join(_chunk(kind, body) for kind, body in packed)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each part of a PNG file (RFC 2083, section 3)."""
    at = len(_SIGNATURE)
    while at < len(png):
        end = at + 8 + int.from_bytes(png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : end]
        at = end + 4  # behind its checksum


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)
