"""The tap: sees every message between browsers and kernels, and records the runs in it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from workspace_ext.access.roles import Role
from workspace_ext.foundation.actor import Actor
from workspace_ext.inquiry.capture.runs import IOPUB_TYPES, RunRecorder, asks_to_run
from workspace_ext.protocol.messages import METADATA_KEY, EventIn
from workspace_ext.server.notebooks import Notebooks
from workspace_ext.server.view import View

_log = logging.getLogger(__name__)

KERNELSPEC = "investigation"
"""A notebook on this kernel is an investigation without anybody saying so."""

_SHELL_LIKE = ("shell", "control")


@dataclass
class _Kernel:
    """What is known of one kernel."""

    recorder: RunRecorder
    investigations: dict[str, str] = field(default_factory=dict)  # of each open run


class Kernels(Protocol):
    """Leads from a kernel to what it runs for."""

    def paths_of(self, kernel_id: str) -> list[str]:
        """Its notebooks."""
        ...


class Tap:
    """Lives on the server's event loop; every method is quick and waits for nobody.

    Args:
        sessions: Leads from a kernel to its notebooks.
        spec_of: Tells the name of a kernel's spec.
        notebooks: Knows which notebook is an investigation.
        record: Takes the events of an investigation.
        used: Told each time a kernel works for an investigation.
        ran: Told which cells of a notebook somebody runs.
    """

    def __init__(
        self,
        sessions: Kernels,
        spec_of: Callable[[str], str],
        notebooks: Notebooks,
        record: Callable[[str, Sequence[EventIn]], None],
        used: Callable[[str, str], None],
        ran: Callable[[str, Sequence[str], Actor], None],
    ) -> None:
        self._sessions = sessions
        self._spec_of = spec_of
        self._notebooks = notebooks
        self._record = record
        self._used = used
        self._ran = ran
        self._kernels: dict[str, _Kernel] = {}

    def unopened(self, kernel_id: str, cell_id: str) -> str | None:
        """The notebook whose investigation must be found or opened before a run may go on.

        None when nothing is to be done: it has one, or is an ordinary notebook.
        """
        path, view = self._notebook(kernel_id, cell_id)
        if path is None:
            return None
        if view is None:
            return path
        if self._notebooks.uid(path, view) is not None:
            return None
        return path if self.is_investigation(kernel_id, view) else None

    def path_of(self, kernel_id: str, cell_id: str) -> str | None:
        """The notebook that a cell on a kernel is in."""
        return self._notebook(kernel_id, cell_id)[0]

    def is_investigation(self, kernel_id: str, view: View) -> bool:
        """Whether a notebook is one without anybody saying so."""
        return KERNELSPEC in (self._spec_of(kernel_id), view.kernelspec)

    def incoming(
        self,
        kernel_id: str,
        channel: str,
        message: dict[str, Any],
        actor: Actor,
        role: Role | None = None,
    ) -> None:
        """A message on its way to a kernel: stamped in place, and recorded if it runs a cell.

        Args:
            kernel_id: The kernel.
            channel: The channel.
            message: Its ``header``, ``metadata`` and, of an execute_request, ``content``.
            actor: Who sent it.
            role: With which role.
        """
        metadata = message["metadata"]
        metadata.pop(METADATA_KEY, None)  # a browser sends the cell's own metadata along
        if channel not in _SHELL_LIKE:
            return
        cell_id = str(metadata.get("cellId") or "")
        path, view = self._notebook(kernel_id, cell_id)
        uid = None if path is None else self._notebooks.uid(path, view)
        if uid is None:
            return
        stamp = {"uid": uid, "user": actor.name}
        metadata[METADATA_KEY] = stamp
        if not asks_to_run(message):
            return
        run = message["header"]["msg_id"]
        stamp["cell"] = (view.cells.get(cell_id) if view else None) or cell_id or run
        kernel = self._kernels.setdefault(kernel_id, _Kernel(RunRecorder(kernel_id)))
        kernel.investigations[run] = uid
        self._used(uid, kernel_id)
        if path is not None:
            self._ran(path, [cell_id], actor)
        events = kernel.recorder.request(
            message, actor=actor, cell=stamp["cell"], channel=channel, role=role
        )
        self._hand_on(kernel, events)

    def outgoing(
        self, kernel_id: str, channel: str, parts: Sequence[Any], hearer: object = None
    ) -> None:
        """A message from a kernel, heard on any connection, once or more often.

        Args:
            kernel_id: The kernel.
            channel: The channel.
            parts: Header, parent header, metadata and content as they came.
            hearer: The connection; None is the server's own.
        """
        kernel = self._kernels.get(kernel_id)
        if kernel is None or not kernel.investigations or channel not in ("iopub", *_SHELL_LIKE):
            return
        try:
            header = json.loads(bytes(parts[0]))
            kind = header.get("msg_type")
            if kind not in IOPUB_TYPES and kind != "execute_reply":
                return
            parent = json.loads(bytes(parts[1]))
            run = parent.get("msg_id")
            if run not in kernel.investigations:
                return
            recorder, size = kernel.recorder, len(parts[3])
            if channel == "iopub" and not recorder.wants(header, run, size, hearer=hearer):
                return
            message = {
                "header": header,
                "parent_header": parent,
                "content": json.loads(bytes(parts[3])),
            }
            if channel == "iopub":
                events = recorder.iopub(message, hearer=hearer)
            else:
                events = recorder.reply(message)
            self._hand_on(kernel, events)
        except Exception:
            _log.exception("gap in the record: a message of kernel %s", kernel_id)

    def ended(self, kernel_id: str, reason: str) -> None:
        """A kernel was restarted or is gone; whatever it ran has ended."""
        kernel = self._kernels.pop(kernel_id, None)
        if kernel is not None:
            self._hand_on(kernel, kernel.recorder.ended(reason))

    def end_all(self, reason: str) -> None:
        """The server stops, and its kernels with it."""
        for kernel_id in tuple(self._kernels):
            self.ended(kernel_id, reason)

    def _notebook(self, kernel_id: str, cell_id: str) -> tuple[str | None, View | None]:
        """The notebook a message comes from; of several on one kernel, the one with the cell."""
        paths = self._sessions.paths_of(kernel_id)
        views = [(path, self._notebooks.view(path)) for path in paths]
        for path, view in views:
            if view is not None and cell_id in view.cells:
                return path, view
        return views[0] if views else (None, None)

    def _hand_on(self, kernel: _Kernel, events: Sequence[EventIn]) -> None:
        for event in events:
            run = event["subject"]
            uid = kernel.investigations.get(run)
            if event["type"] == "run.finished" and run not in kernel.recorder.open_runs:
                kernel.investigations.pop(run, None)
            if uid is not None:
                self._record(uid, [event])
