"""archive, replay, verify: what they say, and with which exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from nbformat.v4 import new_notebook

from tests.support.archive import Frozen, Parts, forged, rewritten
from tests.support.command_line import COMMAND_LINE, Command
from tests.support.validators import bag_problems, extracted
from tests.support.waiting import COMMAND_SECONDS, files_named, until
from workspace_ext.client.discovery import BROKER_FILE
from workspace_ext.inquiry.archive import auditor

SLICE = "data/slices/spans.parquet"
FOREVER = "import time\nopen('begun', 'w').close()\ntime.sleep(600)"


def tampered(frozen: Frozen, folder: Path) -> Path:
    return rewritten(
        frozen.path, folder / "tampered.zip", lambda parts: parts.update({SLICE: b"other rows"})
    )


def test_archive_then_verify_then_replay_elsewhere(
    frozen: Frozen, command: Command, tmp_path: Path
) -> None:
    target = tmp_path / "mine.zip"
    done = command("archive", frozen.notebook, "--store", frozen.store, "-o", target, "--json")
    assert done.code == 0
    assert done.json["bytes"] == target.stat().st_size
    assert not any(done.json[name] for name in ("missing", "capped", "signed"))
    assert done.json["redacted"]["rules"] == {}
    assert not (frozen.store / BROKER_FILE).exists()

    done = command("verify", target)
    assert done.code == 0
    assert "nothing was changed" in done.out

    reports = tmp_path / "report"
    done = command("replay", target, "--report", reports, "--json")
    assert done.code == 0, done.err
    assert done.json["verdict"] == "same"
    assert json.loads((reports / "report.json").read_text("utf-8")) == done.json
    assert r"# ✓ Replay of The cart \| is \*slow\*: same" in (reports / "report.md").read_text(
        "utf-8"
    )
    page = (reports / "report.html").read_text("utf-8")
    assert "The cart | is *slow*" in page
    assert "No connections left in the cart" in page
    assert "http" not in page, "a report loads nothing from anywhere"


def test_an_archive_alone_gives_the_post_mortem_of_its_store(
    frozen: Frozen, command: Command, tmp_path: Path
) -> None:
    of_store, of_archive = tmp_path / "store.md", tmp_path / "archive.md"
    done = command("export", frozen.notebook, "--store", frozen.store, "-o", of_store)
    assert done.code == 0, done
    done = command("export", frozen.path, "--store", tmp_path / "none", "-o", of_archive, "--json")
    assert done.code == 0, done
    text = of_archive.read_text("utf-8")
    assert done.json == {"file": str(of_archive), "characters": len(text)}
    assert "No connections left in the cart" in text
    no_events = "No alerts, deploys or other events were recorded in the window."
    of_archive_only = "The archive has no events: no query read one in the window."
    unnumbered = re.sub(r" \d+ \((`\w+`)\)", r" \1", text)  # no version of it is in that store
    assert unnumbered == of_store.read_text("utf-8").replace(no_events, of_archive_only)

    def refused(source: Path) -> str:
        done = command("export", source, "-o", tmp_path / "refused.md")
        assert done.code in (1, 2), done
        assert not (tmp_path / "refused.md").exists()
        return done.err

    assert SLICE in refused(tampered(frozen, tmp_path))
    assert "not an archive" in refused(tmp_path)
    assert "there is no file" in refused(tmp_path / "gone.zip")


def test_a_cap_is_told_by_archive_and_by_replay(
    frozen: Frozen, command: Command, tmp_path: Path
) -> None:
    target = tmp_path / "capped.zip"
    asked = ("archive", frozen.notebook, "--store", frozen.store, "-o", target)
    done = command(*asked, "--max-slice-rows", "150", "--redact-report")
    assert done.code == 0
    assert "Nothing was taken out." in done.out
    assert "slices/spans.parquet has 150 of 210 rows, up to 2024-05-01T10:05:00Z" in done.err
    assert "slices/logs.parquet has 150 of 210" in done.err
    done = command("replay", target, "--json")
    assert done.code == 1
    cells = {cell["uid"]: cell for cell in done.json["cells"]}
    assert cells["later"]["verdict"] == "data missing"
    assert cells["later"]["reason"].endswith("slice of spans: 150 of 210 rows were taken")
    assert cells["wrong"]["verdict"] == "same"
    done = command(*asked, "--max-slice-rows", "-1")
    assert done.code == 2


def test_a_signed_archive_tells_by_whom(frozen: Frozen, command: Command, tmp_path: Path) -> None:
    keys = {}
    for name in ("mine", "other"):
        private = Ed25519PrivateKey.generate()
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / f"{name}.pem").write_bytes(pem)
        public = private.public_key()
        (tmp_path / f"{name}.pub").write_bytes(
            public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        (tmp_path / f"{name}.ssh").write_bytes(
            public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        )
        keys[name] = tmp_path / f"{name}.pem"
    asked = ("archive", frozen.notebook, "--store", frozen.store, "-o")
    paths = [tmp_path / "one.zip", tmp_path / "two.zip"]
    for path in paths:
        assert command(*asked, path, "--sign", keys["mine"], "--json").json["signed"]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert bag_problems(extracted(paths[0], tmp_path / "bag")) == ""
    assert "whose that is, --key tells" in command("verify", paths[0]).out
    for name in ("mine.pub", "mine.ssh"):
        done = command("verify", paths[0], "--key", tmp_path / name)
        assert (done.code, "good, by the key given" in done.out) == (0, True)
    done = command("verify", paths[0], "--key", tmp_path / "other.pub")
    assert (done.code, "by another key" in done.out) == (1, True)
    assert command("verify", frozen.path, "--key", tmp_path / "mine.pub").code == 1
    changed = rewritten(paths[0], tmp_path / "c.zip", lambda parts: parts.update({SLICE: b"x"}))
    assert command("verify", changed, "--key", tmp_path / "mine.pub").code == 1
    whole = forged(paths[0], tmp_path / "f.zip", lambda parts: parts.update({SLICE: b"x"}))
    done = command("verify", whole, "--json")
    assert done.json["problems"] == ["signature: the signature is of something else"]


def test_what_is_no_key_is_told(frozen: Frozen, command: Command, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no key")
    target = tmp_path / "a.zip"
    asked = ("archive", frozen.notebook, "--store", frozen.store, "-o", target)
    done = command(*asked, "--sign", wrong)
    assert done.code == 2
    assert "openssl genpkey" in done.err
    assert not target.exists()
    assert command(*asked, "--redact", wrong).code == 2
    assert not target.exists()
    empty = tmp_path / "empty.pub"
    empty.touch()
    for key in (wrong, empty):  # nothing was changed, and nobody may believe it was
        done = command("verify", frozen.path, "--key", key)
        assert (done.code, done.out) == (2, "")
        assert "no public key" in done.err
        assert "openssl pkey" in done.err
        audited = subprocess.run(
            [sys.executable, auditor.__file__, frozen.path, "--key", key],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (audited.returncode, audited.stdout) == (2, "")
        assert str(key) in audited.stderr


def test_a_key_without_an_archive_is_not_taken_for_a_check_of_it(
    command: Command, store: Path, tmp_path: Path
) -> None:
    key = tmp_path / "key.pub"
    key.touch()
    done = command("verify", "--store", store, "--key", key)
    assert (done.code, done.out) == (2, "")
    assert "verify ARCHIVE --key" in done.err


def test_a_tampered_slice_is_named_by_verify_and_by_replay(
    frozen: Frozen, command: Command, tmp_path: Path
) -> None:
    path = tampered(frozen, tmp_path)
    done = command("verify", path, "--json")
    assert done.code == 1
    assert not done.json["ok"]
    assert [text.split()[0] for text in done.json["problems"]] == [SLICE]
    done = command("replay", path)
    assert done.code == 1
    assert SLICE in done.err
    assert "--despite-damage" in done.err
    assert "Traceback" not in done.err


def test_a_tampered_ledger_entry_is_named(frozen: Frozen, command: Command, tmp_path: Path) -> None:
    def change(parts: Parts) -> None:
        lines = parts["data/ledger.jsonl"].splitlines()
        lines[3] = lines[3].replace(b"user:alice", b"user:mallory")
        parts["data/ledger.jsonl"] = b"\n".join(lines) + b"\n"

    path = rewritten(frozen.path, tmp_path / "tampered.zip", change)
    done = command("verify", path)
    assert done.code == 1
    assert "entry 4 the header was changed" in done.out
    done = command("replay", path)
    assert done.code == 1
    assert "entry 4 the header was changed" in done.err


@pytest.mark.parametrize("name", ["verify", "replay"])
def test_what_is_no_archive_is_one_line_and_a_hint(
    command: Command, tmp_path: Path, name: str
) -> None:
    text = tmp_path / "text.zip"
    text.write_text("hello")
    for path, said in ((text, "no zip file"), (tmp_path / "none", "no file"), (tmp_path, "folder")):
        done = command(name, path)
        assert done.code == 2
        assert said in done.err
        lines = done.err.splitlines()
        assert [line.split(":")[0] for line in lines] == ["Error", "Hint"]


def test_a_notebook_that_is_no_investigation_is_not_archived(
    command: Command, tmp_path: Path
) -> None:
    plain = tmp_path / "plain.ipynb"
    nbformat.write(new_notebook(), plain)  # type: ignore[no-untyped-call]
    done = command("archive", plain, "--store", tmp_path / "none")
    assert done.code == 2
    assert "is not an investigation" in done.err
    done = command("archive", tmp_path / "none.ipynb", "--store", tmp_path / "none")
    assert done.code == 2
    assert "no notebook" in done.err
    assert list(tmp_path.iterdir()) == [plain]


def test_an_investigation_of_another_store_is_not_archived(
    frozen: Frozen, command: Command, store: Path, tmp_path: Path
) -> None:
    target = tmp_path / "a.zip"
    done = command("archive", frozen.notebook, "--store", store, "-o", target)
    assert done.code == 2
    assert frozen.uid in done.err
    assert not target.exists()
    done = command("archive", frozen.notebook, "--store", tmp_path / "none", "-o", target)
    assert done.code == 2
    assert "no store" in done.err


def test_a_place_that_cannot_be_written_is_told(
    frozen: Frozen, command: Command, tmp_path: Path
) -> None:
    target = tmp_path / "missing" / "a.zip"
    done = command("archive", frozen.notebook, "--store", frozen.store, "-o", target)
    assert done.code == 3
    assert f"cannot write {target}" in done.err
    taken = tmp_path / "taken"
    taken.write_text("a file")
    done = command("replay", frozen.path, "--report", taken / "report")
    assert done.code == 3
    assert "--report" in done.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_replay_leaves_no_process_and_no_folder(
    frozen: Frozen, tmp_path: Path, number: signal.Signals
) -> None:
    def endless(parts: Parts) -> None:
        notebook = json.loads(parts["data/notebook.ipynb"])
        notebook["cells"][1]["source"] = FOREVER
        parts["data/notebook.ipynb"] = json.dumps(notebook).encode()

    path = forged(frozen.path, tmp_path / "endless.zip", endless)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        [*COMMAND_LINE, "replay", str(path)],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        begun = until(
            lambda: process.poll() is not None or files_named("begun", temporary),
            "the replay runs the notebook",
            120,
        )
        assert begun is not True, process.communicate()
        process.send_signal(number)
        out, err = process.communicate(timeout=COMMAND_SECONDS)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    assert list(temporary.glob("replay-*")) == []
    assert [line for line in _command_lines() if str(temporary) in line] == []


def _command_lines() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found
