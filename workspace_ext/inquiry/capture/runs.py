"""From a kernel's messages to events: which cell ran, for whom, and how it ended.

A run is named by the ``msg_id`` of its ``execute_request``. What is known of it comes on three
ways that race each other: the request as it was forwarded, the kernel's iopub channel, and the
``execute_reply``. Any of them may be missing (nobody listens for replies once the browser has
gone; iopub of the first tenth of a second of a kernel's life is lost), and each may come twice.
A listener on iopub that joins in the midst of a run, or lags behind another, would make a run look
as if it showed less: so of each run only those are believed who heard it begin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from workspace_ext.access.roles import Role
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.canonical import digest_text
from workspace_ext.foundation.clock import Clock, now_ns, to_rfc3339
from workspace_ext.foundation.ids import stable_id
from workspace_ext.inquiry.capture.outputs import TYPES, Outputs
from workspace_ext.protocol.events import event
from workspace_ext.protocol.messages import EventIn

Message = Mapping[str, Any]
"""A Jupyter message: ``header``, ``parent_header``, ``metadata`` and ``content``."""

Status = Literal["ok", "error", "aborted", "unknown"]

IOPUB_TYPES = frozenset({"status", "execute_input", "error"}) | TYPES
"""The iopub messages that say something about a run; no other needs to be parsed."""

ERROR_LENGTH = 300
"""How much of an error's text is recorded, in characters."""

_REPLY_STATUS: dict[str, Status] = {"ok": "ok", "error": "error", "aborted": "aborted"}
_REPLY_STATUS["abort"] = "aborted"  # kernels of protocol 5.0


def asks_to_run(message: Message) -> bool:
    """Whether a message asks to run code for the user, in whatever kernel.

    Silent requests and those that leave no history are the front end's own housekeeping.
    """
    header, content = _part(message, "header"), _part(message, "content")
    return (
        header.get("msg_type") == "execute_request"
        and isinstance(header.get("msg_id"), str)
        and bool(header["msg_id"])
        and not content.get("silent")
        and content.get("store_history", True) is not False
    )


@dataclass
class _Run:
    """One request that has not ended."""

    id: str
    cell: str
    actor: Actor
    lane: tuple[str, str]
    source: str
    role: Role | None = None
    started: bool = False
    hearers: set[object] = field(default_factory=set)  # on iopub, who heard it begin
    idle: bool = False  # said one who did not
    shown: bool = False  # execute_input came: the kernel really took it up
    error: str | None = None
    begun_ns: int = 0
    replied: tuple[Status, str | None] | None = None
    outputs: Outputs = field(default_factory=Outputs)


