"""Senders that leave, stop in the middle, or knock at no door: they take no room from others."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import grpc

from tests.support.live import Receiver, export_request, receiver
from tests.support.waiting import until

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PROTOBUF = "application/x-protobuf"
MOST = 32 << 20

SLOW = """
import time
from pathlib import Path
from workspace_ext.broker import intake, receivers
folder = Path({folder!r})
intake._MOST_IN_FLIGHT_BYTES = 1 << 20
decode, left = intake.decode, receivers.ReceiverHandler.on_connection_close
def slowly(request):
    while (folder / "shut").exists():
        time.sleep(0.01)
    return decode(request)
def leave(handler):
    left(handler)
    (folder / "left").touch()
intake.decode = slowly
receivers.ReceiverHandler.on_connection_close = leave
"""


def begun(broker: Receiver, path: str, size: int, body: bytes = b"") -> socket.socket:
    """A connection on which a request was begun."""
    where = urlsplit(broker.address)
    assert where.hostname is not None
    connection = socket.create_connection((where.hostname, where.port or 0), 60)
    head = f"POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {size}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def test_who_left_holds_its_room_until_its_request_is_done(tmp_path: Path) -> None:
    """Else all that gave up and came again would wait here, each time once more."""
    (tmp_path / "shut").touch()
    with receiver(tmp_path / "s", preamble=SLOW.format(folder=str(tmp_path))) as broker:
        body = b'{"streams": []}' + b" " * (600 << 10)
        begun(broker, "/loki/api/v1/push", len(body), body).close()
        until((tmp_path / "left").exists, "the broker sees that it left")
        answer = broker.post("/loki/api/v1/push", body)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        (tmp_path / "shut").unlink()
        until(lambda: broker.post("/loki/api/v1/push", body).status == 204, "there is room again")


def test_who_stops_in_the_middle_is_not_waited_for(tmp_path: Path) -> None:
    """A machine that lost its power, for instance."""
    preamble = "from workspace_ext.broker import doors; doors._BODY_SECONDS = 1.0"
    with receiver(tmp_path / "s", "--otlp-grpc", "127.0.0.1:0", preamble=preamble) as broker:
        stopped = [begun(broker, "/v1/traces", MOST, b"x" * 1000) for _ in range(4)]
        good = export_request(0, 10)
        until(lambda: broker.post("/v1/traces", good, PROTOBUF).status == 200, "there is room")
        for connection in stopped:
            connection.close()
        never = threading.Event()
        with grpc.insecure_channel(broker.doors["otlp-grpc"].removeprefix("http://")) as channel:
            call = channel.stream_unary(EXPORT).future(never.wait() for _ in range(1))
            assert call.code() == grpc.StatusCode.UNAVAILABLE
        never.set()


def test_nothing_is_held_of_what_comes_to_no_door(open_receiver: Receiver) -> None:
    with begun(open_receiver, "/v1/trace", 1 << 30) as connection:
        connection.settimeout(60)
        assert b"404 Not Found" in connection.recv(4096)  # before its body has come
