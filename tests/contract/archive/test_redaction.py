"""What leaves the store holds no secret, still verifies, and never replays as changed for it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.archive import ALICE, MAPPING, WINDOW, cells_of, ingest, rebagged
from tests.support.broker import broker
from tests.support.templates import write_template
from workspace_ext.inquiry.archive.auditor import LEDGER, main
from workspace_ext.inquiry.archive.container import REDACTION
from workspace_ext.inquiry.archive.model import CellReplay
from workspace_ext.inquiry.archive.reader import Archive
from workspace_ext.inquiry.archive.replay import replay
from workspace_ext.inquiry.headless.model import RunOptions
from workspace_ext.inquiry.headless.runner import run_notebook

TOKEN = "mF9B5f41JqMAbcdefgh0123"
# Whole values only: four digits of a card occur in random digests too.
CARD = "4111 1111 1111 1111"
SECRETS = ("bob@example.org", TOKEN, "Grace", CARD)
START = 1_714_557_600
CELLS = {
    "count": 'investigation.sql("SELECT count(*) AS n FROM spans")',
    "bodies": 'bodies = investigation.sql("SELECT body, count(*) AS n FROM logs GROUP BY body'
    ' ORDER BY n DESC, body")\nbodies',
    "like": "investigation.sql(\"SELECT count(*) AS n FROM logs WHERE body LIKE '%@example%'\")",
    "note": f'investigation.note("called with Bearer {TOKEN}")',
    "ask": 'mail = "bob@example.org"\nprint(mail)',
    "asked": 'investigation.sql("SELECT count(*) AS n FROM logs WHERE body = $b",'
    ' b=f"mail to {mail}")',
    "parsed": 'assert mail.endswith("example.org")',
    "claim": 'h = investigation.hypothesis("The cart is slow", predicts="calls over 100 ms")\n'
    'h.test("cart.slow", service="cart")',
    "hosts": 'investigation.sql("SELECT host, count(*) AS n FROM logs GROUP BY host'
    ' ORDER BY n, host")',
    "said": 'print("Grace1 said so")',
}
MAIL = "mail to bob@example.org"
BODIES = [MAIL, f"paid with {CARD}", "fine", MAIL]
POLICY = {"columns": ["logs.host"]}


@dataclass(frozen=True)
class Redacted:
    """An archive from which much was taken out, and its store."""

    path: Path
    store: Path
    uid: str
    notebook: dict[str, object]


@pytest.fixture(scope="module")
def redacted(tmp_path_factory: pytest.TempPathFactory, _kernels: None) -> Redacted:
    folder = tmp_path_factory.mktemp("redacted")
    store, path = folder / "store", folder / "cart.ipynb"
    with broker(store) as client:
        write_template(store / "templates", fixtures=None)
        ingest(client, folder, first=0)
        lines = [f"{START + n},cart,{body},Grace{n}" for n, body in enumerate(BODIES)]
        file = folder / "bodies.csv"
        file.write_text("\n".join(["time,service,body,host", *lines]) + "\n", "utf-8")
        client.ingest(file, mapping=MAPPING.format(signal="logs", more="body: body\n  host: host"))
        uid = client.open_investigation("Bob <bob@example.org> waits", window=WINDOW)["uid"]
        nb = cells_of(uid, CELLS)
        run_notebook(nb, client, path=path, actor=ALICE, options=RunOptions(allow_errors=True))
        nbformat.write(nb, path)  # type: ignore[no-untyped-call]
        notebook = json.loads(path.read_text("utf-8"))
        target = folder / "cart.zip"
        with target.open("wb") as file_:
            client.archive(uid, notebook, file_, wishes={"redact": POLICY})
    return Redacted(target, store, uid, notebook)


@pytest.fixture(scope="module")
def cells(redacted: Redacted) -> dict[str, CellReplay]:
    report = replay(redacted.path, actor=ALICE)
    return {cell.uid: cell for cell in report.cells}


def contents(path: Path) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(path) as zipped:
        for name in zipped.namelist():
            content = zipped.read(name)
            if name.endswith(".parquet"):
                yield name, str(pq.read_table(io.BytesIO(content)).to_pylist())
            elif name.endswith(".arrow"):
                yield name, str(pa.ipc.open_stream(content).read_all().to_pylist())
            elif not name.endswith("verify.py"):
                yield name, content.decode()


def test_no_secret_leaves_in_any_file(redacted: Redacted) -> None:
    for name, text in contents(redacted.path):
        for secret in SECRETS:
            at = text.find(secret)
            assert at < 0, (name, secret, text[max(at - 60, 0) : at + 60])


def test_what_was_taken_out_is_told_by_rule_and_file(redacted: Redacted) -> None:
    with Archive(redacted.path) as archive:
        told = archive.read_json(REDACTION)
        assert archive.manifest.title.startswith("Bob <[redacted:email:")
        assert dict(archive.manifest.redacted.columns) == {"logs": ("body", "host")}
        assert archive.manifest.redacted.cells == ("note", "ask", "said")
    assert set(told["rules"]) == {"bearer_token", "card_number", "email", "policy"}
    assert told["files"]["slices/logs.parquet"] == {"card_number": 1, "email": 2, "policy": 4}
    assert {"notebook.ipynb", "ledger.jsonl", "queries.json"} <= set(told["files"])
    assert told["rules"]["email"]["values"] == 1


def test_the_chain_still_verifies_and_a_redacted_entry_cannot_be_changed(
    redacted: Redacted, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(redacted.path)]) == 0

    def change(parts: dict[str, bytes]) -> None:
        parts[LEDGER] = parts[LEDGER].replace(b"called with", b"never called")

    changed = rebagged(redacted.path, tmp_path / "changed.zip", change)
    assert main([str(changed)]) == 1
    assert "is not what the redaction left of it" in capsys.readouterr().out


def test_nothing_replays_as_changed_because_of_it(cells: dict[str, CellReplay]) -> None:
    verdicts = {uid: cell.verdict for uid, cell in cells.items()}
    assert not set(verdicts.values()) & {"changed", "error", "data missing"}
    assert verdicts["count"] == verdicts["claim"] == "same"
    assert verdicts["asked"] == "same", "equal values have equal marks"
    assert verdicts["like"] == "skipped"
    (like,) = cells["like"].queries
    assert like.comparison.reason.startswith("not compared (redacted): ")
    assert "redacted" in cells["parsed"].reason
    assert cells["ask"].reason.startswith("its code was redacted")


def test_the_same_again_after_a_restart_has_the_same_bytes(
    redacted: Redacted, tmp_path: Path
) -> None:
    with broker(redacted.store) as client, (tmp_path / "again.zip").open("wb") as target:
        client.archive(redacted.uid, redacted.notebook, target, wishes={"redact": POLICY})
    assert (tmp_path / "again.zip").read_bytes() == redacted.path.read_bytes()


def test_the_policy_of_the_store_has_the_last_word(redacted: Redacted, tmp_path: Path) -> None:
    policy = redacted.store / "redaction.yaml"
    policy.write_text("patterns: {email: on}\nattributes: [user]\n")
    wishes: dict[str, object] = {"patterns": {"email": False}}
    try:
        with broker(redacted.store) as client, (tmp_path / "a.zip").open("wb") as target:
            client.archive(redacted.uid, redacted.notebook, target, wishes={"redact": wishes})
    finally:
        policy.unlink()
    with Archive(tmp_path / "a.zip") as archive:
        assert "email" in archive.read_json(REDACTION)["rules"]
