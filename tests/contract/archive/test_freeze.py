"""What goes into an archive, and what cannot."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.archive import ALICE, WINDOW, Frozen, cells_of, ingest, report
from tests.support.broker import broker
from tests.support.templates import HEADER, write_template
from workspace_ext.broker.services import Services
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.errors import BadInput, Conflict, NotFound
from workspace_ext.inquiry.archive.container import (
    ABOUT,
    QUERIES,
    Manifest,
    slice_path,
    template_path,
)
from workspace_ext.inquiry.archive.private_store import fill_store
from workspace_ext.inquiry.archive.reader import Archive
from workspace_ext.inquiry.templates.library import TemplateLibrary
from workspace_ext.protocol.messages import QueryRequest
from workspace_ext.storage.folder import StoreFolder

NOTE = [{"key": "http.route", "value": {"stringValue": "/a"}}]
DEEP = {
    "resourceSpans": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "x"}}]},
            "scopeSpans": [
                {
                    "scope": {"name": "s"},
                    "spans": [
                        {
                            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
                            "spanId": "00f067aa0ba902b7",
                            "name": "deep",
                            "startTimeUnixNano": "1714557600000000123",
                            "endTimeUnixNano": "1714557601000000456",
                            "attributes": NOTE,
                            "events": [
                                {
                                    "timeUnixNano": "1714557600500000000",
                                    "name": "exception",
                                    "attributes": NOTE,
                                }
                            ],
                            "links": [{"traceId": "4b" * 16, "spanId": "00f067aa0ba902b8"}],
                        }
                    ],
                }
            ],
        }
    ]
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store") / "s"


@pytest.fixture(scope="module")
def client(store: Path) -> Iterator[BrokerClient]:
    with broker(store) as client:
        ingest(client, store.parent, first=0)
        yield client


@pytest.fixture
def uid(client: BrokerClient) -> str:
    return client.open_investigation("Cart", window=WINDOW)["uid"]


def freeze(client: BrokerClient, uid: str, path: Path, notebook: Any = None) -> Archive:
    with path.open("wb") as target:
        client.archive(uid, notebook or cells_of(uid, {}), target)
    return Archive(path)


def test_an_archive_holds_what_was_read_and_no_more(frozen: Frozen) -> None:
    with Archive(frozen.path) as archive:
        assert archive.verify() == []
        parts = archive.manifest.files
        assert {path for path in parts if path.startswith("slices/")} == {
            slice_path("logs"),
            slice_path("spans"),
        }
        assert template_path("cart.slow", 1) in parts
        queries = archive.read_json(QUERIES)
        large = next(query for query in queries if query["rows"] > 10_000)
        assert not archive.has(f"results/{large['id']}.arrow")
        assert archive.ledger()[-1]["type"] == "archive.created"


def test_an_investigation_without_queries_is_frozen_too(
    client: BrokerClient, uid: str, tmp_path: Path
) -> None:
    with freeze(client, uid, tmp_path / "a.zip") as archive:
        assert archive.verify() == []
        assert not [path for path in archive.manifest.files if path.startswith("slices/")]
        store = StoreFolder.create(tmp_path / "private", sealed=True)
        fill_store(archive, store, pin=archive.manifest.pin)
    with broker(store.path) as private:
        assert private.catalog()["pin"] == archive.manifest.pin
        assert private.query({"sql": "SELECT count(*) AS n FROM spans"}).table["n"][0].as_py() == 0


def test_the_same_state_gives_the_same_bytes_and_each_time_is_recorded(
    client: BrokerClient, uid: str, tmp_path: Path
) -> None:
    freeze(client, uid, tmp_path / "a.zip")
    with freeze(client, uid, tmp_path / "b.zip") as archive:
        assert archive.verify() == []
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    made = [entry for entry in client.entries(uid) if entry["type"] == "archive.created"]
    assert len(made) == 2
    report(client, uid, "note.added", text="went on")
    with freeze(client, uid, tmp_path / "c.zip") as archive:
        assert archive.verify() == []
        assert [entry["type"] for entry in archive.ledger()][-2:] == [
            "note.added",
            "archive.created",
        ]
    assert (tmp_path / "a.zip").read_bytes() != (tmp_path / "c.zip").read_bytes()


def test_a_notebook_of_a_newer_schema_is_kept_as_it_is(
    client: BrokerClient, uid: str, tmp_path: Path
) -> None:
    notebook = cells_of(uid, {"a": "1"})
    notebook.metadata["investigation"] = {"schema": 99, "uid": uid, "colour": "red"}
    with freeze(client, uid, tmp_path / "a.zip", notebook) as archive:
        kept = archive.read_json("notebook.ipynb")["metadata"]["investigation"]
        assert kept == {"schema": 99, "uid": uid, "colour": "red"}


def test_rows_come_back_as_they_were_however_deep(client: BrokerClient, tmp_path: Path) -> None:
    (tmp_path / "spans.jsonl").write_text(json.dumps(DEEP) + "\n", "utf-8")
    client.ingest(tmp_path / "spans.jsonl")
    uid = client.open_investigation("Deep")["uid"]
    asked: QueryRequest = {"sql": "SELECT * FROM spans WHERE name = 'deep'", "investigation": uid}
    then = client.query(asked).table
    assert then.num_rows == 1
    with freeze(client, uid, tmp_path / "a.zip") as archive:
        assert archive.manifest.redacted.columns == {}
        store = StoreFolder.create(tmp_path / "private", sealed=True)
        fill_store(archive, store, pin=archive.manifest.pin)
    with broker(store.path) as private:
        assert private.query({"sql": asked["sql"]}).table.to_pylist() == then.to_pylist()


def test_the_notebook_of_another_investigation_is_refused(
    client: BrokerClient, uid: str, tmp_path: Path
) -> None:
    other = client.open_investigation("Other")["uid"]
    with pytest.raises(BadInput, match="does not belong"):
        freeze(client, uid, tmp_path / "a.zip", cells_of(other, {}))
    with pytest.raises(NotFound):
        freeze(client, "nobody", tmp_path / "a.zip", cells_of("nobody", {}))
    assert [entry["type"] for entry in client.entries(uid)] == ["investigation.opened"]


@pytest.mark.parametrize(
    ("wishes", "told"),
    [
        ({"max_slice_rows": -1}, "ArchiveRequest"),
        ({"colour": "red"}, "ArchiveRequest"),
        ({"redact": {"colums": []}}, "colums"),
        ({"redact": {"regexes": {"a": "("}}}, "the regex a"),
    ],
)
def test_wishes_that_are_not_understood_are_refused(
    client: BrokerClient, uid: str, wishes: Any, told: str
) -> None:
    with pytest.raises(BadInput, match=told):
        client.archive(uid, cells_of(uid, {}), io.BytesIO(), wishes=wishes)
    assert [entry["type"] for entry in client.entries(uid)] == ["investigation.opened"]


class _Busy:
    """Investigations in which somebody else says something while one is frozen."""

    def __init__(self, service: Any, rationale: str) -> None:
        self._service = service
        self._rationale = rationale

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service, name)

    def report(self, uid: str, events: Any, principal: Any) -> Any:
        said = {**events[0], "id": "meanwhile", "type": "note.added", "data": {"text": "a@b.org"}}
        self._service.report(uid, [{**said, "rationale": self._rationale}], principal)
        return self._service.report(uid, events, principal)


def test_what_is_said_while_it_is_frozen_is_a_link_of_the_chain_and_no_more(
    tmp_path: Path,
) -> None:
    folder = StoreFolder.create(tmp_path / "store")
    with folder.hold("test"):
        services = Services.open(folder)
        try:
            for rationale in ("", "asked eve@b.org"):
                opened = services.investigations.open(title="Busy", actor=ALICE)
                busy: Any = _Busy(services.investigations, rationale)
                freezer = replace(services.archives, investigations=busy)
                notebook, path = cells_of(opened["uid"], {}), tmp_path / "a.zip"
                with path.open("wb") as target:
                    if rationale:
                        with pytest.raises(Conflict, match="went on"):
                            freezer.freeze(opened["uid"], notebook, ALICE, target)
                        continue
                    freezer.freeze(opened["uid"], notebook, ALICE, target)
                with Archive(path) as archive:
                    assert archive.verify() == []
                    kinds = [(entry["type"], entry["data"] is None) for entry in archive.ledger()]
                assert kinds[1:] == [("note.added", True), ("archive.created", False)]
                assert b"a@b.org" not in path.read_bytes()
        finally:
            services.close()


def test_a_template_changed_since_is_not_passed_off_as_the_one_used(
    client: BrokerClient, store: Path, uid: str, tmp_path: Path
) -> None:
    path = write_template(store / "templates", fixtures=None)
    asked: QueryRequest = {
        "template": "cart.slow",
        "params": {"service": "cart"},
        "investigation": uid,
    }
    client.query(asked)
    with freeze(client, uid, tmp_path / "whole.zip") as archive:
        assert archive.manifest.missing == {}
        assert archive.read(template_path("cart.slow", 1)) == path.read_bytes()
    first = path.read_bytes()
    write_template(store / "templates", header=HEADER.replace("100", "200"), fixtures=None)
    with freeze(client, uid, tmp_path / "changed.zip") as archive:
        assert archive.manifest.missing == {}
        assert archive.read(template_path("cart.slow", 1)) == first
    newer = HEADER.replace("version: 1", "version: 2")
    write_template(store / "templates", header=newer, fixtures=None)
    client.query(asked)
    path.unlink()
    with freeze(client, uid, tmp_path / "gone.zip") as archive:
        assert archive.read(template_path("cart.slow", 1)) == first
        assert archive.has(template_path("cart.slow", 2))
    for copy in (store / "used_templates").glob("*/*/*.sql"):
        copy.unlink()
    with freeze(client, uid, tmp_path / "lost.zip") as archive:
        assert len(archive.manifest.missing) == 2
        assert archive.verify() == []


def test_two_versions_of_a_template_lie_side_by_side(tmp_path: Path) -> None:
    root = tmp_path / "store" / "templates"
    for version in (1, 2):
        header = HEADER.replace("version: 1", f"version: {version}")
        write_template(root / str(version), header=header, fixtures=None)
    library = TemplateLibrary(sorted(root.iterdir()))
    assert [library.get("cart.slow", version).version for version in (1, 2)] == [1, 2]
    assert library.problems() == []


def test_names_that_lead_elsewhere_are_not_unpacked(frozen: Frozen, tmp_path: Path) -> None:
    import zipfile

    evil = ["templates/1/../../../x.sql", "templates/1/a/../../../../y.sql", "slices/../z.parquet"]
    with Archive(frozen.path) as archive:
        said = json.loads(archive.read(ABOUT))
    said["files"] = {name: {"digest": "sha256:0", "bytes": 1} for name in evil}
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as target:
        target.writestr("bag/bagit.txt", "BagIt-Version: 1.0")
        target.writestr(f"bag/data/{ABOUT}", json.dumps(said))
        for name in evil:
            target.writestr(f"bag/data/{name}", "x")
    with Archive(tmp_path / "evil.zip") as archive:
        store = StoreFolder.create(tmp_path / "deep" / "er" / "store", sealed=True)
        fill_store(archive, store, pin=0)
    names = {path.name for path in tmp_path.rglob("*")}
    assert not names & {"x.sql", "y.sql", "z.parquet"}


def test_a_manifest_reads_back_as_it_was_written(frozen: Frozen) -> None:
    with Archive(frozen.path) as archive:
        manifest = archive.manifest
        assert Manifest.parse(json.loads(archive.read(ABOUT))) == manifest
        assert manifest.content() == archive.read(ABOUT)
