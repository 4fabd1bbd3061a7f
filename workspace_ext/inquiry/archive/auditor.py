#!/usr/bin/env python3
"""Checks an archive of an investigation. Needs Python 3.9 or newer, and nothing else.

It goes into each archive as ``verify.py``, and is what `jupyter investigation verify` runs::

    python verify.py                     the extracted folder that it lies in
    python verify.py ARCHIVE             a zip file or another extracted folder
    python verify.py ARCHIVE --key PUB   and its signature, by a key that you trust

What it checks: that the bag (RFC 8493) is whole, that the ledger is one unbroken chain (SHA-256
over canonical JSON), and that the chain's last entry names the content that lies here. Whoever
can write all of an archive can make a new one that is consistent in itself: only a signature, or
a digest noted elsewhere, tells that. Exit codes: 0 nothing was changed, 1 something was, 2 wrong
use.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

PAYLOAD = "data/"
DECLARATION = "bagit.txt"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
SIGNATURE = "signature.dsse.json"
ABOUT = PAYLOAD + "investigation.json"
LEDGER = PAYLOAD + "ledger.jsonl"
HEADER = (
    *("seq", "id", "type", "source", "subject", "time", "recorded_time", "investigation"),
    *("actor", "on_behalf_of", "rationale", "payload_digest", "prev"),
)
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError)

_BLOCK, _MOST_IN_MEMORY = 1 << 20, 1 << 30
_UNLISTED = {TAG_MANIFEST, SIGNATURE}


class NotABag(ValueError):
    """What was given is no bag."""


class NotAKey(ValueError):
    """What was given to check a signature with is no key for that."""


class Bag:
    """The files of a bag, in a folder or in a zip file with one folder at its top.

    Args:
        path: Where it is.

    Raises:
        NotABag: It is something else.
        OSError: It cannot be read.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._zip: zipfile.ZipFile | None = None
        self._files: dict[str, Path] = {}
        self._infos: dict[str, zipfile.ZipInfo] = {}
        self.twice: list[str] = []
        if self.path.is_dir():
            files = (each for each in self.path.rglob("*") if each.is_file() or each.is_symlink())
            self._files = {each.relative_to(self.path).as_posix(): each for each in files}
        else:
            try:
                self._zip = zipfile.ZipFile(self.path)
            except (zipfile.BadZipFile, ValueError, RuntimeError) as error:
                raise NotABag("no zip file") from error
            self._index(self._zip)
        if DECLARATION not in self.names:
            self.close()
            raise NotABag("a folder" if self._zip is None else "another zip file")

    @property
    def names(self) -> Iterable[str]:
        """The paths of all files, from the bag's own folder."""
        return self._infos.keys() if self._zip is not None else self._files.keys()

    def close(self) -> None:
        """Closes the zip file."""
        if self._zip is not None:
            self._zip.close()

    def size(self, name: str) -> int:
        """A file's size in bytes."""
        return self._infos[name].file_size if self._zip else self._files[name].stat().st_size

    def blocks(self, name: str) -> Iterator[bytes]:
        """A file's content, piece by piece.

        Raises:
            KeyError: There is no such file.
            OSError: And others of `UNREADABLE`: it cannot be unpacked.
        """
        if self._zip is None and self._files[name].is_symlink():
            raise OSError("a link that leads elsewhere")
        part: Any = self._zip.open(self._infos[name]) if self._zip else self._files[name].open("rb")
        with part:
            while block := part.read(_BLOCK):
                yield block

    def read(self, name: str) -> bytes:
        """A file's whole content; raises as `blocks` does, and OSError when it is too large."""
        if self.size(name) > _MOST_IN_MEMORY:
            raise OSError("too large")
        return b"".join(self.blocks(name))

    def _index(self, opened: zipfile.ZipFile) -> None:
        infos = [info for info in opened.infolist() if not info.filename.endswith("/")]
        tops = {info.filename.partition("/")[0] for info in infos}
        top = tops.pop() + "/" if len(tops) == 1 else ""
        names = [info.filename[len(top) :] for info in infos]
        self._infos = dict(zip(names, infos))  # noqa: B905 - Python 3.9
        self.twice = [name for name, times in Counter(names).items() if times > 1]


def damaged_files(bag: Bag) -> dict[str, str]:
    """What is wrong with the files, by name: against both manifests; empty when nothing is."""
    wrong = dict.fromkeys(bag.twice, "is there more than once")
    expected: dict[str, str] = {}
    for manifest in (MANIFEST, TAG_MANIFEST):
        try:
            listed = _listed(bag.read(manifest).decode())
        except KeyError:
            wrong[manifest] = "is missing"
        except (ValueError, *UNREADABLE):
            wrong[manifest] = "cannot be read"
        else:
            expected.update(listed)
            astray = [name for name in listed if name.startswith(PAYLOAD) != (manifest == MANIFEST)]
            wrong.update(dict.fromkeys(astray, "is listed in the wrong manifest"))
    for name, digest in expected.items():
        found = _digest_of(bag, name)
        if name not in bag.names:
            wrong[name] = "is missing"
        elif found is None:
            wrong[name] = "cannot be unpacked"
        elif found != digest:
            wrong[name] = "was changed: its digest is not the one in the manifest"
    for name in bag.names:
        if name not in expected and name not in _UNLISTED:
            wrong[name] = "is in no manifest"
    return wrong


