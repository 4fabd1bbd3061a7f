"""Server-sent events, read from an answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse


class EventStream:
    """The events of one connection; one thread reads, any thread may end it with `close`.

    Args:
        response: The answer they come in.
        unreachable: Makes the error to raise when the connection is lost.
    """

    def __init__(
        self, response: BaseHTTPResponse, unreachable: Callable[[Exception], Exception]
    ) -> None:
        self._response = response
        self._unreachable = unreachable
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        try:
            yield from read_events(self._response)
        except (HTTPError, OSError, ValueError) as error:
            if not self._closed.is_set():
                raise self._unreachable(error) from error
        finally:
            self._response.close()

    def close(self) -> None:
        """Ends it, also for a thread that waits for the next event."""
        self._closed.set()
        with suppress(OSError, ValueError, RuntimeError):
            self._response.shutdown()


def read_events(response: BaseHTTPResponse) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events as (name, data); comments, which only say that the broker lives, are left out."""
    name, data = "", ""
    for raw in _lines(response):
        line = raw.decode()
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            data += line[6:]
        elif not line and name:
            yield name, json.loads(data)
            name, data = "", ""


def _lines(response: BaseHTTPResponse) -> Iterator[bytes]:
    pending = b""
    while part := response.read1():
        *lines, pending = (pending + part).split(b"\n")
        yield from lines
