"""What stands before a JupyterHub: one address for the hub and its servers."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_MOST_HEAD_BYTES = 1 << 16


@contextmanager
def proxy(port: int, routes: Path) -> Iterator[None]:
    """Hands each connection on to where the beginning of its first request's path leads.

    Every answer ends its connection, so that no two requests share one; websockets go on.

    Args:
        port: Where to listen.
        routes: A file of targets by prefix, in JSON; it is read for each connection.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def do(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await _hand_on(reader, writer, json.loads(routes.read_text()))
        writer.close()

    server = do(asyncio.start_server(take, "127.0.0.1", port, limit=_MOST_HEAD_BYTES))
    try:
        yield
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


async def _hand_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, targets: dict[str, str]
) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    path = lines[0].split(" ")[1]
    prefix = max((one for one in targets if f"{path}/".startswith(one)), key=len)
    target = urlsplit(targets[prefix])
    if not any(line.lower().startswith("upgrade:") for line in lines):
        lines = [line for line in lines if not line.lower().startswith("connection:")]
        lines.insert(1, "Connection: close")
    there, back = await asyncio.open_connection(target.hostname, target.port)
    back.write("\r\n".join(lines).encode("latin-1"))
    await asyncio.gather(_pump(reader, back), _pump(there, writer))


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while content := await source.read(1 << 16):
            sink.write(content)
            await sink.drain()
    sink.close()
