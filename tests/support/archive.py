"""A real archive: a small store, a notebook run by real kernels, frozen by a real broker."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.support.broker import broker
from tests.support.templates import SQL, write_template
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.canonical import digest_bytes
from workspace_ext.inquiry.archive.auditor import PAYLOAD as DATA
from workspace_ext.inquiry.archive.container import ABOUT, LEDGER
from workspace_ext.inquiry.headless.model import RunOptions
from workspace_ext.inquiry.headless.runner import run_notebook
from workspace_ext.ledger.model import Event, seal
from workspace_ext.protocol.events import event

ALICE = Actor("user", "alice")
MAPPING = """
signal: {signal}
fields:
  time: {{column: time, unit: s}}
  service: service
  {more}
"""
START = 1_714_557_600  # 2024-05-01T10:00:00Z
WINDOW = {"start": "2024-05-01T10:00:00Z", "end": "2024-05-01T10:10:00Z"}
LATER = {"start": "2024-05-01T10:05:00Z", "end": "2024-05-01T10:10:00Z"}

CELLS = {
    "sum": "minutes = 5\nminutes + 1",
    "slow": 'cart = investigation.run("cart.slow", service="cart")\ncart',
    "logs": 'investigation.sql("SELECT service, count(*) AS n FROM logs'
    ' GROUP BY service ORDER BY service")',
    "claim": 'h = investigation.hypothesis("The cart is slow", predicts="calls over 100 ms")\n'
    'h.test("cart.slow", service="cart")\n'
    'h.test("cart.slow", service="pay", expect="not interesting")',
    "wrong": "1 / 0",
    "unknown": 'investigation.run("cart.slow", service="nobody")',
    "large": 'investigation.sql("SELECT a.span_id AS a, b.span_id AS b FROM spans a, spans b'
    ' ORDER BY 1, 2")',
    "end": 'investigation.conclude("No connections left in the cart", confidence=0.8,'
    " evidence=[cart], hypothesis=h)",
}
"""Run on the first batch, in order."""

LATER_CELLS = {
    "later": 'investigation.sql("SELECT count(*) AS n FROM spans")',
    "scoped": 'investigation.sql("SELECT count(*) AS n FROM spans'
    ' WHERE time >= $window_start AND time < $window_end")',
    "gone": 'investigation.sql("SELECT max(time) AS last FROM spans")',
    "edited": 'n = investigation.sql("SELECT count(*) AS n FROM logs")',
    "retold": 'investigation.run("cart.slow", service="cart")',
    "wide": 'investigation.sql("SELECT a.span_id AS a, b.span_id AS b,'
    ' sum(b.duration_ns / 7e6) AS ms FROM spans a, spans b GROUP BY ALL")',
}
"""Run on two batches and another window; afterwards ``gone`` is deleted and ``edited`` edited.

``retold`` asks a template whose text was changed meanwhile, under its version; the answer of
``wide`` is too large to keep, and comes in any order."""

EDITED = f"{LATER_CELLS['edited']}\nprint(n)"


@dataclass(frozen=True)
class Frozen:
    """An archive, and what it was made from."""

    path: Path
    notebook: Path
    store: Path
    uid: str

    @property
    def title(self) -> str:
        """The investigation's title."""
        return "The cart | is *slow*"


def make_archive(folder: Path) -> Frozen:
    """Makes one; takes some seconds."""
    store, notebook = folder / "store", folder / "cart.ipynb"
    made = Frozen(folder / "cart.investigation.zip", notebook, store, "")
    with broker(store) as client:
        write_template(store / "templates", fixtures=None)
        ingest(client, folder, first=0)
        uid = client.open_investigation(made.title, window=WINDOW, actor=str(ALICE))["uid"]
        nb = cells_of(uid, CELLS)
        run_notebook(nb, client, path=notebook, actor=ALICE, options=RunOptions(allow_errors=True))
        ingest(client, folder, first=100)
        report(client, uid, "investigation.pinned", pin=client.catalog()["pin"])
        report(client, uid, "investigation.scoped", window=LATER)
        write_template(store / "templates", sql=SQL.replace("max(", "min("), fixtures=None)
        more = cells_of(uid, LATER_CELLS)
        run_notebook(more, client, path=notebook, actor=ALICE)
        kept = [cell for cell in more.cells if cell.id != "gone"]
        next(cell for cell in kept if cell.id == "edited").source = EDITED
        copied = new_code_cell(CELLS["sum"], id="copied", metadata=nb.cells[0].metadata)
        intro = new_markdown_cell("# The cart", id="intro")
        nb.cells = [intro, *nb.cells, *kept, copied, new_code_cell("3 + 4", id="new")]
        client.query({"sql": "SELECT 1 AS one", "investigation": uid})
        nbformat.write(nb, notebook)
        with made.path.open("wb") as target:
            client.archive(uid, nb, target, actor=str(ALICE))
    return Frozen(made.path, notebook, store, uid)


