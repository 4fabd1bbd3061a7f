"""A file on its way to the broker, and what came of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from workspace_ext.client.transport import Transport
from workspace_ext.foundation.errors import BadInput, NotFound, from_dict

Progress = Callable[[int, int | None], None]
"""Told how far something is: done, and of how much (None: nobody knows)."""

_BLOCK_BYTES = 1 << 20


class CountedFile:
    """Reads a file in large blocks, no further than its size was, and tells how far it is."""

    def __init__(self, file: BinaryIO, size: int, progress: Progress | None) -> None:
        self._file = file
        self._size = size
        self._sent = 0
        self._progress = progress

    def read(self, size: int = -1, /) -> bytes:
        """The next block; its size is ours to choose (HTTP libraries ask for little at once)."""
        left = self._size - self._sent
        block = self._file.read(min(max(size, _BLOCK_BYTES), left))
        if left and not block:
            raise BadInput(
                "the file became shorter while it was sent",
                hint="wait until nobody writes to it",
                code="file_changed",
            )
        self._sent += len(block)
        if self._progress is not None and block:
            self._progress(self._sent, self._size)
        return block


def send_file(
    transport: Transport, path: Path, query: Mapping[str, object], progress: Progress | None
) -> BaseHTTPResponse:
    """Sends a file to ``/v1/ingest``.

    Raises:
        NotFound: No such file.
        BadInput: It cannot be read, or the broker can make nothing of it.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            return transport.open(
                "POST",
                "/v1/ingest",
                query=query,
                body=CountedFile(file, size, progress),
                headers={"Content-Length": str(size)},
                seconds=None,
            )
    except FileNotFoundError:
        raise NotFound(f"no file {path}", hint="check the path", code="no_file") from None
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read: {error.strerror or error}",
            hint="give a file that you may read",
            code="unreadable_file",
        ) from error


def read_report(
    transport: Transport, response: BaseHTTPResponse, progress: Progress | None
) -> dict[str, Any]:
    """Reads the answer of ``/v1/ingest`` to its end: progress, then the report.

    Raises:
        InvestigationError: What went wrong after it began.
    """
    try:
        for line in response:
            message = json.loads(line)
            if "error" in message:
                raise from_dict(message["error"])
            if "report" in message:
                return cast("dict[str, Any]", message["report"])
            if progress is not None:
                progress(*message["progress"])
    except HTTPError as error:
        raise transport.broken(error) from error
    finally:
        response.close()
    raise transport.broken(EOFError())
