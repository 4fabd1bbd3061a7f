"""What a run showed, as one digest: the outputs that a saved notebook would hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
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


class Outputs:
    """Feed it a run's messages in order, each once; then ask for the `digest`.

    The digest is over the canonical JSON of the outputs as nbformat 4.5 lays them out, without
    counters and metadata; text of one stream is joined, however it came in pieces.
    """

    def __init__(self) -> None:
        self._shown: list[dict[str, Any]] = []
        self._named: dict[str, dict[str, Any]] = {}
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
        if kind == "stream":
            self._stream(str(content.get("name")), str(content.get("text", "")))
        elif kind == "clear_output":
            self._shown.clear()
        elif kind == "error":
            names = ("ename", "evalue", "traceback")
            self._shown.append({"output_type": kind, **{n: content.get(n) for n in names}})
        elif kind == "update_display_data":
            known = self._named.get(_display(content))
            if known is not None:
                known["data"] = content.get("data")
        else:
            output = {"output_type": kind, "data": content.get("data")}
            self._shown.append(output)
            if _display(content):
                self._named[_display(content)] = output

    def digest(self) -> str | None:
        """The digest; None when there was too much, or something that is no JSON."""
        if self.full:
            return None
        try:
            return digest_json(self._shown)
        except (BadInput, UnicodeEncodeError):
            return None

    def _stream(self, name: str, text: str) -> None:
        last = self._shown[-1] if self._shown else {}
        if last.get("output_type") == "stream" and last["name"] == name:
            last["text"] += text
        else:
            self._shown.append({"output_type": "stream", "name": name, "text": text})


def notebook_outputs(heard: Iterable[tuple[str, bytes]]) -> tuple[list[dict[str, Any]], int | None]:
    """What a notebook shows of a run: its outputs, whole, and its execution count.

    Args:
        heard: Type and JSON content of its iopub messages, in order; ``lost`` stands for some that
            were too much to be kept.
    """
    from nbformat.v4 import output_from_msg

    shown: list[dict[str, Any]] = []
    named: dict[str, list[dict[str, Any]]] = {}
    count, clears = None, False
    for came, raw in heard:
        kind, content = came, json.loads(raw)
        if kind == "clear_output":
            clears = bool(content.get("wait"))
            if not clears:
                shown.clear()
            continue
        if kind == "execute_input":
            count = content.get("execution_count")
            continue
        if kind == "update_display_data":
            for output in named.get(_display(content), ()):
                output.update(data=content.get("data"), metadata=content.get("metadata") or {})
            continue
        if clears:
            clears = False
            shown.clear()
        if came == "lost":
            if shown and shown[-1].get("text", "").endswith(_LOST):
                continue
            kind, content = "stream", {"name": "stderr", "text": _LOST}
        last = shown[-1] if shown else {}
        if kind == "stream" and last.get("name") == content["name"]:
            last["text"] += content["text"]
            continue
        message = {"header": {"msg_type": kind}, "content": content}
        output = dict(output_from_msg(message))  # type: ignore[no-untyped-call]
        shown.append(output)
        if _display(content):
            named.setdefault(_display(content), []).append(output)
    return shown, count


def _display(content: Mapping[str, Any]) -> str:
    transient = content.get("transient")
    return str(transient.get("display_id") or "") if isinstance(transient, Mapping) else ""
