"""The recorder, fed with messages as kernels send them, in every order they may come."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.canonical import digest_json, digest_text
from workspace_ext.inquiry.capture.runs import ERROR_LENGTH, RunRecorder
from workspace_ext.protocol.messages import EventIn

ALICE = Actor("user", "alice")
BOB = Actor("user", "bob")


def message(kind: str, parent: str = "", **content: Any) -> dict[str, Any]:
    return {
        "header": {"msg_id": f"m-{kind}-{parent}", "msg_type": kind},
        "parent_header": {"msg_id": parent} if parent else {},
        "metadata": {},
        "content": content,
    }


def execute(run: str, code: str = "1 + 1", **content: Any) -> dict[str, Any]:
    request = message("execute_request", code=code, **content)
    request["header"]["msg_id"] = run
    return request


def status(run: str, state: str) -> dict[str, Any]:
    return message("status", run, execution_state=state)


def shown(run: str) -> dict[str, Any]:
    return message("execute_input", run, code="1 + 1")


def reply(run: str, state: str = "ok", **content: Any) -> dict[str, Any]:
    return message("execute_reply", run, status=state, **content)


def brief(events: list[EventIn]) -> list[tuple[str, str, str | None]]:
    return [(e["type"], e["subject"], e["data"].get("status")) for e in events]


@pytest.fixture
def recorder() -> RunRecorder:
    ticks = count(1_700_000_000_000_000_000, 1_000_000_000)
    return RunRecorder("k1", clock=lambda: next(ticks))


def test_a_run_is_started_as_it_is_asked_for_and_finished_once(recorder: RunRecorder) -> None:
    started = recorder.request(execute("r1", "print(1)"), actor=ALICE, cell="c1")
    rest = [
        recorder.iopub(status("r1", "busy")),
        recorder.iopub(shown("r1")),
        recorder.iopub(status("r1", "idle")),
        recorder.reply(reply("r1")),
        recorder.iopub(status("r1", "idle")),
    ]

    assert started[0]["data"] == {
        "run": "r1",
        "cell": "c1",
        "source_digest": digest_text("print(1)"),
        "kernel": "k1",
    }
    assert (started[0]["actor"], started[0]["time"]) == ("user:alice", "2023-11-14T22:13:20Z")
    assert [brief(events) for events in rest] == [[], [], [("run.finished", "r1", "ok")], [], []]
    assert rest[2][0]["data"] == {
        "run": "r1",
        "status": "ok",
        "error": None,
        "duration_ms": 1000,
        "outputs_digest": digest_json([]),
    }
    assert recorder.open_runs == ()


def test_reply_alone_ends_a_run_whose_iopub_was_missed(recorder: RunRecorder) -> None:
    recorder.request(execute("r1"), actor=ALICE, cell="c1")

    assert recorder.iopub(status("r1", "idle")) == []
    assert brief(recorder.reply(reply("r1"))) == [("run.finished", "r1", "ok")]


@pytest.mark.parametrize("first", ["reply", "idle"])
def test_an_error_keeps_its_text_whichever_comes_first(recorder: RunRecorder, first: str) -> None:
    recorder.request(execute("r1"), actor=ALICE, cell="c1")
    recorder.iopub(status("r1", "busy"))
    recorder.iopub(shown("r1"))
    recorder.iopub(message("error", "r1", ename="ValueError", evalue="no", traceback=[]))
    by_reply = recorder.reply, reply("r1", "error", ename="ValueError", evalue="no")
    by_idle = recorder.iopub, status("r1", "idle")

    feeds = [by_reply, by_idle] if first == "reply" else [by_idle, by_reply]
    (finished,) = [event for feed, last in feeds for event in feed(last)]

    assert finished["data"]["status"] == "error"
    assert finished["data"]["error"] == "ValueError: no"
    assert finished["data"]["outputs_digest"]
    assert recorder.iopub(status("r1", "idle")) == []


def test_a_long_error_is_cut(recorder: RunRecorder) -> None:
    recorder.request(execute("r1"), actor=ALICE, cell="c1")

    (finished,) = recorder.reply(reply("r1", "error", ename="E", evalue="x" * 5000))

    assert len(finished["data"]["error"]) == ERROR_LENGTH


def test_text_that_is_none_hides_no_run(recorder: RunRecorder) -> None:
    broken = "\ud800"

    (started,) = recorder.request(execute("r1", broken), actor=ALICE, cell=broken)
    (finished,) = recorder.reply(reply("r1", "error", ename="E", evalue=broken))

    assert (started["data"]["cell"], finished["data"]["error"]) == ("?", "E: ?")


def test_waiting_runs_start_when_their_turn_comes(recorder: RunRecorder) -> None:
    recorder.request(execute("r1"), actor=ALICE, cell="c1")

    assert recorder.request(execute("r2"), actor=BOB, cell="c2") == []
    assert recorder.request(execute("r3"), actor=BOB, cell="c3") == []
    assert brief(recorder.reply(reply("r1"))) == [
        ("run.finished", "r1", "ok"),
        ("run.started", "r2", None),
    ]
    assert recorder.iopub(status("r2", "busy")) == []


@pytest.mark.parametrize("browser_there", [True, False])
def test_runs_skipped_after_an_error_are_aborted(
    recorder: RunRecorder, browser_there: bool
) -> None:
    recorder.request(execute("r1"), actor=ALICE, cell="c1")
    recorder.request(execute("r2"), actor=ALICE, cell="c2")
    recorder.reply(reply("r1", "error", ename="E", evalue="v"))
    events = recorder.iopub(status("r2", "busy"))
    if browser_there:
        events += recorder.reply(reply("r2", "aborted"))
    events += recorder.iopub(status("r2", "idle"))

    assert brief(events) == [("run.finished", "r2", "aborted")]


def test_control_channel_and_subshells_do_not_wait_for_the_shell(recorder: RunRecorder) -> None:
    recorder.request(execute("r1"), actor=ALICE, cell="c1")
    in_subshell = execute("r3")
    in_subshell["header"]["subshell_id"] = "s1"

    by_control = recorder.request(execute("r2"), actor=BOB, cell="c2", channel="control")
    by_subshell = recorder.request(in_subshell, actor=BOB, cell="c3")

    assert brief(by_control + by_subshell) == [
        ("run.started", "r2", None),
        ("run.started", "r3", None),
    ]


def test_a_kernel_that_goes_takes_all_its_runs_with_it(recorder: RunRecorder) -> None:
    recorder.request(execute("r1"), actor=ALICE, cell="c1")
    recorder.request(execute("r2"), actor=ALICE, cell="c2")

    events = recorder.ended("the kernel was restarted")

    assert brief(events) == [
        ("run.finished", "r1", "aborted"),
        ("run.started", "r2", None),
        ("run.finished", "r2", "aborted"),
    ]
    assert events[0]["data"]["error"] == "the kernel was restarted"
    assert recorder.ended("again") == []


def test_a_reused_id_hides_nothing(recorder: RunRecorder) -> None:
    recorder.request(execute("r1", "a"), actor=ALICE, cell="c1")

    events = recorder.request(execute("r1", "b"), actor=BOB, cell="c1")

    assert brief(events) == [("run.finished", "r1", "unknown"), ("run.started", "r1", None)]
    assert events[1]["actor"] == "user:bob"
    assert len({event["id"] for event in events}) == 2


@pytest.mark.parametrize(
    "request_",
    [
        execute("r1", silent=True),
        execute("r1", store_history=False),
        message("kernel_info_request"),
        message("execute_request"),  # its header has an id, but see the next
        {"header": {"msg_type": "execute_request"}},
        {"header": None, "content": 3},
        {},
    ],
)
def test_what_is_no_run_of_the_user_or_no_message_is_ignored(
    recorder: RunRecorder, request_: dict[str, Any]
) -> None:
    if request_.get("header") and request_["header"].get("msg_id") == "m-execute_request-":
        request_["header"]["msg_id"] = 17

    assert recorder.request(request_, actor=ALICE, cell="c1") == []
    assert recorder.iopub(request_) == []
    assert recorder.reply(request_) == []


def test_messages_of_unknown_runs_are_ignored(recorder: RunRecorder) -> None:
    assert recorder.iopub(status("nobody", "idle")) == []
    assert recorder.reply(reply("nobody")) == []
    assert recorder.iopub(message("display_data", "nobody", data={})) == []


def test_a_run_whose_idle_was_missed_ends_as_the_next_begins(recorder: RunRecorder) -> None:
    recorder.request(execute("r1"), actor=ALICE, cell="c1")
    recorder.request(execute("r2"), actor=ALICE, cell="c2")
    recorder.iopub(shown("r1"))
    assert recorder.reply(reply("r1")) == []
    events = recorder.iopub(status("r2", "busy"))
    assert brief(events) == [("run.finished", "r1", "ok"), ("run.started", "r2", None)]
    assert events[0]["data"]["outputs_digest"] is None
    recorder.iopub(shown("r2"))
    recorder.reply(reply("r2", "error", ename="E", evalue="v"))
    (ended,) = recorder.ended("the kernel is gone")
    assert (ended["data"]["status"], ended["data"]["error"]) == ("error", "E: v")


def outputs_digest(recorder: RunRecorder, *shown_: dict[str, Any], size: int = 10) -> str | None:
    recorder.request(execute("r"), actor=ALICE, cell="c")
    for number, message_ in enumerate([shown("r"), *shown_]):
        message_["header"] |= {"msg_id": f"m{number}"}
        for _ in range(2):  # two browsers hear it
            if recorder.wants(message_["header"], "r", size):
                recorder.iopub(message_)
    (finished,) = recorder.iopub(status("r", "idle"))
    digest: str | None = finished["data"]["outputs_digest"]
    return digest


def test_the_outputs_have_a_digest_that_minds_only_what_is_shown(recorder: RunRecorder) -> None:
    def stream(text: str) -> dict[str, Any]:
        return message("stream", "r", name="stdout", text=text)

    def display(text: str, kind: str = "display_data") -> dict[str, Any]:
        data, transient = {"text/plain": text}, {"display_id": "d"}
        return message(kind, "r", data=data, metadata={"x": 1}, transient=transient)

    whole = outputs_digest(recorder, stream("ab"), display("1"))
    assert outputs_digest(recorder, stream("a"), stream("b"), display("1")) == whole
    assert outputs_digest(recorder, stream("ab"), display("2")) != whole
    changed = display("1", "update_display_data")
    assert outputs_digest(recorder, stream("ab"), display("0"), changed) == whole
    cleared = message("clear_output", "r", wait=False)
    assert outputs_digest(recorder, stream("x"), cleared, stream("ab"), display("1")) == whole
    assert outputs_digest(recorder, stream("\ud800")) is None
    assert outputs_digest(recorder, stream("ab"), size=5_000_000) is None


def test_an_error_is_heard_behind_any_amount_of_output(recorder: RunRecorder) -> None:
    recorder.request(execute("r"), actor=ALICE, cell="c")
    recorder.iopub(shown("r"))
    flood = message("stream", "r", name="stdout", text="x")
    assert not recorder.wants(flood["header"], "r", 5_000_000)
    assert not recorder.wants(flood["header"], "nobody", 1)
    assert not recorder.wants({"msg_type": "comm_msg"}, "r", 1)
    error = message("error", "r", ename="E", evalue="v")
    assert recorder.wants(error["header"], "r", 10)
    recorder.iopub(error)
    (finished,) = recorder.iopub(status("r", "idle"))
    assert finished["data"]["error"] == "E: v"


def test_a_listener_that_joined_in_the_midst_of_a_run_is_not_believed(
    recorder: RunRecorder,
) -> None:
    printed = message("stream", "r1", name="stdout", text="all")
    stream = {"output_type": "stream", "name": "stdout", "text": "all"}
    recorder.request(execute("r1"), actor=ALICE, cell="c")
    recorder.iopub(status("r1", "busy"))

    assert recorder.iopub(status("r1", "idle"), hearer="late") == []  # is quicker than the first
    assert not recorder.wants(printed["header"], "r1", 10, hearer="late")
    recorder.iopub(shown("r1"))
    assert recorder.wants(printed["header"], "r1", 10)
    recorder.iopub(printed)
    (finished,) = recorder.iopub(status("r1", "idle"))
    whole = finished["data"]["outputs_digest"]
    assert (finished["data"]["status"], whole) == ("ok", digest_json([stream]))


def test_a_run_whose_beginning_nobody_heard_ends_with_its_reply(recorder: RunRecorder) -> None:
    recorder.request(execute("r1"), actor=ALICE, cell="c")
    assert recorder.wants(status("r1", "idle")["header"], "r1", 10)

    assert recorder.iopub(status("r1", "idle")) == []
    (finished,) = recorder.reply(reply("r1"))

    assert (finished["data"]["status"], finished["data"]["outputs_digest"]) == ("ok", None)
