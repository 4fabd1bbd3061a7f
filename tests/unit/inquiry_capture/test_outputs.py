"""What a notebook shows of a run, from its messages."""

from __future__ import annotations

import json
from typing import Any

from workspace_ext.inquiry.capture.outputs import Outputs, notebook_outputs


def heard(*messages: tuple[str, dict[str, Any]]) -> Any:
    return [(kind, json.dumps(content).encode()) for kind, content in messages]


def stream(text: str, name: str = "stdout") -> tuple[str, dict[str, Any]]:
    return "stream", {"name": name, "text": text}


def display(text: str, key: str, kind: str = "display_data") -> tuple[str, dict[str, Any]]:
    data = {"text/plain": text}
    return kind, {"data": data, "metadata": {}, "transient": {"display_id": key}}


def test_text_is_joined_by_stream_and_the_count_is_known() -> None:
    outputs, count = notebook_outputs(
        heard(
            ("execute_input", {"execution_count": 7}),
            stream("a"),
            stream("b"),
            stream("c", "stderr"),
        )
    )
    assert [(one["name"], one["text"]) for one in outputs] == [("stdout", "ab"), ("stderr", "c")]
    assert count == 7


def test_what_is_cleared_or_shown_anew_is_so() -> None:
    now, waits = ("clear_output", {"wait": False}), ("clear_output", {"wait": True})
    assert notebook_outputs(heard(stream("a"), now))[0] == []
    assert notebook_outputs(heard(stream("a"), waits))[0][0]["text"] == "a"
    assert notebook_outputs(heard(stream("a"), waits, stream("b")))[0][0]["text"] == "b"
    (output,) = notebook_outputs(
        heard(display("old", "k"), display("new", "k", "update_display_data"))
    )[0]
    assert output["data"] == {"text/plain": "new"}


def digest(*messages: tuple[str, dict[str, Any]]) -> str | None:
    outputs = Outputs()
    for kind, content in messages:
        outputs.feed(kind, content)
    return outputs.digest()


def test_the_digest_is_of_what_the_notebook_shows() -> None:
    waits = ("clear_output", {"wait": True})
    assert digest(stream("a"), waits) == digest(stream("a"))
    assert digest(stream("a"), waits, stream("b")) == digest(stream("b"))
    old, new = display("old", "k"), display("new", "k")
    assert digest(old, old, display("new", "k", "update_display_data")) == digest(new, new)


def test_what_was_too_much_is_said_once() -> None:
    outputs, _ = notebook_outputs([*heard(stream("a")), ("lost", b"{}"), ("lost", b"{}")])
    assert [one["name"] for one in outputs] == ["stdout", "stderr"]
    assert outputs[1]["text"].count("more outputs") == 1