def content_problems(bag: Bag) -> list[str]:
    """What is wrong with the ledger, and with what it says was frozen; empty when nothing is."""
    try:
        about_bytes = bag.read(ABOUT)
        about = json.loads(about_bytes)
        said = {path: part["digest"] for path, part in about["files"].items()}
        redacted = dict(about["redacted"]["entries"])
        stream = about["investigation"]
    except KeyError:
        return [f"{ABOUT} is missing, or says too little"]
    except (ValueError, TypeError, AttributeError, *UNREADABLE):
        return [f"{ABOUT} cannot be understood"]
    entries, wrong = _entries(bag)
    if wrong:
        return wrong
    problems = chain_problems(entries, stream, redacted)
    last: Mapping[str, Any] = entries[-1] if entries else {}
    if last.get("type") != "archive.created":
        problems.append(f"{LEDGER} does not end with the making of this archive: its tail was cut")
    elif (last.get("data") or {}).get("digest") != _digest(about_bytes):
        problems.append(f"{ABOUT} says something else than the ledger says was frozen")
    problems += [f"{PAYLOAD}{path} is not what was frozen" for path in other_content(bag, said)]
    return problems


def other_content(bag: Bag, frozen: Mapping[str, str]) -> list[str]:
    """The parts of which the bag's manifest says something else than the ledger's entry.

    Args:
        bag: The bag; whether its files are as its manifest says is for `damaged_files`.
        frozen: The digests of the parts, by path in the payload.
    """
    try:
        listed = _listed(bag.read(MANIFEST).decode())
    except (KeyError, ValueError, *UNREADABLE):
        return []
    return [path for path, digest in frozen.items() if listed.get(PAYLOAD + path) != digest[7:]]


def chain_problems(
    entries: Iterable[Mapping[str, Any]], stream: str, redacted: Mapping[str, Any]
) -> list[str]:
    """What is wrong with a chain of entries.

    An entry that was redacted keeps its place and its hash. Its payload cannot be held against
    the digest that the hash covers any more; it is held against the digest that was noted
    when it was redacted.
    """
    problems: list[str] = []
    seq, prev = 0, _digest(f"investigation-ledger:1:{stream}".encode())
    for entry in entries:
        told = redacted.get(str(entry.get("seq")))
        wrong = _links(entry, seq, prev)
        header = {name: entry.get(name) for name in HEADER}
        if told is not None and told["digest"] != _digest(_canonical(entry)):
            wrong.append("is not what the redaction left of it")
        if not (told and told["header"]) and _digest(_canonical(header)) != entry.get("hash"):
            wrong.append("the header was changed")
        data = entry.get("data")
        changed = data is not None and _digest(_canonical(data)) != entry.get("payload_digest")
        if changed and told is None:
            wrong.append("the payload was changed")
        found = entry.get("seq")
        at = found if isinstance(found, int) else seq + 1
        problems += [f"{LEDGER}: entry {at} {what}" for what in wrong]
        seq, prev = at, str(entry.get("hash"))
    return problems


def signature(bag: Bag, key: bytes | None = None) -> tuple[str, bool | None]:
    """What can be said of the signature.

    Args:
        bag: The bag.
        key: The public key of who should have signed it, as PEM or OpenSSH; None: not known.

    Returns:
        What to tell, and whether that is good: None where it is not known.

    Raises:
        NotAKey: Nor can a key be used (ImportError) without the package cryptography.
    """
    trusted = None if key is None else _public_key(key)
    if SIGNATURE not in bag.names:
        return ("not signed", None) if key is None else ("not signed, but a key was given", False)
    try:
        envelope = json.loads(bag.read(SIGNATURE))
        payload = base64.b64decode(envelope["payload"])
        statement = json.loads(payload)
        kind, signatures = envelope["payloadType"], envelope["signatures"]
        subjects = {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}
        own = statement["predicate"]["publicKey"]
        signed = base64.b64decode(signatures[0]["sig"])
        fits = (kind, statement["_type"], len(signatures)) == (PAYLOAD_TYPE, STATEMENT_TYPE, 1)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, *UNREADABLE):
        return f"{SIGNATURE} cannot be understood", False
    if not fits or subjects != manifest_digests(bag):
        return "the signature is of something else", False
    return _by_key(signed, before_signing(kind, payload), own, trusted)


