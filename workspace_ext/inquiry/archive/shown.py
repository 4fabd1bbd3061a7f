"""What the outputs of a cell show: texts, tables, figures by their data, widgets. Pure."""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, Literal

from workspace_ext.protocol.messages import FIGURE_MIME, METADATA_KEY

Kind = Literal["text", "table", "figure", "widget", "picture", "other"]

_PLOTLY = "application/vnd.plotly.v1+json"
_VEGA = re.compile(r"application/vnd\.vega(lite)?\.v\d+(\.\d+)*\+json")
_WIDGET = "application/vnd.jupyter.widget-view+json"
_STATE = "application/vnd.jupyter.widget-state+json"
_REFERENCE = "IPY_MODEL_"
_MARKUP = ("text/markdown", "text/latex")
_STANDS_IN = re.compile(r"<[\w.]+( object)?( at 0x[0-9a-fA-F]+)?>")
"""What a text says that only names an object which shows itself in another way."""
_SILENT_TAGS = frozenset({"style", "title"})
_DRAWING_TAGS = frozenset(
    ("audio", "canvas", "embed", "iframe", "img", "object", "script", "svg", "video")
)
_DRAWN = ("x", "y", "z", "values", "labels", "ids", "parents", "lat", "lon", "locations", "open",
          "high", "low", "close", "text", "name", "type", "base", "error_x", "error_y", "node",
          "link", "cells", "header", "a", "b", "c", "r", "theta", "value")  # fmt: skip
"""The attributes of a plotly trace that hold data; the others say how it looks."""
_CODES = {"f8": "d", "f4": "f", "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I"}


@dataclass(frozen=True)
class Table:
    """A table as it is shown: texts, the index first."""

    names: tuple[str, ...]
    keys: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Piece:
    """One thing that is shown; ``content`` is None where nothing in it can be compared."""

    kind: Kind
    content: Any


def pieces(outputs: Sequence[Mapping[str, Any]]) -> list[Piece]:
    """What is shown, in order; all that went to standard output is one text.

    Left out is what is compared elsewhere: errors, and the answers of our own queries. Standard
    error is no result.
    """
    found: list[Piece] = []
    printed = "".join(
        _text(output.get("text"))
        for output in outputs
        if output.get("output_type") == "stream" and output.get("name") == "stdout"
    )
    if printed:
        found.append(Piece("text", printed))
    for output in outputs:
        data = output.get("data")
        if isinstance(data, Mapping) and METADATA_KEY not in (output.get("metadata") or {}):
            found.append(_piece(data))
    return found