class RunRecorder:
    """Reads one kernel's messages and returns the events that each of them settles.

    Not thread-safe: one recorder belongs to one event loop or thread.

    Args:
        kernel: The kernel's id, recorded with each run.
        clock: Tells the time of the events; a kernel's own clock is never believed.
    """

    def __init__(self, kernel: str, *, clock: Clock = now_ns) -> None:
        self._kernel = kernel
        self._clock = clock
        self._runs: dict[str, _Run] = {}
        self._hears = False  # something came from iopub: then idle will, too

    @property
    def open_runs(self) -> tuple[str, ...]:
        """The runs asked for and not ended, oldest first."""
        return tuple(self._runs)

    def request(
        self,
        message: Message,
        *,
        actor: Actor,
        cell: str,
        channel: str = "shell",
        role: Role | None = None,
    ) -> list[EventIn]:
        """A message as it is forwarded to the kernel.

        Args:
            message: Any message; only what `asks_to_run` is recorded, on whatever channel.
            actor: Who asked, as authenticated.
            cell: The uid of the cell.
            channel: The channel it is sent on; ``control`` does not wait for ``shell``.
            role: With which role they asked, where that is known.
        """
        if not asks_to_run(message):
            return []
        header, content = _part(message, "header"), _part(message, "content")
        run = str(header["msg_id"])
        events = self._settle(run, "unknown", "its id was used again")
        self._runs[run] = asked = _Run(
            id=run,
            cell=_valid(cell),
            actor=actor,
            lane=(channel, str(header.get("subshell_id") or "")),
            source=_valid(str(content.get("code", ""))),
            role=role,
        )
        if not any(other.lane == asked.lane for other in self._runs.values() if other is not asked):
            events += self._start(asked)
        return events

    def wants(
        self, header: Mapping[str, Any], run: object, size: int, *, hearer: object = None
    ) -> bool:
        """Whether a message from iopub is worth reading; one heard on two ways is so once.

        Args:
            header: The message's.
            run: The request that it belongs to.
            size: How long its content is.
            hearer: Which listener on the channel heard it.
        """
        self._hears = True
        found = self._runs.get(str(run))
        kind = header.get("msg_type")
        if found is None or kind not in IOPUB_TYPES:
            return False
        if kind in ("status", "execute_input"):
            return True
        if hearer not in found.hearers:
            return False
        if kind not in TYPES:
            return True
        new = found.outputs.is_new(str(header.get("msg_id")), size)
        return new and (kind == "error" or not found.outputs.full)

    def iopub(self, message: Message, *, hearer: object = None) -> list[EventIn]:
        """A message from the kernel's iopub channel, if the recorder `wants` it."""
        run = self._of(message)
        if run is None:
            return []
        kind, content = _part(message, "header").get("msg_type"), _part(message, "content")
        if kind == "status":
            return self._status(run, content.get("execution_state"), hearer)
        if kind == "execute_input":
            run.shown = True
            run.hearers.add(hearer)
            return self._start(run)
        if kind == "error":
            run.error = _error_text(content)
        if kind in TYPES:
            run.outputs.feed(str(kind), content)
        return []

    def reply(self, message: Message) -> list[EventIn]:
        """A message from the shell or control channel, as the kernel answers a request."""
        run = self._of(message)
        if run is None or _part(message, "header").get("msg_type") != "execute_reply":
            return []
        content = _part(message, "content")
        status = _REPLY_STATUS.get(str(content.get("status")), "unknown")
        error = (run.error or _error_text(content)) if status == "error" else None
        run.replied = status, error
        # The reply may overtake what comes from iopub; idle comes behind all of that, and where it
        # was missed, the next run ends this one.
        waits = run.shown or (self._hears and not run.idle)
        return [] if waits else self._finish(run.id, status, error)

    def ended(self, reason: str) -> list[EventIn]:
        """The kernel is gone or restarted: whatever was running or waiting has ended with it.

        Args:
            reason: What happened to the kernel, recorded as the runs' error.
        """
        return [event for run in self.open_runs for event in self._settle(run, "aborted", reason)]

    def _status(self, run: _Run, state: object, hearer: object) -> list[EventIn]:
        if state == "busy":
            run.hearers.add(hearer)
            return self._overtaken(run) + self._start(run)
        return self._idle(run, hearer) if state == "idle" else []

    def _idle(self, run: _Run, hearer: object) -> list[EventIn]:
        if hearer not in run.hearers:
            # The beginning was missed, and only the reply can tell how it ended; unless another
            # has heard it all, and lags behind.
            run.idle = not run.hearers
            return self._finish(run.id, *run.replied) if run.idle and run.replied else []
        if run.replied is not None:
            return self._finish(run.id, *run.replied, whole=True)
        if run.error is not None:
            return self._finish(run.id, "error", run.error, whole=True)
        if run.shown:
            return self._finish(run.id, "ok", whole=True)
        # Busy and idle with nothing between: the kernel skipped it after an earlier error.
        return self._finish(run.id, "aborted")

    def _of(self, message: Message) -> _Run | None:
        return self._runs.get(str(_part(message, "parent_header").get("msg_id")))

    def _overtaken(self, run: _Run) -> list[EventIn]:
        """Ends those before it in its lane that were answered and whose idle was missed."""
        before = []
        for other in self._runs.values():
            if other is run:
                break
            if other.lane == run.lane and other.replied is not None:
                before.append(other.id)
        return [event for each in before for event in self._settle(each, "unknown")]

    def _settle(self, run_id: str, status: Status, error: str | None = None) -> list[EventIn]:
        """Ends a run as the kernel answered it, or else as given."""
        run = self._runs.get(run_id)
        replied = run.replied if run is not None else None
        return self._finish(run_id, *(replied or (status, error)))

    def _start(self, run: _Run) -> list[EventIn]:
        if run.started:
            return []
        run.started, run.begun_ns = True, self._clock()
        digest = digest_text(run.source)
        data = {
            "run": run.id,
            "cell": run.cell,
            "source_digest": digest,
            "kernel": self._kernel,
        }
        started = self._event("run.started", run, data, run.begun_ns)
        started["attached"] = {digest: run.source}
        if run.role is not None:
            started["role"] = run.role
        return [started]

    def _finish(
        self, run_id: str, status: Status, error: str | None = None, *, whole: bool = False
    ) -> list[EventIn]:
        """Ends a run; ``whole`` says that all its outputs were heard."""
        run = self._runs.pop(run_id, None)
        if run is None:
            return []
        events = self._start(run)
        now = self._clock()
        data = {
            "run": run.id,
            "status": status,
            "error": error,
            "duration_ms": max(0, (now - run.begun_ns) // 1_000_000),
            "outputs_digest": run.outputs.digest() if whole else None,
        }
        events.append(self._event("run.finished", run, data, now))
        following = next((other for other in self._runs.values() if other.lane == run.lane), None)
        return events if following is None else events + self._start(following)

    def _event(self, kind: str, run: _Run, data: dict[str, Any], time_ns: int) -> EventIn:
        event_id = _end_id(run.id) if kind == "run.finished" else ""
        told = event(kind, run.id, data, event_id=event_id, actor=str(run.actor))
        return {**told, "time": to_rfc3339(time_ns)}


def cut_short(started: EventIn) -> EventIn:
    """The end of a run whose server was gone before it: how it ended, nobody knows.

    Args:
        started: Its ``run.started``.
    """
    run = started["subject"]
    data = {"run": run, "status": "unknown", "error": "the server was gone before it ended"}
    return event("run.finished", run, data, event_id=_end_id(run))


def _end_id(run: str) -> str:
    """Of a run's only end, also where two tell of it."""
    return stable_id("run.finished", run)


def _part(message: Message, name: str) -> Mapping[str, Any]:
    part = message.get(name) if isinstance(message, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _error_text(content: Mapping[str, Any]) -> str:
    return _valid(f"{content.get('ename', 'Error')}: {content.get('evalue', '')}"[:ERROR_LENGTH])


def _valid(text: str) -> str:
    """Text that can be written: JSON may carry halves of characters."""
    return text.encode(errors="replace").decode()
