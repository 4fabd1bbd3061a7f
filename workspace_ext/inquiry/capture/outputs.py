"""What a run showed, as one digest: the outputs that a saved notebook would hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from workspace_ext.foundation.canonical import digest_json
from workspace_ext.foundation.errors import BadInput

MOST_CHARACTERS = 4_000_000
"""Outputs beyond this are not digested: it would hold up whoever carries the messages."""

_LOST = "[more outputs than the server keeps for a browser that has gone]\n"

TYPES = frozenset(
    {
        "stream",
        "display_data",
        "execute_result",
        "error",
        "update_display_data",
        "clear_output",
    }
)
"""The iopub messages that change what a cell shows."""


Make = Callable[[str, Mapping[str, Any]], dict[str, Any]]
"""Makes an output of a message's type and content."""


class _Shown:
    """What a cell shows: feed it a run's messages, in order.

    Args:
        make: Makes the outputs.
    """

    def __init__(self, make: Make) -> None:
        self._make = make
        self.outputs: list[dict[str, Any]] = []
        self._named: dict[str, list[dict[str, Any]]] = {}
        self._clears = False  # as soon as something else is shown

    def feed(self, kind: str, content: Mapping[str, Any]) -> None:
        """Takes a message of one of `TYPES`."""
        if kind == "clear_output":
            self._clears = bool(content.get("wait"))
            if not self._clears:
                self.outputs.clear()
            return
        if kind == "update_display_data":
            for output in self._named.get(_display(content), ()):
                new = {"data": content.get("data"), "metadata": content.get("metadata") or {}}
                output.update({name: new[name] for name in new if name in output})
            return
        if self._clears:
            self._clears = False
            self.outputs.clear()
        last = self.outputs[-1] if self.outputs else {}
        if kind == "stream" and last.get("name") == str(content.get("name")):
            last["text"] += str(content.get("text", ""))
            return
        output = self._make(kind, content)
        self.outputs.append(output)
        if _display(content):
            self._named.setdefault(_display(content), []).append(output)


class Outputs:
    """Feed it a run's messages in order, each once; then ask for the `digest`.

    The digest is over the canonical JSON of the outputs as nbformat 4.5 lays them out, without
    counters and metadata; text of one stream is joined, however it came in pieces.
    """

    def __init__(self) -> None:
        self._shown = _Shown(_plain)
        self._seen: set[str] = set()
        self._characters = 0

    @property
    def full(self) -> bool:
        """Whether there is too much: nothing more needs to be read."""
        return self._characters > MOST_CHARACTERS

    def is_new(self, message_id: str, size: int) -> bool:
        """Whether a message was not heard before; counts its size, in bytes."""
        if message_id in self._seen:
            return False
        self._seen.add(message_id)
        self._characters += size
        return True

    def feed(self, kind: str, content: Mapping[str, Any]) -> None:
        """Takes a message of one of `TYPES`."""
        self._shown.feed(kind, content)

    def digest(self) -> str | None:
        """The digest; None when there was too much, or something that is no JSON."""
        if self.full:
            return None
        try:
            return digest_json(self._shown.outputs)
        except (BadInput, UnicodeEncodeError):
            return None


def notebook_outputs(heard: Iterable[tuple[str, bytes]]) -> tuple[list[dict[str, Any]], int | None]:
    """What a notebook shows of a run: its outputs, whole, and its execution count.

    Args:
        heard: Type and JSON content of its iopub messages, in order; ``lost`` stands for some that
            were too much to be kept.
    """
    shown, count = _Shown(_of_notebook), None
    for kind, raw in heard:
        content = json.loads(raw)
        if kind == "execute_input":
            count = content.get("execution_count")
        elif kind != "lost":
            shown.feed(kind, content)
        elif not (shown.outputs and shown.outputs[-1].get("text", "").endswith(_LOST)):
            shown.feed("stream", {"name": "stderr", "text": _LOST})
    return shown.outputs, count


def _plain(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """An output without what is other each time."""
    said: dict[str, Any]
    if kind == "stream":
        said = {"name": str(content.get("name")), "text": str(content.get("text", ""))}
    else:
        names = ("ename", "evalue", "traceback") if kind == "error" else ("data",)
        said = {name: content.get(name) for name in names}
    return {"output_type": kind, **said}


def _of_notebook(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    from nbformat.v4 import output_from_msg

    message = {"header": {"msg_type": kind}, "content": content}
    return dict(output_from_msg(message))  # type: ignore[no-untyped-call]


def _display(content: Mapping[str, Any]) -> str:
    transient = content.get("transient")
    return str(transient.get("display_id") or "") if isinstance(transient, Mapping) else ""