def pictures(cells: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The pictures of the charts of our own answers: query → PNG, in base64."""
    return {
        str(about["query"]): picture
        for cell in cells
        for output in cell.get("outputs") or ()
        if (about := (output.get("metadata") or {}).get(METADATA_KEY) or {}).get("query")
        and (picture := _text((output.get("data") or {}).get("image/png")))
    }


def _piece(data: Mapping[str, Any]) -> Piece:
    figure = next((_figure(kind, value) for kind, value in data.items() if _is_figure(kind)), None)
    if figure is not None:
        return figure
    if _WIDGET in data:
        return Piece("widget", data[_WIDGET].get("model_id"))
    table = _table(_text(data.get("text/html")))
    if table is not None:
        return Piece("table", table)
    if any(kind.startswith("image/") for kind in data):
        return Piece("picture", None)
    text = _words(data)
    return Piece("other", None) if text is None else Piece("text", text)


def _words(data: Mapping[str, Any]) -> str | None:
    """What is shown in words; None where it shows itself in another way than by words."""
    plain = _text(data.get("text/plain"))
    if plain and not _STANDS_IN.fullmatch(plain.strip()):
        return plain
    for kind in _MARKUP:
        if kind in data:
            return _text(data[kind])
    if "application/json" in data:
        return json.dumps(data["application/json"], indent=1, sort_keys=True)
    if "text/html" in data:
        reader = _WordReader()
        reader.feed(_text(data["text/html"]))
        return reader.words()
    return plain or None


def _text(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")


# -- figures ---------------------------------------------------------------------------------


def _is_figure(kind: str) -> bool:
    return kind in (FIGURE_MIME, _PLOTLY) or _VEGA.fullmatch(kind) is not None


def _figure(kind: str, value: Any) -> Piece:
    if kind == FIGURE_MIME:
        data = _matplotlib(value)
    else:
        data = _plotly(value) if kind == _PLOTLY else list(_vega(value))
    return Piece("figure", data or None)


def _matplotlib(figure: Any) -> Any:
    """What `workspace_kernel.figures` tells: its words as rows of their own, then the points."""
    if not isinstance(figure, Mapping):
        return None
    return [part for name in ("axes", "rows") if (part := figure.get(name))]


def _vega(spec: Any) -> Iterator[Any]:
    """The rows that a Vega or Vega-Lite figure draws, data set by data set, as it names them."""
    named = spec.get("datasets") or {} if isinstance(spec, Mapping) else {}
    seen: set[str] = set()

    def found(part: Any) -> Iterator[Any]:
        if isinstance(part, list):
            for each in part:
                yield from found(each)
        if not isinstance(part, Mapping):
            return
        for key in sorted(part):
            value = part[key]
            if key == "data":
                yield from _rows(value)
            elif key != "datasets":
                yield from found(value)

    def _rows(data: Any) -> Iterator[Any]:
        for each in data if isinstance(data, list) else [data]:
            if not isinstance(each, Mapping):
                continue
            name = str(each.get("name"))
            if each.get("values") is not None:
                yield each["values"]
            elif name in named and name not in seen:
                seen.add(name)
                yield named[name]

    return found(spec)


def _plotly(figure: Any) -> Any:
    traces = figure.get("data") if isinstance(figure, Mapping) else None
    if not isinstance(traces, list):
        return None
    return [
        {name: _numbers(trace[name]) for name in _DRAWN if name in trace}
        for trace in traces
        if isinstance(trace, Mapping)
    ]


def _numbers(value: Any) -> Any:
    """Arrays that plotly packs into bytes, as numbers."""
    if isinstance(value, Mapping) and isinstance(value.get("bdata"), str):
        code = _CODES.get(str(value.get("dtype")))
        content = base64.b64decode(value["bdata"])
        if code is None or len(content) % struct.calcsize(f"<{code}"):
            return dict(value)
        return list(struct.unpack(f"<{len(content) // struct.calcsize(f'<{code}')}{code}", content))
    return value


# -- tables ----------------------------------------------------------------------------------


def _table(html: str) -> Table | None:
    if 'class="dataframe"' not in html:
        return None
    reader = _TableReader()
    reader.feed(html)
    return reader.table()


class _TableReader(HTMLParser):
    """Reads the table that pandas shows of a frame."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[list[tuple[str, str]]] = []
        self._cell = ""
        self._inside = False

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        """A row or a cell begins."""
        if tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._cell, self._inside = "", True

    def handle_endtag(self, tag: str) -> None:
        """A cell ends."""
        if tag in ("td", "th") and self._rows:
            self._rows[-1].append((tag, self._cell.strip()))
            self._inside = False

    def handle_data(self, data: str) -> None:
        """The text of a cell."""
        self._cell += data if self._inside else ""

    def table(self) -> Table | None:
        """The table; None when it is not as plain as most are: then its text is compared."""
        if len(self._rows) > 1 and all(tag == "th" for tag, _ in self._rows[1]):
            head, index_names = self._rows[:2]  # pandas names the index in a row of its own
            both = zip(head, index_names, strict=False)
            self._rows[:2] = [[("th", name or other) for (_, name), (_, other) in both]]
        width = len(self._rows[0]) if self._rows else 0
        index = sum(tag == "th" for tag, _ in self._rows[-1]) if len(self._rows) > 1 else 0
        names = (
            [name or f"#{place}" for place, (_, name) in enumerate(self._rows[0])] if width else []
        )
        body = self._rows[1:]
        if not names or len(set(names)) < width or any(len(row) != width for row in body):
            return None
        rows = tuple(dict(zip(names, (text for _, text in row), strict=True)) for row in body)
        return Table(tuple(names), tuple(names[: index or 1]), rows)


class _WordReader(HTMLParser):
    """Reads the words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self._words: list[str] = []
        self._silent = self._draws = False

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        """Something begins that is no text, or shows more than text."""
        self._silent = tag in _SILENT_TAGS
        self._draws |= tag in _DRAWING_TAGS

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        """It ends."""
        self._silent = False

    def handle_data(self, data: str) -> None:
        """Text between tags."""
        self._words += [] if self._silent else data.split()

    def words(self) -> str | None:
        """All words; None where something is drawn beside them."""
        return None if self._draws else " ".join(self._words)


# -- widgets ---------------------------------------------------------------------------------


def widget_states(notebook: Mapping[str, Any]) -> Mapping[str, Any]:
    """The states of a notebook's widgets, by model."""
    held = (notebook.get("metadata") or {}).get("widgets") or {}
    states = (held.get(_STATE) or {}).get("state")
    return states if isinstance(states, Mapping) else {}


def traits_of(
    model: object, states: Mapping[str, Any], traits: Sequence[str]
) -> list[tuple[str, str, Any]]:
    """The declared traits of a widget and of those within it: its model's name, trait, value."""
    found: list[tuple[str, str, Any]] = []
    seen: set[str] = set()

    def walk(key: str) -> None:
        held = states.get(key)
        if key in seen or not isinstance(held, Mapping):
            return
        seen.add(key)
        state = held.get("state") or {}
        name = str(held.get("model_name"))
        found.extend((name, trait, state[trait]) for trait in traits if trait in state)
        for inner in re.findall(_REFERENCE + r"(\w+)", json.dumps(state.get("children") or [])):
            walk(inner)

    walk(str(model))
    return found