def manifest_digests(bag: Bag) -> dict[str, str | None]:
    """The digests of both manifests; None of one that cannot be read."""
    return {name: _digest_of(bag, name) for name in (MANIFEST, TAG_MANIFEST)}


def before_signing(kind: str, payload: bytes) -> bytes:
    """The bytes that a DSSE signature is over: its pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


def main(arguments: list[str] | None = None) -> int:
    """Says what it found; the exit code is 0, 1 or 2."""
    parser = argparse.ArgumentParser(description="Checks an archive of an investigation.")
    parser.add_argument("archive", nargs="?", default=str(Path(__file__).resolve().parent))
    parser.add_argument("--key", help="the public key of who should have signed it")
    given = parser.parse_args(arguments)
    say = sys.stdout.write
    try:
        key = Path(given.key).read_bytes() if given.key else None
        bag = Bag(given.archive)
        told, good = signature(bag, key)
    except (NotABag, NotAKey, ImportError, OSError) as error:
        sys.stderr.write(f"{given.key if isinstance(error, NotAKey) else given.archive}: {error}\n")
        return 2
    files = damaged_files(bag)
    problems = [f"{name} {what}" for name, what in sorted(files.items())] + content_problems(bag)
    entries, _ = _entries(bag)
    head = f"{str(entries[-1].get('hash', ''))[:19]}..." if entries else "none"
    say(f"{given.archive}\n")
    say(f"  files      {len(list(bag.names))}, {len(files)} of them wrong\n")
    say(f"  ledger     {len(entries)} entries, head {head}\n")
    say(f"  signature  {told}\n")
    for problem in problems:
        say(f"  changed:   {problem}\n")
    whole = not problems and good is not False
    say("nothing was changed\n" if whole else "CHANGED\n")
    return 0 if whole else 1


def _listed(text: str) -> dict[str, str]:
    """The digests of a manifest, by name."""
    listed: dict[str, str] = {}
    for line in text.splitlines():
        digest, _, name = line.partition(" ")
        name = name.strip().replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
        if len(digest) != 64 or not name or name in listed:
            raise ValueError("not a line of a manifest")
        listed[name] = digest.lower()
    return listed


def _entries(bag: Bag) -> tuple[list[dict[str, Any]], list[str]]:
    """The entries of the ledger, and what is wrong with their lines."""
    entries: list[dict[str, Any]] = []
    wrong: list[str] = []
    try:
        lines = bag.read(LEDGER).splitlines()
    except KeyError:
        return [], [f"{LEDGER} is missing"]
    except UNREADABLE:
        return [], [f"{LEDGER} cannot be unpacked"]
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
        except ValueError:
            wrong.append(f"{LEDGER} line {number} is not JSON")
            continue
        if isinstance(entry, dict):
            entries.append(entry)
        else:
            wrong.append(f"{LEDGER} line {number} is no entry")
    return entries, wrong


def _links(entry: Mapping[str, Any], seq: int, prev: str) -> list[str]:
    found = entry.get("seq")
    if found == seq + 1:
        if entry.get("prev") == prev:
            return []
        return [f"does not follow entry {seq}" if seq else "is not the first of this ledger"]
    if isinstance(found, int) and found > seq + 1:
        return [f"follows a gap: entries {seq + 1} to {found - 1} are missing"]
    return [f"is out of order: it stands after entry {seq}"]


def _canonical(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _digest_of(bag: Bag, name: str) -> str | None:
    digest = hashlib.sha256()
    try:
        for block in bag.blocks(name):
            digest.update(block)
    except (KeyError, *UNREADABLE):
        return None
    return digest.hexdigest()


def _public_key(given: bytes) -> tuple[Any, str]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    is_ssh = given.lstrip().startswith(b"ssh-")
    load = forms.load_ssh_public_key if is_ssh else forms.load_pem_public_key
    try:
        key: Any = Ed25519PublicKey.from_public_bytes(given) if len(given) == 32 else load(given)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NotAKey("no public key, as PEM or OpenSSH") from error
    if not isinstance(key, Ed25519PublicKey):
        raise NotAKey("a public key of another kind than Ed25519")
    digest = hashlib.sha256(key.public_bytes(forms.Encoding.Raw, forms.PublicFormat.Raw))
    return key, "SHA256:" + digest.hexdigest()[:16]


def _by_key(signed: bytes, message: bytes, own: str, trusted: Any) -> tuple[str, bool | None]:
    try:
        from cryptography.exceptions import InvalidSignature

        key, name = trusted or _public_key(base64.b64decode(own))
        key.verify(signed, message)
    except ImportError:
        return "not checked: needs cryptography", None
    except InvalidSignature:
        return "wrong: not of this content, or by another key", False
    except (ValueError, TypeError):
        return f"{SIGNATURE} names no key", False
    if trusted is None:
        return f"good, by the key {name}; whose that is, --key tells", True
    return f"good, by the key given ({name})", True


if __name__ == "__main__":
    sys.exit(main())
