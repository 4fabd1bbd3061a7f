"""Archives on their way out."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from workspace_ext.broker import tracing
from workspace_ext.broker.handlers import BaseHandler
from workspace_ext.broker.ingesting import tell_incident
from workspace_ext.foundation.actor import Actor
from workspace_ext.inquiry.archive.freeze import Wishes
from workspace_ext.inquiry.archive.slices import Cap
from workspace_ext.protocol.validation import validate
from workspace_ext.storage.failures import explain

_BLOCK_BYTES = 1 << 20


class ArchiveHandler(BaseHandler):
    """POST /v1/investigations/UID/archive?actor=: a notebook and wishes; the answer is a zip."""

    async def post(self, uid: str) -> None:
        """Freezes the investigation into a file, then sends it."""
        self.allow("investigation.archive")
        body = await self.runtime.call(self.json)
        validate("messages", body, definition="ArchiveRequest")
        asked = body.get("wishes") or {}
        cap = Cap(asked.get("max_slice_rows"), asked.get("max_slice_mb"))
        wishes = Wishes(cap, asked.get("redact") or {})
        actor = Actor.parse(self.arguments().get("actor", str(self.principal.actor)))
        with (
            self.runtime.presence.request(),
            tempfile.TemporaryDirectory(dir=self.runtime.services.folder.spill) as folder,
        ):
            path = Path(folder) / "archive.zip"
            await self.runtime.call(self._freeze, uid, body["notebook"], actor, path, wishes)
            self.set_header("Content-Type", "application/zip")
            self.set_header("Content-Length", str(path.stat().st_size))
            with path.open("rb") as file:
                while block := file.read(_BLOCK_BYTES):
                    self.write(block)
                    await self.flush()

    def _freeze(
        self, uid: str, notebook: dict[str, Any], actor: Actor, path: Path, wishes: Wishes
    ) -> None:
        try:
            with path.open("wb") as target, tracing.span("archive", investigation=uid):
                self.runtime.services.archives.freeze(uid, notebook, actor, target, wishes)
            tell_incident(self.runtime.services, uid)
        except OSError as error:
            raise explain(error, path) from error
