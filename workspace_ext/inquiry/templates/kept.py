"""Copies of the templates that were used: a recorded run always finds the text it ran."""

from __future__ import annotations

import logging
from pathlib import Path

from workspace_ext.foundation.canonical import digest_bytes
from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.inquiry.templates.header import parse
from workspace_ext.inquiry.templates.model import BadTemplate, Template
from workspace_ext.protocol.messages import TemplateRef
from workspace_ext.storage.files import write_whole

_log = logging.getLogger(__name__)


class KeptTemplates:
    """Each text once, under its digest; a file that is edited or gone takes nothing away.

    Args:
        folder: Where they lie; made with the first one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: set[str] = set()

    def keep(self, template: Template) -> None:
        """Keeps a template as it was read; what was edited since is not it any more."""
        if template.digest in self._known:
            return
        path = self._path(template.ref())
        try:
            if not path.exists():
                content = template.path.read_bytes()
                if digest_bytes(content) != template.digest:
                    return
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, content.decode(), mode=0o644, keep=True)
        except (OSError, InvestigationError):
            _log.exception("no copy of %s could be kept", template.id)  # the next use tries again
            return
        self._known.add(template.digest)

    def get(self, used: TemplateRef) -> Template | None:
        """The text with this digest; None when it was not kept, or is damaged."""
        return _read(self._path(used), used["digest"])

    def find(self, template_id: str, version: int) -> Template | None:
        """A version that was used once; None when none was, or several texts had this number."""
        area, _, name = template_id.partition(".")
        found = list(self._folder.glob(f"*/{area}/{name}@{version}.sql"))
        return _read(found[0], f"sha256:{found[0].parts[-3]}") if len(found) == 1 else None

    def _path(self, used: TemplateRef) -> Path:
        area, _, name = used["id"].partition(".")
        digest = used["digest"].partition(":")[2]
        return self._folder / digest / area / f"{name}@{used['version']}.sql"


def _read(path: Path, digest: str) -> Template | None:
    try:
        content = path.read_bytes()
        return parse(content, path) if digest_bytes(content) == digest else None
    except (OSError, BadTemplate):
        return None
