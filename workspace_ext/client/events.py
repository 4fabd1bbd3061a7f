"""Server-sent events, read from an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from urllib3.response import BaseHTTPResponse


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
