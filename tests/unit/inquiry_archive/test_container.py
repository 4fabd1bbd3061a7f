"""The file: what is changed in it is found and named, of every kind of file in it."""

import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.archive import Parts, rebagged, rewritten
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.canonical import digest_bytes
from workspace_ext.foundation.errors import BadInput, Conflict, Damaged, NotFound
from workspace_ext.inquiry.archive.auditor import PAYLOAD as DATA
from workspace_ext.inquiry.archive.container import (
    ABOUT,
    LEDGER,
    NOTEBOOK,
    ArchiveWriter,
    Manifest,
    result_path,
    slice_path,
    template_path,
)
from workspace_ext.inquiry.archive.reader import Archive
from workspace_ext.ledger.model import Event, genesis, seal

UID = "u1"
SLICE = DATA + slice_path("spans")
FROZEN = (NOTEBOOK, slice_path("spans"), result_path("q1"), template_path("a.b", 1))
Change = Callable[[Parts], None]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "a.zip"
    with path.open("wb") as target:
        writer = ArchiveWriter(target, UID)
        for name in FROZEN:
            writer.add(name, f"content of {name}".encode())
        manifest = Manifest(UID, "t", 1, files=dict(writer.files))
        writer.add(ABOUT, manifest.content())
        lines, prev = [], genesis(UID)
        for seq, (kind, data) in enumerate(
            [
                ("investigation.opened", {"title": "t"}),
                ("note.added", {"text": "seen"}),
                ("archive.created", {"digest": digest_bytes(manifest.content())}),
            ],
            start=1,
        ):
            event = Event(kind, data, Actor("user", "ada"), id=f"e{seq}", investigation=UID)
            entry, _ = seal(event, seq=seq, prev=prev, recorded_time="2026-01-01T00:00:00Z")
            prev = entry["hash"]
            lines.append(json.dumps(entry))
        writer.add(LEDGER, "\n".join(lines).encode())
        writer.finish({"External-Identifier": UID})
    return path


def changed(path: Path, change: Change) -> Path:
    return rewritten(path, path.with_name("changed.zip"), change)


def in_a_whole_bag(path: Path, change: Change) -> Path:
    return rebagged(path, path.with_name("changed.zip"), change)


def problems(path: Path) -> list[str]:
    with Archive(path) as opened:
        return opened.verify()


def ledger_of(parts: Parts) -> list[bytes]:
    return parts[DATA + LEDGER].splitlines()


def test_an_untouched_archive_has_no_problem(archive: Path) -> None:
    assert problems(archive) == []
    with zipfile.ZipFile(archive) as zipped:
        assert {name.partition("/")[0] for name in zipped.namelist()} == {"investigation-u1"}


@pytest.mark.parametrize(
    "name",
    [
        *(DATA + name for name in (*FROZEN, ABOUT, LEDGER)),
        *("bag-info.txt", "bagit.txt", "verify.py", "manifest-sha256.txt"),
    ],
)
def test_a_change_in_any_file_is_found_and_named(archive: Path, name: str) -> None:
    def change(parts: Parts) -> None:
        parts[name] = parts[name].replace(b"t", b"T", 1)

    assert any(text.startswith(name) for text in problems(changed(archive, change)))


@pytest.mark.parametrize("name", FROZEN)
def test_a_change_hidden_from_the_bag_is_found_by_the_ledger(archive: Path, name: str) -> None:
    def change(parts: Parts) -> None:
        parts[DATA + name] = b"other"

    assert problems(in_a_whole_bag(archive, change)) == [f"{DATA}{name} is not what was frozen"]


def test_a_missing_and_an_added_file_are_named(archive: Path) -> None:
    def change(parts: Parts) -> None:
        parts[DATA + "slices/logs.parquet"] = parts.pop(SLICE)
        parts["more.txt"] = b"more"

    found = {text.split()[0] for text in problems(changed(archive, change))}
    assert found == {SLICE, DATA + "slices/logs.parquet", "more.txt"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda lines: [lines[0], lines[1].replace(b"seen", b"done"), lines[2]], "payload"),
        (lambda lines: [lines[0], lines[1].replace(b"user:ada", b"user:eve"), lines[2]], "header"),
        (lambda lines: [lines[0], lines[2]], "entries 2 to 2 are missing"),
        (lambda lines: [lines[1], lines[0], lines[2]], "out of order"),
        (lambda lines: lines[:2], "tail was cut"),
        (lambda lines: [*lines, lines[2]], "out of order"),
        (lambda _lines: [], "tail was cut"),
    ],
)
def test_a_tampered_ledger_is_found_in_a_whole_bag(
    archive: Path, change: Callable[[list[bytes]], list[bytes]], told: str
) -> None:
    def tamper(parts: Parts) -> None:
        parts[DATA + LEDGER] = b"\n".join(change(ledger_of(parts)))

    assert any(told in text for text in problems(in_a_whole_bag(archive, tamper)))


