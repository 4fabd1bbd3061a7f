"""Files on their way into the store."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

from tornado.iostream import StreamClosedError

from workspace_ext.broker.handlers import BaseHandler
from workspace_ext.broker.ingesting import ingest
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.foundation.ids import new_id
from workspace_ext.storage.failures import explain

_log = logging.getLogger(__name__)

_BLOCK_BYTES = 4 << 20
_TELL_EVERY_SECONDS = 0.1


class IngestHandler(BaseHandler):
    """POST /v1/ingest?name=&format=&mapping=&actor=: the body is the file.

    The answer is JSON lines: ``{"progress": [done, of]}`` while it works, then ``{"report": …}``
    or ``{"error": …}``. An error before the first line has a status of its own.
    """

    most_body_bytes = 1 << 50  # what the disk holds
    _file: Any = None
    _path: Path | None = None
    _failed: InvestigationError | None = None

    def check(self) -> None:
        """Opens the file that the body goes to."""
        super().check()
        self.allow("data.ingest")
        self._path = self.runtime.services.folder.inbox / f"{new_id()}.part"
        try:
            self._file = self._path.open("wb", buffering=0)
        except OSError as error:
            raise explain(error, self._path) from error

    async def data_received(self, chunk: bytes) -> None:
        """Collects blocks, and writes them in a thread."""
        if self._refused is not None:
            return
        self._received.append(chunk)
        self._received_bytes += len(chunk)
        if self._received_bytes >= _BLOCK_BYTES:
            await self._write()

    async def post(self) -> None:
        """Ingests what was received."""
        self.allow("data.ingest")
        with self.runtime.presence.request():
            try:
                await self._write()
                self._file.close()
                if self._failed is not None:
                    raise self._failed
                await self._ingest()
            finally:
                self._discard()

    async def _write(self) -> None:
        block = b"".join(self._received)
        self._received, self._received_bytes = [], 0
        if self._failed is None:
            try:
                await self.runtime.call(_write_whole, self._file, block)
            except (OSError, ValueError) as error:  # ValueError: closed, the sender is gone
                assert self._path is not None
                self._failed = explain(error, self._path)

    async def _ingest(self) -> None:
        loop = asyncio.get_running_loop()
        far: list[tuple[int, int | None]] = []

        def progress(done: int, total: int | None) -> None:
            loop.call_soon_threadsafe(far.append, (done, total))

        work = asyncio.ensure_future(self.runtime.call(self._work, self.arguments(), progress))
        told = False
        while not (await asyncio.wait([work], timeout=_TELL_EVERY_SECONDS))[0]:
            if far:
                told = await self._tell({"progress": far[-1]})
                far.clear()
        try:
            await self._tell({"report": work.result()})
        except InvestigationError as error:
            if not told:
                raise
            await self._tell({"error": error.to_dict()})
        self.finish()

    def _work(self, query: dict[str, str], progress: Any) -> dict[str, Any]:
        assert self._path is not None
        actor = Actor.parse(query.get("actor", str(self.principal.actor)))
        return ingest(self.runtime.services, self._path, query, actor, progress)

    async def _tell(self, message: dict[str, Any]) -> bool:
        self.set_header("Content-Type", "application/x-ndjson")
        self.write(json.dumps(message) + "\n")
        with suppress(StreamClosedError):  # the sender is gone; what is begun is finished anyway
            await self.flush()
        return True

    def on_connection_close(self) -> None:
        """The sender is gone; a half body is thrown away."""
        super().on_connection_close()
        if self._file is not None and not self._file.closed:
            self._file.close()
            self._discard()

    def _discard(self) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def _write_whole(file: Any, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[file.write(view) :]
