"""Syslog as RFC 5424 has it: a message a line, or each after its length (RFC 6587)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from workspace_ext.telemetry.ingest.adapter import NO, SURE, Adapter, Context, Head
from workspace_ext.telemetry.ingest.limits import LINE_BYTES
from workspace_ext.telemetry.ingest.model import Parsed
from workspace_ext.telemetry.ingest.rows import BadRecord, Row, Rows, as_time, check_time
from workspace_ext.telemetry.ingest.severity import severity_name

_HEADER = re.compile(
    r"<(?P<pri>\d{1,3})>1 (?P<time>\S+) (?P<host>\S{1,255}) (?P<app>\S{1,48})"
    r" (?P<process>\S{1,128}) (?P<id>\S{1,32}) "
)
_ELEMENT = re.compile(r"\[([^\s=\]\"]{1,32})")
_PARAMETER = re.compile(r' ([^\s=\]"]{1,32})="((?:[^"\\\]]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\\]])')
_START = re.compile(rb"(\d{1,8} )?<\d{1,3}>1 ")
_COUNTED = re.compile(rb"(\d{1,8}) <")
_LENGTH_DIGITS = 9
_SEVERITIES = (
    ("emergency", 21), ("alert", 19), ("critical", 18), ("error", 17),
    ("warning", 13), ("notice", 10), ("informational", 9), ("debug", 5),
)  # fmt: skip
"""Names, and OpenTelemetry's numbers for them."""


def _recognise(head: Head) -> int:
    return SURE if _START.match(head.start) else NO


def _read(stream: IO[bytes], context: Context) -> Iterator[Parsed]:
    rows = Rows()
    for number, frame in _frames(stream, rows):
        rows.size += len(frame)
        if text := frame.strip(b"\r\n\0"):
            with rows.guard(number, text):
                _message(rows, number, text, context)
        if rows.full:
            yield rows.hand_on()
    yield rows.hand_on()


def _frames(stream: IO[bytes], rows: Rows) -> Iterator[tuple[int, bytes]]:
    """The messages with their numbers, each by its length or up to the end of its line."""
    number = 0
    rest = b""
    while True:
        line = rest or stream.readline(LINE_BYTES)
        rest = b""
        if not line:
            return
        number += 1
        counted = _COUNTED.match(line)
        if counted is None:
            yield number, line
            continue
        start, size = counted.end() - 1, int(counted[1])
        if size > LINE_BYTES:
            rows.reject(number, f"longer than {LINE_BYTES >> 20} MiB", line[:64])
            continue
        if (missing := start + size - len(line)) > 0:
            line += stream.read(missing)
        if len(line) < start + size:
            rows.reject(number, f"cut off after {len(line) - start} of {size} bytes", line[start:])
            return
        yield number, line[start : start + size]
        rest = line[start + size :].lstrip(b"\r\n")


def _message(rows: Rows, number: int, content: bytes, context: Context) -> None:
    text = rows.text(content)
    head = _HEADER.match(text)
    if head is None or int(head["pri"]) > 191:
        raise BadRecord("not a message of RFC 5424")
    facility, level = divmod(int(head["pri"]), 8)
    data, body = _structured_data(text, head.end())
    if head["time"] == "-":
        rows.warn("messages without a time got the time of this ingest")
    time_ns = context.now_ns if head["time"] == "-" else as_time(head["time"])
    check_time(time_ns)
    name, severity = _SEVERITIES[level]
    attributes = {
        **data,
        "syslog.facility": str(facility),
        "syslog.severity": name,
        **_given("syslog.procid", head["process"]),
        **_given("syslog.msgid", head["id"]),
    }
    row: Row = {
        "time_ns": time_ns,
        "severity_number": severity,
        "severity": severity_name(severity),
        "body": body.removeprefix("\ufeff") or None,
        "service": _given("app", head["app"]).get("app"),
        "host": _given("host", head["host"]).get("host"),
        "attributes": sorted(attributes.items()),
        "resource": [],
    }
    rows.add("logs", number, row)


def _given(name: str, value: str) -> dict[str, str]:
    return {} if value == "-" else {name: value}


def _structured_data(text: str, at: int) -> tuple[dict[str, str], str]:
    """The parameters, each as ``element.parameter``, and the message after them."""
    found: dict[str, str] = {}
    if text[at : at + 1] == "-":
        at += 1
    elif text[at : at + 1] != "[":
        raise BadRecord("no structured data")
    while element := _ELEMENT.match(text, at):
        at = element.end()
        while parameter := _PARAMETER.match(text, at):
            found[f"{element[1]}.{parameter[1]}"] = _ESCAPE.sub(r"\1", parameter[2])
            at = parameter.end()
        if text[at : at + 1] != "]":
            raise BadRecord("structured data that does not end")
        at += 1
    if text[at : at + 1] not in ("", " "):
        raise BadRecord("no space after the structured data")
    return found, text[at + 1 :]


ADAPTER = Adapter("syslog, RFC 5424", _read, _recognise)
