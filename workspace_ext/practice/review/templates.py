"""Which query templates somebody looked through; whatever is not is marked where it is used."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import Denied
from workspace_ext.foundation.ids import stable_id
from workspace_ext.inquiry.templates.library import TemplateLibrary
from workspace_ext.inquiry.templates.model import Template
from workspace_ext.ledger.model import Event
from workspace_ext.ledger.service import STORE_STREAM, Ledger
from workspace_ext.protocol.messages import QuerySummary
from workspace_ext.protocol.reviews import TemplateUse
from workspace_ext.protocol.validation import validate

RELEASE = "release"
"""Who reviewed what ships with the product."""

_REVIEWED = "template.reviewed"
_DIGITS = len("sha256:") + 8


class TemplateReviews:
    """Knows templates by the digest of their text: one that is edited is another one.

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
        if by.kind != "user" or by.name == "unknown":
            raise Denied(f"{by} is no person", hint="a review is the word of a named person")
        template = self._library.get(template_id, version)
        data = dict(template.ref())
        validate("events", data, definition=_REVIEWED)
        key = stable_id(_REVIEWED, template.digest, str(by))  # once by each person
        event = Event(_REVIEWED, data, by, key, template_id, rationale=reason.strip())
        entry = self._ledger.append(STORE_STREAM, event)
        with self._lock:
            if self._known is not None:
                self._known.setdefault(template.digest, (entry["actor"], entry["time"]))
        return self._use(template.id, template.version, template.digest, [])

    def used(self, queries: Iterable[QuerySummary]) -> list[TemplateUse]:
        """The templates that some queries used, each text once, with who reviewed it."""
        asked: dict[tuple[str, int, str], list[str]] = {}
        for query in queries:
            ref = query["template"]
            if ref is not None:
                key = (ref["id"], ref["version"], ref["digest"])
                asked.setdefault(key, []).append(query["id"])
        return [self._use(*key, of) for key, of in sorted(asked.items())]

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
                for entry in self._ledger.entries(STORE_STREAM, types=[_REVIEWED]):
                    said = (entry["actor"], entry["time"])
                    self._known.setdefault((entry.get("data") or {}).get("digest", ""), said)
            return self._known.get(digest)
