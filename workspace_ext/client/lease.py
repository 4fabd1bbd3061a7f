"""A lease: an open connection that keeps a broker from leaving."""

from __future__ import annotations

import json
import threading
from contextlib import suppress

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from workspace_ext.foundation.errors import Unavailable


class Lease:
    """Lasts until it is closed or its process ends; the broker's end is noticed by `wait`."""

    def __init__(self, response: BaseHTTPResponse) -> None:
        self._response = response
        self._closed = threading.Event()
        self._reading = threading.Lock()
        try:
            first = response.read1()
        except HTTPError:
            first = b""
        if not first.endswith(b"\n"):
            response.close()
            raise Unavailable(
                "the broker left while it was asked to stay",
                hint="try again: a new one will be started",
                code="broker_leaving",
            )
        self.id = str(json.loads(first)["lease"])

    def wait(self) -> None:
        """Returns when the broker is gone, has fallen silent, or the lease was closed."""
        with self._reading, suppress(HTTPError, OSError, ValueError):
            while not self._closed.is_set() and self._response.read1():
                pass  # a heartbeat

    def close(self) -> None:
        """Ends the lease, and with it a `wait` in another thread."""
        self._closed.set()
        with suppress(OSError, ValueError, RuntimeError):
            self._response.shutdown()  # wakes a thread in `wait`
        with self._reading:
            self._response.close()
