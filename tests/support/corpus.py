"""Archives of every kind that a replay meets, all made from one real run.

The run is frozen once; each archive of the corpus is that one with something changed. Where the
change is meant to be found, nothing hides it; where it is meant to be a consistent lie, or a
thing that happens, bag, manifest and ledger are sealed anew over it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from nbformat.v4 import new_markdown_cell

from tests.support.archive import (
    ALICE,
    WINDOW,
    Parts,
    cells_of,
    forged,
    ingest,
    rebagged,
    rewritten,
)
from tests.support.broker import broker
from tests.support.templates import write_template
from workspace_ext.inquiry.headless.model import RunOptions
from workspace_ext.inquiry.headless.runner import run_notebook

EMPTY = "nothing.investigation.zip"
NOTEBOOK, LEDGER, QUERIES = "data/notebook.ipynb", "data/ledger.jsonl", "data/queries.json"
SPANS, LOGS, ABOUT = (
    "data/slices/spans.parquet",
    "data/slices/logs.parquet",
    "data/investigation.json",
)
TEMPLATE = "data/templates/1/cart/slow.sql"

_FIGURE = """\
from IPython.display import display
display({"application/vnd.vegalite.v5+json": {"mark": "bar", "data": {"values":
    [{"service": s, "n": n} for s, n in zip(counts.df.service, counts.df.n)]}},
    "text/plain": "figure"}, raw=True)"""

CELLS = {
    "counts": 'counts = investigation.sql("SELECT service, count(*) AS n FROM spans'
    ' GROUP BY service ORDER BY service")\ncounts',
    "text": "print('services:', len(counts.df))",
    "words": "from IPython.display import Markdown\nMarkdown(f'**{len(counts.df)}** services')",
    "frame": 'counts.df.set_index("service")',
    "figure": _FIGURE,
    "slow": 'investigation.run("cart.slow", service="cart")',
    "float": 'investigation.sql("SELECT service, avg(duration_ns) AS mean FROM spans'
    ' GROUP BY service ORDER BY service")',
    "loose": 'investigation.sql("SELECT service, count(*) AS n FROM logs GROUP BY service")',
    "ties": 'investigation.sql("SELECT name, service FROM spans ORDER BY name LIMIT 5")',
    "now": 'investigation.sql("SELECT now() AS at, count(*) AS n FROM logs")',
    "random": "import os\nprint(os.urandom(4).hex())",
    "clock": "from datetime import datetime\nprint('made', datetime.now())",
    "own": "from uuid import uuid4\nprint('run', uuid4())",
    "widget": "import ipywidgets\nslider = ipywidgets.IntSlider(value=len(counts.df))\nslider",
    "wrong": "1 / 0",
    "first": "late = 1",
    "claim": 'h = investigation.hypothesis("The cart is slow", predicts="calls over 100 ms")\n'
    'h.test("cart.slow", service="cart")',
    "wide": 'w = investigation.hypothesis("Payment is slow", predicts="calls over 100 ms")\n'
    'w.test("cart.slow", service="pay")',
    "end": 'investigation.conclude("No connections left", confidence=0.8, hypothesis=h)',
}
"""Run in this order. Those whose outcome is chance declare a mask, but for ``random``."""

NOT_COMPARED = {"now": "skipped", "first": "skipped"}
"""What cannot be compared, by its query, or shows nothing."""

MASKS = {"clock": {"masks": ["times"]}, "own": {"masks": ["ids"]}, "widget": {"traits": ["value"]}}


@dataclass(frozen=True)
class Case:
    """One archive, and exactly what is to be said of it.

    Attributes:
        name: Of the file.
        make: Makes it.
        verdict: Of the replay; a refusal is the error's code.
        cells: The cells that do not come out as in the archive that nobody changed.
        problem: What ``verify`` finds, in part; empty when it finds nothing.
        holds: By the words of a hypothesis; those that are not named hold.
        how: More arguments of ``replay``.
        says: What the reasons of cells say, in part.
    """

    name: str
    make: Callable[[Path, Path], Path]
    verdict: str
    cells: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    holds: dict[str, bool | None] = field(default_factory=dict)
    how: dict[str, Any] = field(default_factory=dict)
    says: dict[str, str] = field(default_factory=dict)


def make_run(folder: Path) -> Path:
    """The one run, frozen; ``random`` apart, everything in it comes out the same."""
    target, notebook = folder / "run.investigation.zip", folder / "run.ipynb"
    with broker(folder / "store") as client:
        write_template(folder / "store" / "templates", fixtures=None)
        ingest(client, folder, first=0)
        uid = client.open_investigation("Cart", window=WINDOW, actor=str(ALICE))["uid"]
        nb = cells_of(uid, CELLS)
        nb.cells.insert(0, new_markdown_cell("# The cart", id="intro"))
        for cell in nb.cells:
            if cell.id in MASKS:
                cell.metadata["investigation"] = {"uid": cell.id, "compare": MASKS[cell.id]}
        run_notebook(nb, client, path=notebook, actor=ALICE, options=RunOptions(allow_errors=True))
        for cell in nb.cells:
            if cell.id == "random":  # chance is a case of its own
                cell.outputs[0].text = "00000000\n"
        with target.open("wb") as file:
            client.archive(uid, nb, file, actor=str(ALICE))
        empty = client.open_investigation("Nothing", window=WINDOW, actor=str(ALICE))["uid"]
        with (folder / EMPTY).open("wb") as file:
            client.archive(empty, cells_of(empty, {}), file, actor=str(ALICE))
    return target


# -- what is done to it ----------------------------------------------------------------------

Change = Callable[[Parts], None]


def sealed(*changes: Change) -> Callable[[Path, Path], Path]:
    """All says the same: as if it had been frozen so."""
    return lambda path, target: forged(path, target, _all(changes))


def open_(*changes: Change) -> Callable[[Path, Path], Path]:
    """Changed, and nothing done to hide it."""
    return lambda path, target: rewritten(path, target, _all(changes))


def bagged(*changes: Change) -> Callable[[Path, Path], Path]:
    """A whole bag, whose ledger knows better."""
    return lambda path, target: rebagged(path, target, _all(changes))


def _all(changes: Iterable[Change]) -> Change:
    def change(parts: Parts) -> None:
        for each in changes:
            each(parts)

    return change


def put(name: str, content: bytes) -> Change:
    """A part's bytes."""
    return lambda parts: parts.update({name: content})


