"""Which templates and scripts somebody looked through; what is not is marked where it is used."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import BadInput, Denied
from workspace_ext.foundation.ids import stable_id
from workspace_ext.inquiry.archive.container import SCRIPT
from workspace_ext.inquiry.templates.library import TemplateLibrary
from workspace_ext.inquiry.templates.model import Template
from workspace_ext.ledger.model import Event
from workspace_ext.ledger.service import STORE_STREAM, Ledger
from workspace_ext.protocol.messages import QuerySummary, Step
from workspace_ext.protocol.reviews import ScriptUse, TemplateUse
from workspace_ext.protocol.validation import validate

RELEASE = "release"
"""Who reviewed what ships with the product."""

_REVIEWED, _SCRIPT_REVIEWED = "template.reviewed", "script.reviewed"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_KINDS = (_REVIEWED, _SCRIPT_REVIEWED)
_DIGITS = len("sha256:") + 8


class TemplateReviews:
    """Knows templates and scripts by the digest of their text: one that is edited is another one.

    Args:
        ledger: Where reviews are kept, in the store's stream.
        library: The templates there are.
        release: The folder of those that ship with the product.
        sealed: Whether the store is a replay's, which was judged when it was captured: nothing
            is marked there.
    """

    def __init__(
        self, ledger: Ledger, library: TemplateLibrary, release: Path, *, sealed: bool = False
    ) -> None:
        self._ledger = ledger
        self._library = library
        self._release = release
        self._sealed = sealed
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, str]] | None = None

    def warnings(self, template: Template) -> list[str]:
        """What goes with an answer of a template: nothing when it was looked through."""
        if self._sealed or self._release in template.path.parents or self._by(template.digest):
            return []
        at = template.digest[:_DIGITS]
        return [f"template {template.id} v{template.version} is not reviewed (digest {at})"]

    def review(
        self, template_id: str, by: Actor, *, version: int | None = None, reason: str = ""
    ) -> TemplateUse:
        """Says that somebody looked through a template as it is now.

        Args:
            template_id: The template.
            by: Who did, as the server knows them.
            version: Which of its versions; the newest when None.
            reason: What they say about it.

        Raises:
            NotFound: There is no such template or version.
            BadTemplate: Its file has problems.
            Denied: It is nobody in particular.
        """
        _require_person(by)
        template = self._library.get(template_id, version)
        self._record(_REVIEWED, template_id, dict(template.ref()), by, reason)
        return self._use(template.id, template.version, template.digest, [])

    def review_script(self, name: str, digest: str, by: Actor, *, reason: str = "") -> ScriptUse:
        """Says that somebody looked through a script of this content.

        Args:
            name: The file's name.
            digest: Of its content.
            by: Who did, as the server knows them.
            reason: What they say about it.

        Raises:
            BadInput: It is no Python file, or the digest is none.
            Denied: It is nobody in particular.
        """
        _require_person(by)
        if not name.endswith(SCRIPT) or not _DIGEST.fullmatch(digest):
            raise BadInput(
                f"{name!r} with {digest[:20]!r} is no script",
                hint="give the name of a Python file, and sha256: with the digest of its content",
                code="no_script",
            )
        self._record(_SCRIPT_REVIEWED, name, {"name": name, "digest": digest}, by, reason)
        return self._script(name, digest, [])

    def scripts(self, steps: Iterable[Step]) -> list[ScriptUse]:
        """The scripts that some runs used, each content once, with who reviewed it."""
        used: dict[tuple[str, str], list[str]] = {}
        for step in steps:
            for file in step["files"]:
                if file["name"].endswith(SCRIPT):
                    used.setdefault((file["name"], file["digest"]), []).append(step["cell"])
        return [self._script(*key, list(dict.fromkeys(of))) for key, of in sorted(used.items())]

    def used(self, queries: Iterable[QuerySummary]) -> list[TemplateUse]:
        """The templates that some queries used, each text once, with who reviewed it."""
        asked: dict[tuple[str, int, str], list[str]] = {}
        for query in queries:
            ref = query["template"]
            if ref is not None:
                key = (ref["id"], ref["version"], ref["digest"])
                asked.setdefault(key, []).append(query["id"])
        return [self._use(*key, of) for key, of in sorted(asked.items())]

    def _record(self, kind: str, what: str, data: dict[str, Any], by: Actor, reason: str) -> None:
        validate("events", data, definition=kind)
        key = stable_id(kind, data["digest"], str(by))  # once by each person
        event = Event(kind, data, by, key, what, rationale=reason.strip())
        entry = self._ledger.append(STORE_STREAM, event)
        with self._lock:
            if self._known is not None:
                self._known.setdefault(data["digest"], (entry["actor"], entry["time"]))

    def _script(self, name: str, digest: str, cells: list[str]) -> ScriptUse:
        by, at = self._by(digest) or (None, None)
        return {"name": name, "digest": digest, "by": by, "at": at, "cells": cells}

    def _use(self, name: str, version: int, digest: str, queries: list[str]) -> TemplateUse:
        by, at = self._by(digest) or (RELEASE if self._ships(name, version, digest) else None, None)
        return {
            "id": name,
            "version": version,
            "digest": digest,
            "by": by,
            "at": at,
            "queries": queries,
        }

    def _ships(self, name: str, version: int, digest: str) -> bool:
        found = self._library.find(name, version)
        return found is not None and found.digest == digest and self._release in found.path.parents

    def _by(self, digest: str) -> tuple[str, str] | None:
        with self._lock:
            if self._known is None:
                self._known = {}
                for entry in self._ledger.entries(STORE_STREAM, types=_KINDS):
                    said = (entry["actor"], entry["time"])
                    self._known.setdefault((entry.get("data") or {}).get("digest", ""), said)
            return self._known.get(digest)


def _require_person(by: Actor) -> None:
    if by.kind != "user" or by.name == "unknown":
        raise Denied(f"{by} is no person", hint="a review is the word of a named person")
