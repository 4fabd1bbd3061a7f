"""A browser tab in shared editing: the document, kept in step with the server's."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import websocket
from pycrdt import (
    Array,
    Awareness,
    Doc,
    Encoder,
    Map,
    Text,
    YMessageType,
    create_sync_message,
    create_update_message,
    handle_sync_message,
    read_message,
)

from tests.support.jupyter import Jupyter
from tests.support.waiting import until

_RAW = 2
"""The type of jupyter-collaboration's own messages, after SYNC and AWARENESS."""


class Editor:
    """One notebook, open. Read and write it under `lock`: updates come in a thread."""

    def __init__(self, server: Jupyter, path: str, user: str = "alice") -> None:
        wanted = {"format": "json", "type": "notebook"}
        self.session = session = server.request(
            "PUT", f"/api/collaboration/session/{quote(path)}", wanted, user=user
        )
        room = f"json:notebook:{session['fileId']}?sessionId={session['sessionId']}"
        self.lock = threading.Lock()
        self._saved = threading.Event()
        self._document: Doc[Any] = Doc()
        self._awareness = Awareness(self._document)
        self._meta = self._document.get("meta", type=Map)
        self._cells = self._document.get("cells", type=Array)
        self._socket: websocket.WebSocket = server.socket(f"/api/collaboration/room/{room}", user)
        self._socket.send_binary(create_sync_message(self._document))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        until(lambda: self.read()["cells"], f"{path} is loaded")

    def read(self) -> dict[str, Any]:
        """The notebook as this tab shows it."""
        with self.lock:
            return {"metadata": self._meta.to_py().get("metadata"), "cells": self._cells.to_py()}

    def type(self, cell: int, text: str) -> None:
        """Types at the end of a cell."""
        self._change(lambda: self._append(cell, text))

    def whole(self) -> bytes:
        """All of the document, as a sync sends it."""
        with self.lock:
            return bytes(create_update_message(self._document.get_update())[2:])

    def tell(self, message: bytes) -> None:
        """Sends a message as it is."""
        self._socket.send_binary(message)

    def present(self) -> dict[int, Any]:
        """Who is shown as present, by client id."""
        with self.lock:
            return dict(self._awareness.states)

    def listens(self) -> bool:
        """Whether the server still talks to this tab."""
        return self._thread.is_alive()

    def save(self) -> None:
        """Saves now, as Ctrl-S does, and waits until it is done."""
        self._saved.clear()
        encoder = Encoder()
        encoder.write_var_uint(_RAW)
        encoder.write_var_string("save")
        encoder.write_var_uint(1)
        self._socket.send_binary(encoder.to_bytes())
        assert self._saved.wait(10), "the server saves"

    def _append(self, cell: int, text: str) -> None:
        source: Text = self._cells[cell]["source"]
        source += text

    def _change(self, change: Any) -> None:
        with self.lock:
            before = self._document.get_state()
            with self._document.transaction():
                change()
            update = self._document.get_update(before)
        self._socket.send_binary(create_update_message(update))

    def _listen(self) -> None:
        with suppress(websocket.WebSocketException, OSError):
            while message := self._socket.recv():
                if isinstance(message, bytes) and message[0] == YMessageType.SYNC:
                    with self.lock:
                        reply = handle_sync_message(message[1:], self._document)
                    if reply is not None:
                        self._socket.send_binary(reply)
                elif isinstance(message, bytes) and message[0] == YMessageType.AWARENESS:
                    with self.lock:
                        self._awareness.apply_awareness_update(read_message(message[1:]), "server")
                elif isinstance(message, bytes) and message[0] == _RAW:
                    self._saved.set()

    def close(self) -> None:
        """The tab is closed."""
        self._socket.close()
        self._thread.join(5)
