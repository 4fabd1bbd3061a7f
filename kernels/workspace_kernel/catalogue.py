"""What can be asked: the templates, remembered for a moment so that completion is quick."""

from __future__ import annotations

import time
from typing import Any

from workspace_ext.protocol.templates import TemplateInfo
from workspace_kernel.connection import Connection

FRESH_SECONDS = 30.0


class Catalogue:
    """The broker's templates and services, as completion and help want them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._kept: dict[str, tuple[float, Any]] = {}

    def templates(self) -> list[TemplateInfo]:
        """All templates, described, in the order of their ids."""
        found = self._remember("templates", self._connection.client.templates)
        return sorted(found, key=lambda template: str(template["id"]))

    def template(self, template_id: str) -> TemplateInfo:
        """One template; an unknown one is the broker's error, with the closest names."""
        return self._connection.client.template(template_id)

    def services(self) -> list[str]:
        """The names of the services in the data."""
        return list(self._remember("catalog", self._connection.client.catalog)["services"])

    def _remember(self, name: str, ask: Any) -> Any:
        at, value = self._kept.get(name, (0.0, None))
        if value is None or time.monotonic() - at > FRESH_SECONDS:
            value = ask()
            self._kept[name] = (time.monotonic(), value)
        return value
