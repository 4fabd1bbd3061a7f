"""Syslog over TCP, and Elasticsearch's bulk requests, as Debian's rsyslog sends them."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from tests.support.live import Receiver, receiver
from tests.support.rsyslog import elastic, forward, rsyslog
from tests.support.waiting import until

COUNT = "SELECT count(*) AS n, count(DISTINCT body) AS bodies FROM logs WHERE service = '{}'"


def connected(open_receiver: Receiver) -> socket.socket:
    host, _, port = open_receiver.doors["syslog"].removeprefix("tcp://").rpartition(":")
    return socket.create_connection((host, int(port)), 30)


def message(app: str, text: str) -> bytes:
    return f"<11>1 2024-05-01T10:00:00Z host {app} 7 - - {text}".encode()


def counted(content: bytes) -> bytes:
    return b"%d %b" % (len(content), content)


def bodies(open_receiver: Receiver, app: str) -> list[str]:
    rows = open_receiver.rows(f"SELECT body FROM logs WHERE service = '{app}' ORDER BY body")
    return [row["body"] for row in rows]


@pytest.mark.parametrize("framing", ["octet-counted", "traditional"])
def test_rsyslog_forwards(open_receiver: Receiver, tmp_path: Path, framing: str) -> None:
    tag = f"shop-{framing}"
    with rsyslog(tmp_path, tag, forward(open_receiver.doors["syslog"], framing)) as log:
        log.write_text("".join(f"order {number} failed\n" for number in range(2000)))
        wanted = [{"n": 2000, "bodies": 2000}]
        until(lambda: open_receiver.rows(COUNT.format(tag)) == wanted, "all lines arrive", 60)
    (row,) = open_receiver.rows(
        f"SELECT body, severity, attributes['syslog.facility'] AS facility FROM logs"
        f" WHERE service = '{tag}' AND body LIKE '%order 7 failed'"
    )
    assert row == {"body": "order 7 failed", "severity": "ERROR", "facility": "19"}


def test_rsyslog_to_elastic(open_receiver: Receiver, tmp_path: Path) -> None:
    """It asks whether somebody is there, then sends bulk requests."""
    with rsyslog(tmp_path, "shop-elastic", elastic(open_receiver.address, tmp_path)) as log:
        log.write_text("".join(f"order {number} failed\n" for number in range(500)))
        wanted = [{"n": 500, "bodies": 500}]
        until(lambda: open_receiver.rows(COUNT.format("shop-elastic")) == wanted, "all arrive", 60)
    assert not (tmp_path / "elastic-errors.json").exists()
    assert open_receiver.rows(
        "SELECT DISTINCT severity_number AS n FROM logs WHERE service = 'shop-elastic'"
    ) == [{"n": 17}]


def test_framings_may_be_mixed_and_torn(open_receiver: Receiver) -> None:
    """Bytes come as they come; a last line needs no end, and an embedded newline no line."""
    sent = (
        counted(message("mixed", "one\nof two lines"))
        + message("mixed", "two") + b"\n"
        + counted(message("mixed", "three")) + b"\n"
        + message("mixed", "zero")
    )  # fmt: skip
    with connected(open_receiver) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(sent)):
            connection.sendall(sent[at : at + 1])
    until(lambda: len(bodies(open_receiver, "mixed")) == 4, "all four arrive")
    assert bodies(open_receiver, "mixed") == ["one\nof two lines", "three", "two", "zero"]


def test_what_is_wrong_stops_nothing(open_receiver: Receiver) -> None:
    """Nonsense is put aside, and a message that is cut off; what is too long is cut."""
    with connected(open_receiver) as connection:
        connection.sendall(b"nonsense\n" + message("wrong", "a") + b"\n")
        connection.sendall(message("wrong", "long" * 600_000) + b"\n")
        connection.sendall(counted(message("wrong", "c" * (3 << 20))))
        connection.sendall(counted(message("wrong", "b")) + counted(message("wrong", "cut"))[:-1])
    until(lambda: len(bodies(open_receiver, "wrong")) == 4, "the good ones arrive")
    found = bodies(open_receiver, "wrong")
    assert found[:2] == ["a", "b"]
    assert [text[:8] for text in found[2:]] == ["cccccccc", "longlong"]
    reasons = {each["reason"] for each in open_receiver.client.quarantine()}
    assert {"not a message of RFC 5424", "cut off after 46 of 47 bytes"} <= reasons


def test_a_sender_is_held_while_nothing_can_be_kept(tmp_path: Path) -> None:
    """Nothing is read ahead of the disk, and nothing is lost: TCP makes the sender wait."""
    gate = tmp_path / "full"
    preamble = f"""
from pathlib import Path
from workspace_ext.foundation.errors import Unavailable
from workspace_ext.telemetry.ingest.live.service import LiveIngest
check = LiveIngest.check_room
def full(self):
    if Path({str(gate)!r}).exists():
        raise Unavailable("no room", code="disk_full")
    check(self)
LiveIngest.check_room = full
"""
    gate.touch()
    sent = b"".join(counted(message("held", f"{n:06} " + "x" * 1000)) for n in range(20_000))
    with receiver(tmp_path / "s", "--syslog", "127.0.0.1:0", preamble=preamble) as full:
        with connected(full) as connection:
            connection.settimeout(0)
            done, quiet = 0, time.monotonic()
            while time.monotonic() < quiet + 1:  # nothing more goes in for a second
                try:
                    done += connection.send(sent[done : done + 65_536])
                    quiet = time.monotonic()
                except BlockingIOError:
                    time.sleep(0.02)
            assert done < len(sent)
            assert bodies(full, "held") == []
            gate.unlink()
            connection.settimeout(60)
            connection.sendall(sent[done:])
        wanted = [{"n": 20_000, "bodies": 20_000}]
        until(lambda: full.rows(COUNT.format("held")) == wanted, "all arrive", 60)
