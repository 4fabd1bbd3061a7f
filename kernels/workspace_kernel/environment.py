"""What this kernel runs with, told once to each investigation whose cells it runs."""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from workspace_ext.foundation.ids import stable_id
from workspace_ext.protocol.events import event
from workspace_kernel.connection import Connection
from workspace_kernel.context import Here

_log = logging.getLogger(__name__)


class Described:
    """Tells it after the first captured cell, in a thread, which the kernel's end waits for.

    Args:
        connection: The line to the broker.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._told: set[str] = set()

    def after_cell(self, _result: Any = None) -> None:
        """Called when a cell has run."""
        here = self._connection.here()
        # Only where somebody captures, and has told this kernel of a broker: none is started.
        if here.ref is None or here.investigation in self._told:
            return
        if os.environ.get("INVESTIGATION_BROKER"):
            self._told.add(here.investigation)
            threading.Thread(target=self._tell, args=(here,), name="environment").start()

    def _tell(self, here: Here) -> None:
        from workspace_ext.foundation.canonical import canonical_json, digest_text
        from workspace_ext.foundation.environment import describe_environment, lock_file

        try:
            told = {**describe_environment(), "lock": lock_file()}
            text = canonical_json(told).decode()
            digest = digest_text(text)
            data = {"environment": digest, "run": here.run, "cell": here.cell}
            described = event(
                "kernel.described",
                here.investigation,
                data,
                event_id=stable_id("kernel.described", here.run),
                attached={digest: text},
            )
            self._connection.client.report(here.investigation, [described])
        except Exception:  # whatever is odd about an environment, the cells go on
            _log.warning("what this kernel runs with could not be told", exc_info=True)