def without(name: str) -> Change:
    """A part is gone, and nothing says that it was there."""

    def change(parts: Parts) -> None:
        del parts[name]
        about = json.loads(parts[ABOUT])
        about["files"].pop(name.removeprefix("data/"))
        parts[ABOUT] = json.dumps(about).encode()
        lines = parts["manifest-sha256.txt"].decode().splitlines(keepends=True)
        parts["manifest-sha256.txt"] = "".join(
            line for line in lines if not line.endswith(f"  {name}\n")
        ).encode()

    return change


def gone(name: str) -> Change:
    """A part is gone, and the manifests still name it."""
    return lambda parts: parts.pop(name) and None


def notebook(edit: Callable[[Any], None]) -> Change:
    """Edits the notebook."""

    def change(parts: Parts) -> None:
        content = json.loads(parts[NOTEBOOK])
        edit(content)
        parts[NOTEBOOK] = json.dumps(content).encode()

    return change


def cell(uid: str, edit: Callable[[Any], None]) -> Change:
    """Edits a cell."""
    return notebook(lambda nb: edit(next(each for each in nb["cells"] if each["id"] == uid)))


def source(uid: str, text: str) -> Change:
    """Another code."""
    return cell(uid, lambda each: each.update(source=text))


def shown(uid: str, old: str, new: str) -> Change:
    """Other outputs."""

    def edit(each: Any) -> None:
        before = json.dumps(each["outputs"])
        assert old in before, before
        each["outputs"] = json.loads(before.replace(old, new))

    return cell(uid, edit)


