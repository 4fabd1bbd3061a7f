"""What becomes logs: Loki, Elastic bulk, syslog."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.payloads import BULK, SYSLOG, decode, pushed, reasons, rows, snappy
from tests.support.store import NOW_NS, Store
from workspace_ext.foundation.errors import BadInput

SECONDS = NOW_NS // 1_000_000_000
PROTOBUF = "application/x-protobuf"


def test_loki_in_both_forms_is_the_same() -> None:
    labels = {"app": "cart", "namespace": "shop", "level": "warn", "quoted": 'a"b\n,}'}
    text = '{app="cart", namespace="shop",level="warn", quoted="a\\"b\\n,}"}'
    packed = pushed(text, (SECONDS, "it broke", {"trace_id": "AB12"}), (SECONDS + 1, "", {}))
    values = [
        [f"{NOW_NS + 5}", "it broke", {"trace_id": "AB12"}],
        [f"{NOW_NS + 1_000_000_005}", ""],
    ]
    plain = {"streams": [{"stream": labels, "values": values}]}
    first = rows(decode("loki", snappy(packed), content_type=PROTOBUF), "logs")
    assert first == rows(decode("loki", plain, content_type="application/json"), "logs")
    assert first[0] == {
        "time_ns": NOW_NS + 5, "body": "it broke", "severity": "warn", "severity_number": 13,
        "trace_id": "ab12", "service": "cart", "namespace": "shop",
        "attributes": {**labels, "trace_id": "AB12"}, "resource": {},
    }  # fmt: skip


def test_bad_lines_of_loki_cost_themselves_only() -> None:
    streams = [
        {"stream": {"app": "a"}, "values": [["soon", "x"], ["0", "x"], [f"{NOW_NS}", 7], [], "x",
                                            [f"{NOW_NS}", "good"]]},
        {"stream": {"app": "a"}},
        {"stream": [1], "values": [[f"{NOW_NS}", "x"]]},
        7,
    ]  # fmt: skip
    parsed = decode("loki", {"streams": streams})
    assert [row["body"] for row in rows(parsed, "logs")] == ["good"]
    assert [line for line, _ in reasons(parsed)] == [1, 1, 1, 1, 1, 2, 3, 4]
    packed = pushed("app=cart", (SECONDS, "x", {}))
    packed.streams.add(labels=b'{a="1" b="2"}').entries.add(line=b"x")
    packed.streams.add(labels=b"{}").entries.add(line=b"\xff").timestamp.seconds = SECONDS
    parsed = decode("loki", snappy(packed))
    assert [row["body"] for row in rows(parsed, "logs")] == ["\ufffd"]
    assert [reason[:26] for _, reason in reasons(parsed)] == [
        "the labels are not in brac", "labels cannot be read at '",
    ]  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"streams": 5}', b"\xff\xff", b"line"])
def test_what_is_no_push_is_one_error(body: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        decode("loki", body)
    assert caught.value.hint


def test_a_push_sent_again_adds_nothing(store: Store, tmp_path: Path) -> None:
    values = [[f"{NOW_NS}", "x"]]
    for number in range(2):
        content = {"streams": [{"stream": {"app": "a"}, "values": values}], "n": number}
        (tmp_path / f"{number}.json").write_text(json.dumps(content))
    reports = [store.ingest(tmp_path / f"{number}.json") for number in range(2)]
    assert [(r.format, r.rows, r.duplicates) for r in reports] == [
        ("loki", {"logs": 1}, 0), ("loki", {}, 1),
    ]  # fmt: skip


def test_documents_become_logs() -> None:
    first, second = rows(decode("elastic-bulk", BULK), "logs")
    assert first == {
        "time_ns": NOW_NS + 123_000_000, "severity": "error", "severity_number": 17,
        "body": "it broke", "service": "cart", "host": "h1", "resource": {},
        "attributes": {"_id": "1", "_index": "logs", "host.name": "h1", "log.level": "error",
                       "service.name": "cart", "tags": '["a"]'},
    }  # fmt: skip
    assert (second["time_ns"], second["body"]) == (NOW_NS + 1_000_000_000, "it works")


def test_what_rsyslog_sends() -> None:
    document = {
        "message": " it broke", "fromhost": "h1", "facility": "daemon", "priority": "err",
        "timereported": "2023-11-14T22:13:20.000001+00:00", "programname": "cart",
    }  # fmt: skip
    body = '{"index":{"_index":"system","_type":"events"}}\n' + json.dumps(document) + "\n"
    (row,) = rows(decode("elastic-bulk", body), "logs")
    assert (row["time_ns"], row["service"], row["host"]) == (NOW_NS + 1000, "cart", "h1")
    assert (row["severity"], row["severity_number"], row["body"]) == ("err", 17, " it broke")


def test_bad_actions_cost_themselves_only() -> None:
    lines = [
        '{"delete":{"_id":"1"}}',
        '{"index":{}}', '{"torn',
        '{"index":{}}', "[1]",
        '{"update":{"_id":"1"}}', '{"doc":{}}',
        "{}",
        '{"index":{}}', '{"@timestamp":"soon"}',
        '{"index":{}}', '{"@timestamp":5}',
        '{"index":{}}', '{"message":"no time"}',
        '{"index":{}}',
    ]  # fmt: skip
    parsed = decode("elastic-bulk", "\n".join(lines))
    assert [row["body"] for row in rows(parsed, "logs")] == ["no time"]
    assert [line for line, _ in reasons(parsed)] == [1, 2, 4, 6, 8, 9, 11, 15]
    assert parsed.warnings == ("documents without a time got the time of this ingest",)


def test_very_deep_and_wide_documents() -> None:
    deep = '{"a":' * 30 + "1" + "}" * 30
    wide = json.dumps({f"k{n}": n for n in range(25_000)})
    torn = '{"a":' * 200_000
    body = "".join(f'{{"index":{{}}}}\n{line}\n' for line in (deep, wide, torn))
    parsed = decode("elastic-bulk", body)
    (row,) = rows(parsed, "logs")
    assert max(map(len, row["attributes"])) < 30
    assert [line for line, _ in reasons(parsed)] == [3, 5]


def test_the_examples_of_rfc_5424() -> None:
    first, second, third = rows(decode("syslog", SYSLOG), "logs")
    assert first == {
        "time_ns": 1065910455003000000, "severity": "ERROR", "severity_number": 18,
        "body": "'su root' failed for lonvick on /dev/pts/8", "service": "su",
        "host": "mymachine.example.com", "resource": {},
        "attributes": {"syslog.facility": "4", "syslog.msgid": "ID47",
                       "syslog.severity": "critical"},
    }  # fmt: skip
    assert second["time_ns"] == 1061727255000003000
    assert (second["attributes"]["syslog.procid"], second["severity_number"]) == ("8710", 10)
    assert third["attributes"]["exampleSDID@32473.eventSource"] == 'Appli"cation'
    assert third["attributes"]["examplePriority@32473.class"] == "high"
    assert "body" not in third


def test_messages_after_their_lengths_are_the_same() -> None:
    messages = [line.encode() for line in SYSLOG.splitlines()]
    several = b"<14>1 2023-11-14T22:13:20Z h a - - - two\nlines"
    framed = b"".join(b"%d %s" % (len(each), each) for each in [*messages, several])
    found = rows(decode("syslog", framed), "logs")
    assert found[:3] == rows(decode("syslog", SYSLOG), "logs")
    assert found[3]["body"] == "two\nlines"


def test_bad_messages_cost_themselves_only() -> None:
    good = "<14>1 2023-11-14T22:13:20Z h a - - - good"
    lines = [
        "<13>Oct 11 22:14:15 mymachine su: old style", "<999>1 - - - - - -",
        "<14>1 soon h a - - - x", "<14>1 - h a - - [x", '<14>1 - h a - - [x y="z"]!',
        "<14>1 1970-01-01T00:00:05Z h a - - - x", good,
    ]  # fmt: skip
    parsed = decode("syslog", "\n".join(lines) + "\n\n")
    assert [row["body"] for row in rows(parsed, "logs")] == ["good"]
    assert [line for line, _ in reasons(parsed)] == [1, 2, 3, 4, 5, 6]
    cut = decode("syslog", f"{len(good)} {good}{len(good) + 9} {good}")
    assert len(rows(cut, "logs")) == 1
    assert reasons(cut) == [(2, f"cut off after {len(good)} of {len(good) + 9} bytes")]
    huge = decode("syslog", f"99999999 <14>1 x\n{good}")
    assert (len(rows(huge, "logs")), huge.rejected) == (1, 1)
    (row,) = rows(decode("syslog", good.encode() + b" \xff"), "logs")
    assert row["body"] == "good \ufffd"


def test_the_formats_are_found_out(store: Store, tmp_path: Path) -> None:
    for name, content in (("elastic-bulk", BULK), ("syslog", SYSLOG)):
        (tmp_path / name).write_text(content)
        assert store.ingest(tmp_path / name).format == name
