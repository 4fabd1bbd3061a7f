"""The file: what is changed in it is found and named."""

import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import BadInput, Conflict, Damaged, NotFound
from workspace_ext.inquiry.archive.container import (
    LEDGER,
    MANIFEST,
    NOTEBOOK,
    ArchiveWriter,
    Manifest,
    slice_path,
)
from workspace_ext.inquiry.archive.reader import Archive
from workspace_ext.ledger.model import Event, genesis, seal

UID = "u1"
SLICE = slice_path("spans")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "a.zip"
    with path.open("wb") as target:
        writer = ArchiveWriter(target)
        writer.add_json(NOTEBOOK, {"cells": []})
        writer.add(SLICE, b"rows")
        manifest = Manifest(UID, "t", 1, "2026-01-01T00:00:00Z", files=writer.files)
        lines, prev = [], genesis(UID)
        for seq, (kind, data) in enumerate(
            [
                ("investigation.opened", {"title": "t"}),
                ("note.added", {"text": "seen"}),
                ("archive.created", {"digest": manifest.digest()}),
            ],
            start=1,
        ):
            event = Event(kind, data, Actor("user", "ada"), id=f"e{seq}", investigation=UID)
            entry, _ = seal(event, seq=seq, prev=prev, recorded_time="2026-01-01T00:00:00Z")
            prev = entry["hash"]
            lines.append(json.dumps(entry))
        writer.add(LEDGER, "\n".join(lines).encode())
        writer.finish(replace(manifest, head=prev, seq=3))
    return path


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    change(parts)
    target = path.with_name("changed.zip")
    with zipfile.ZipFile(target, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)
    return target


def problems(path: Path) -> list[str]:
    with Archive(path) as opened:
        return opened.verify()


def test_an_untouched_archive_has_no_problem(archive: Path) -> None:
    assert problems(archive) == []


def test_a_tampered_slice_is_named(archive: Path) -> None:
    found = problems(rewritten(archive, lambda parts: parts.update({SLICE: b"other"})))
    assert len(found) == 1
    assert found[0].startswith(SLICE)


def test_a_missing_and_an_added_part_are_named(archive: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        parts["slices/logs.parquet"] = parts.pop(SLICE)

    assert {text.split()[0] for text in problems(rewritten(archive, change))} == {
        SLICE,
        "slices/logs.parquet",
    }


def test_a_tampered_ledger_entry_is_named(archive: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        parts[LEDGER] = parts[LEDGER].replace(b"seen", b"done")

    found = problems(rewritten(archive, change))
    assert any("entry 2" in text and "payload" in text for text in found)


def test_a_slice_changed_together_with_the_manifest_is_found_by_the_ledger(archive: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        import hashlib

        manifest = json.loads(parts[MANIFEST])
        parts[SLICE] = b"other"
        digest = hashlib.sha256(b"other").hexdigest()
        manifest["files"][SLICE] = {"digest": f"sha256:{digest}", "bytes": 5}
        parts[MANIFEST] = json.dumps(manifest).encode()

    assert any("ledger" in text for text in problems(rewritten(archive, change)))


def test_a_cut_tail_is_found_by_the_head(archive: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        import hashlib

        parts[LEDGER] = b"\n".join(parts[LEDGER].splitlines()[:2])
        manifest = json.loads(parts[MANIFEST])
        digest = hashlib.sha256(parts[LEDGER]).hexdigest()
        manifest["files"][LEDGER] = {"digest": f"sha256:{digest}", "bytes": len(parts[LEDGER])}
        parts[MANIFEST] = json.dumps(manifest).encode()

    assert any("cut" in text for text in problems(rewritten(archive, change)))


def test_bytes_depend_on_the_content_alone(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with (tmp_path / name).open("wb") as target:
            writer = ArchiveWriter(target)
            writer.add("a", b"content")
            writer.finish(Manifest(UID, "t", 1, "2026-01-01T00:00:00Z"))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_what_is_no_archive_is_told_apart(tmp_path: Path, archive: Path) -> None:
    with pytest.raises(NotFound):
        Archive(tmp_path / "absent.zip")
    text = tmp_path / "text.zip"
    text.write_text("hello")
    with pytest.raises(BadInput, match="no zip file"):
        Archive(text)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("a", "b")
    with pytest.raises(BadInput, match="another zip file"):
        Archive(tmp_path / "other.zip")
    with pytest.raises(Damaged):
        Archive(rewritten(archive, lambda parts: parts.update({MANIFEST: b"{"})))


def test_a_newer_archive_is_not_guessed_at(archive: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        parts[MANIFEST] = json.dumps({**json.loads(parts[MANIFEST]), "version": 99}).encode()

    with pytest.raises(Conflict, match="newer"):
        Archive(rewritten(archive, change))


def test_a_manifest_that_says_something_else_is_found(archive: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        parts[MANIFEST] = json.dumps({**json.loads(parts[MANIFEST]), "pin": 7}).encode()

    assert problems(rewritten(archive, change)) == [
        f"{MANIFEST} says something else than the ledger says was frozen"
    ]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"format": "other", "version": 1}, BadInput),
        ([], BadInput),
        ({"format": "investigation-archive", "version": 1}, Damaged),
        ({"format": "investigation-archive", "version": 1, "files": 3}, Damaged),
    ],
)
def test_a_manifest_of_something_else_is_told_apart(
    archive: Path, content: object, error: type[Exception]
) -> None:
    changed = rewritten(archive, lambda p: p.update({MANIFEST: json.dumps(content).encode()}))
    with pytest.raises(error):
        Archive(changed)


@pytest.mark.parametrize("line", [b"5", b"{", b"[]"])
def test_a_ledger_line_that_is_no_entry_is_named(archive: Path, line: bytes) -> None:
    found = problems(rewritten(archive, lambda parts: parts.update({LEDGER: line})))
    assert any(LEDGER in text and "line 1" in text for text in found)


def test_bytes_flipped_inside_the_zip_are_found(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        info = opened.getinfo(SLICE)
    content = bytearray(archive.read_bytes())
    lengths = content[info.header_offset + 26 : info.header_offset + 30]
    content[info.header_offset + 30 + sum(struct.unpack("<HH", lengths))] ^= 0xFF
    archive.write_bytes(bytes(content))
    assert any(text.startswith(SLICE) for text in problems(archive))


def test_a_part_that_is_there_twice_is_named(archive: Path) -> None:
    with zipfile.ZipFile(archive, "a") as opened, pytest.warns(UserWarning, match="Duplicate"):
        opened.writestr(SLICE, b"rows")
    assert problems(archive) == [f"{SLICE} is there 2 times"]


def test_a_part_that_claims_to_be_huge_is_not_unpacked(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workspace_ext.inquiry.archive.reader._MOST_IN_MEMORY", 10)
    with pytest.raises(Damaged, match="too large"):
        Archive(archive)


def test_a_folder_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is a folder"):
        Archive(tmp_path)