def test_a_payload_may_be_gone_but_not_another(archive: Path) -> None:
    def redact(parts: Parts) -> None:
        lines = [json.loads(line) for line in ledger_of(parts)]
        lines[1]["data"] = None
        parts[DATA + LEDGER] = "\n".join(map(json.dumps, lines)).encode()

    assert problems(in_a_whole_bag(archive, redact)) == []


def test_bytes_depend_on_the_content_alone(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with (tmp_path / name).open("wb") as target:
            writer = ArchiveWriter(target, UID)
            writer.add("a", b"content")
            writer.finish({})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def audited(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs a bag's own script where nothing is installed."""
    command = [sys.executable, "-I", "-S", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_script_in_the_bag_needs_nothing_of_ours(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(tmp_path / "out")
    (bag,) = (tmp_path / "out").iterdir()
    script = bag / "verify.py"
    for done in (audited(script), audited(script, archive)):
        assert done.returncode == 0, done.stdout + done.stderr
        assert "nothing was changed" in done.stdout
        assert "3 entries" in done.stdout
        assert "not signed" in done.stdout
    (bag / "data" / NOTEBOOK).write_text("other")
    done = audited(script)
    assert done.returncode == 1
    assert f"changed:   {DATA}{NOTEBOOK} was changed" in done.stdout
    assert audited(script, archive).returncode == 0
    for wrong in (tmp_path / "none.zip", script, tmp_path):
        assert audited(script, wrong).returncode == 2
    with Archive(bag) as opened:
        assert opened.damaged_parts() == {
            NOTEBOOK: "was changed: its digest is not the one in the manifest"
        }


def test_a_link_in_an_extracted_bag_is_not_followed(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(tmp_path / "out")
    (bag,) = (tmp_path / "out").iterdir()
    content = (bag / SLICE).read_bytes()
    (tmp_path / "elsewhere").write_bytes(content)
    (bag / SLICE).unlink()
    (bag / SLICE).symlink_to(tmp_path / "elsewhere")
    assert problems(bag) == [f"{SLICE} cannot be unpacked"]


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
        Archive(changed(archive, lambda parts: parts.update({DATA + ABOUT: b"{"})))


def test_a_newer_archive_is_not_guessed_at(archive: Path) -> None:
    def change(parts: Parts) -> None:
        about = json.loads(parts[DATA + ABOUT])
        parts[DATA + ABOUT] = json.dumps({**about, "version": 99}).encode()

    with pytest.raises(Conflict, match="newer"):
        Archive(changed(archive, change))


def test_what_was_frozen_cannot_be_told_otherwise(archive: Path) -> None:
    def change(parts: Parts) -> None:
        about = json.loads(parts[DATA + ABOUT])
        parts[DATA + ABOUT] = json.dumps({**about, "pin": 7}).encode()

    assert problems(in_a_whole_bag(archive, change)) == [
        f"{DATA}{ABOUT} says something else than the ledger says was frozen"
    ]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"format": "other", "version": 1}, BadInput),
        ([], BadInput),
        ({"format": "investigation-archive", "version": 1}, Damaged),
        ({"format": "investigation-archive", "version": 1, "redacted": {}, "files": 3}, Damaged),
    ],
)
def test_a_bag_of_something_else_is_told_apart(
    archive: Path, content: object, error: type[Exception]
) -> None:
    said = json.dumps(content).encode()
    with pytest.raises(error):
        Archive(changed(archive, lambda parts: parts.update({DATA + ABOUT: said})))


@pytest.mark.parametrize("line", [b"5", b"{", b"[]"])
def test_a_ledger_line_that_is_no_entry_is_named(archive: Path, line: bytes) -> None:
    found = problems(changed(archive, lambda parts: parts.update({DATA + LEDGER: line})))
    assert any(LEDGER in text and "line 1" in text for text in found)


def test_bytes_flipped_inside_the_zip_are_found(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        info = next(info for info in opened.infolist() if info.filename.endswith(SLICE))
    content = bytearray(archive.read_bytes())
    lengths = content[info.header_offset + 26 : info.header_offset + 30]
    content[info.header_offset + 30 + sum(struct.unpack("<HH", lengths))] ^= 0xFF
    archive.write_bytes(bytes(content))
    assert any(text.startswith(SLICE) for text in problems(archive))


def test_a_file_that_is_there_twice_is_named(archive: Path) -> None:
    with zipfile.ZipFile(archive, "a") as opened, pytest.warns(UserWarning, match="Duplicate"):
        opened.writestr(f"investigation-u1/{SLICE}", f"content of {FROZEN[1]}")
    assert problems(archive) == [f"{SLICE} is there more than once"]


def test_a_part_that_claims_to_be_huge_is_not_unpacked(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workspace_ext.inquiry.archive.auditor._MOST_IN_MEMORY", 10)
    with pytest.raises(Damaged, match="too large"):
        Archive(archive)


def test_a_folder_of_something_else_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is a folder"):
        Archive(tmp_path)