def cells_of(uid: str, sources: dict[str, str]) -> Any:
    """A notebook of an investigation."""
    cells = [new_code_cell(source, id=name) for name, source in sources.items()]
    kernel = {"name": "investigation", "display_name": "Investigation (Python)"}
    metadata = {"kernelspec": kernel, "investigation": {"schema": 1, "uid": uid}}
    return new_notebook(cells=cells, metadata=metadata)


def ingest(client: BrokerClient, folder: Path, *, first: int) -> None:
    """Adds a batch of 110 spans and one of as many logs, one every two seconds."""
    numbers = range(first, first + 110)
    spans = ["time,service,trace,span,name,ms"]
    spans += [
        f"{START + 2 * n},{'cart' if n % 2 else 'pay'},t{n // 2},s{n},GET,{20 + n % 10 // 9 * 230}"
        for n in numbers
    ]
    logs = ["time,service,body"] + [
        f"{START + 2 * n},{'cart' if n % 2 else 'pay'},line {n}" for n in numbers
    ]
    ids = "trace_id: trace\n  span_id: span\n  name: name\n  duration: {column: ms, unit: ms}"
    for signal, lines, more in (("spans", spans, ids), ("logs", logs, "body: body")):
        path = folder / f"{signal}-{first}.csv"
        path.write_text("\n".join(lines) + "\n", "utf-8")
        client.ingest(path, mapping=MAPPING.format(signal=signal, more=more))


def report(client: BrokerClient, uid: str, kind: str, **data: Any) -> None:
    """Somebody moves the pin or the window, not in a cell."""
    client.report(uid, [event(kind, uid, data, actor=str(ALICE))])


def several(value: Any) -> list[Any]:
    """A value of JSON-LD: one, or a list of them."""
    return value if isinstance(value, list) else [value]


Parts = dict[str, bytes]
"""Content by name in the bag: the payload's begin with ``data/``."""


def rewritten(path: Path, target: Path, change: Callable[[Parts], None]) -> Path:
    """A copy of an archive with some parts changed, and nothing done to hide it."""
    with zipfile.ZipFile(path) as old:
        top = old.namelist()[0].partition("/")[0]
        parts = {name.removeprefix(f"{top}/"): old.read(name) for name in old.namelist()}
    change(parts)
    with zipfile.ZipFile(target, "w") as new:
        for name, content in parts.items():
            new.writestr(f"{top}/{name}", content)
    return target


def rebagged(path: Path, target: Path, change: Callable[[Parts], None]) -> Path:
    """A copy with some parts changed, that is a whole bag: what BagIt alone cannot find."""

    def rebag(parts: Parts) -> None:
        change(parts)
        _bag(parts)

    return rewritten(path, target, rebag)


def forged(path: Path, target: Path, change: Callable[[Parts], None]) -> Path:
    """A copy with some parts changed, that verifies: bag, manifest and ledger say the same lie."""

    def forge(parts: Parts) -> None:
        change(parts)
        about = json.loads(parts[DATA + ABOUT])
        about["files"] = {name: _part(parts[DATA + name]) for name in about["files"]}
        parts[DATA + ABOUT] = json.dumps(about).encode()
        *entries, last = [json.loads(line) for line in parts[DATA + LEDGER].splitlines()]
        event = Event(
            last["type"],
            {"digest": digest_bytes(parts[DATA + ABOUT])},
            Actor.parse(last["actor"]),
            id=last["id"],
            investigation=last["investigation"],
        )
        prev, seq = entries[-1]["hash"], last["seq"]
        entry, _ = seal(event, seq=seq, prev=prev, recorded_time=last["recorded_time"])
        lines = [json.dumps(each) for each in (*entries, entry)]
        parts[DATA + LEDGER] = ("\n".join(lines) + "\n").encode()
        _bag(parts)

    return rewritten(path, target, forge)


def _bag(parts: Parts) -> None:
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        listed = [line.split("  ", 1)[1] for line in parts[manifest].decode().splitlines()]
        lines = [f"{sha256(parts[name]).hexdigest()}  {name}\n" for name in listed if name in parts]
        parts[manifest] = "".join(lines).encode()


def _part(content: bytes) -> dict[str, Any]:
    return {"digest": f"sha256:{sha256(content).hexdigest()}", "bytes": len(content)}