def rows(name: str, change: Callable[[pa.Table], pa.Table]) -> Change:
    """Other rows in a slice."""

    def edit(parts: Parts) -> None:
        table = change(pq.read_table(io.BytesIO(parts[name])))
        sink = io.BytesIO()
        pq.write_table(table, sink)
        parts[name] = sink.getvalue()

    return edit


def with_durations(of: Callable[[pa.Table], pa.Array]) -> Change:
    """Other durations of spans."""

    def change(table: pa.Table) -> pa.Table:
        at = table.schema.get_field_index("duration_ns")
        return table.set_column(at, table.schema.field(at).name, of(table).cast(pa.int64()))

    return rows(SPANS, change)


def quick(table: pa.Table) -> pa.Array:
    """No call takes more than 20 ms."""
    return pc.min_element_wise(table["duration_ns"], 20_000_000)


def slower(table: pa.Table) -> pa.Array:
    """Payments take 900 ms."""
    return pc.if_else(pc.equal(table["service"], "pay"), 900_000_000, table["duration_ns"])


def queries(edit: Callable[[dict[str, Any]], None]) -> Change:
    """Edits each captured query."""

    def change(parts: Parts) -> None:
        found = json.loads(parts[QUERIES])
        for each in found:
            edit(each)
        parts[QUERIES] = json.dumps(found).encode()

    return change


def about(edit: Callable[[dict[str, Any]], None]) -> Change:
    """Edits what the archive says of itself."""

    def change(parts: Parts) -> None:
        content = json.loads(parts[ABOUT])
        edit(content)
        parts[ABOUT] = json.dumps(content).encode()

    return change


def environment(parts: Parts) -> None:
    """Other versions of libraries."""
    env = json.loads(parts["data/env.json"])
    text = json.dumps(env).replace('"duckdb": "', '"duckdb": "0.9-')
    parts["data/env.json"] = text.encode()


def kept(find: str, change: Callable[[pa.Table], pa.Table]) -> Change:
    """Another kept result of the query whose SQL holds some words; its digest is another, too."""

    def edit(parts: Parts) -> None:
        found = json.loads(parts[QUERIES])
        query = next(each for each in found if find in (each["sql"] or ""))
        name = f"data/results/{query['id']}.arrow"
        with pa.ipc.open_stream(io.BytesIO(parts[name])) as stream:
            table = change(stream.read_all())
        sink = io.BytesIO()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        parts[name] = sink.getvalue()
        query["digest"] = "sha256:" + "0" * 64
        parts[QUERIES] = json.dumps(found).encode()

    return edit


def scaled(by: float) -> Callable[[pa.Table], pa.Table]:
    """Floats times a factor."""
    return lambda table: table.set_column(1, "mean", pc.multiply(table["mean"], by))


def turned(table: pa.Table) -> pa.Table:
    """Rows from the last to the first."""
    return table.take(list(range(table.num_rows - 1, -1, -1)))


def truncated(path: Path, target: Path) -> Path:
    """Half of the file."""
    target.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return target


def named(name: str, content: bytes = b"x") -> Callable[[Path, Path], Path]:
    """With one more file, whatever its name."""

    def make(path: Path, target: Path) -> Path:
        target.write_bytes(path.read_bytes())
        with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as bag:
            top = bag.namelist()[0].partition("/")[0]
            bag.writestr(f"{top}/{name}" if not name.startswith("/") else name, content)
        return target

    return make


def cut_tail(parts: Parts) -> None:
    """The last entries of the ledger are gone."""
    lines = parts[LEDGER].splitlines(keepends=True)
    parts[LEDGER] = b"".join(lines[:-2])


def another_actor(parts: Parts) -> None:
    """An entry of the ledger says that somebody else did it."""
    parts[LEDGER] = parts[LEDGER].replace(b"user:alice", b"user:mallory", 1)
