"""A browser tab in shared editing: the document, kept in step with the server's."""

from __future__ import annotations

import socket
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
    YSyncMessageType,
    create_sync_message,
    create_update_message,
    handle_sync_message,
    read_message,
)

from tests.support.jupyter import Jupyter
from tests.support.waiting import PATIENCE_SECONDS, until

_RAW = 2
"""The type of jupyter-collaboration's own messages, after SYNC and AWARENESS."""


class Editor:
    """One notebook, open. Read and write it under `lock`: updates come in a thread."""

    def __init__(self, server: Jupyter, path: str, user: str = "alice") -> None:
        wanted = {"format": "json", "type": "notebook"}
        self.session = session = server.request(
            "PUT", f"/api/collaboration/session/{quote(path)}", wanted, user=user
        )
        self._room = f"json:notebook:{session['fileId']}?sessionId={session['sessionId']}"
        self._user = user
        self.lock = threading.Lock()
        self._saved = threading.Event()
        self._answered = threading.Event()
        self.closed: int | None = None
        self._document: Doc[Any] = Doc()
        self._awareness = Awareness(self._document)
        self._meta = self._document.get("meta", type=Map)
        self._state = self._document.get("state", type=Map)
        self._cells = self._document.get("cells", type=Array)
        self.join(server)
        until(lambda: self.read()["cells"], f"{path} is loaded")

    def join(self, server: Jupyter) -> None:
        """Connects, also again: to the same room, with all that this tab has."""
        self.closed = None
        self._socket = server.socket(f"/api/collaboration/room/{self._room}", self._user)
        self._socket.settimeout(None)  # it may be quiet for long
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        with self.lock:
            self.tell(create_sync_message(self._document))

    def cut(self) -> None:
        """The connection breaks, without a word; typing goes on."""
        line = self._socket.sock
        if line is not None:  # else it is broken already
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def settle(self) -> None:
        """Waits until the server has answered everything that was sent."""
        self._answered.clear()
        with self.lock:
            self.tell(create_sync_message(self._document))
        assert self._answered.wait(PATIENCE_SECONDS), "the server answers"

    def add(self, key: str, text: str) -> None:
        """Adds a cell at the end."""
        cell = {"id": key, "cell_type": "code", "metadata": Map({}), "source": Text(text)}
        cell |= {"outputs": Array(), "execution_count": None}
        self._change(lambda: self._cells.append(Map(cell)))

    def drop(self, key: str) -> None:
        """Deletes a cell."""
        self._change(lambda: self._cells.pop(self._place(key)))

    def type_in(self, key: str, text: str) -> None:
        """Types at the end of the cell of an id."""
        self._change(lambda: self._append(self._place(key), text))

    def add_output(self, key: str, text: str) -> None:
        """Adds an output of printed text to a cell, as whoever ran it does."""
        output = {"output_type": "stream", "name": "stdout", "text": Text(text)}
        self._change(lambda: self._cells[self._place(key)]["outputs"].append(Map(output)))

    def _place(self, key: str) -> int:
        return next(i for i, cell in enumerate(self._cells) if cell["id"] == key)

    def read(self) -> dict[str, Any]:
        """The notebook as this tab shows it."""
        with self.lock:
            return {"metadata": self._meta.to_py().get("metadata"), "cells": self._cells.to_py()}

    def hash(self) -> str:
        """What this tab knows as the hash of the file."""
        with self.lock:
            return str(self._state.get("hash", ""))

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
        assert self._saved.wait(PATIENCE_SECONDS), "the server saves"

    def _append(self, cell: int, text: str) -> None:
        source: Text = self._cells[cell]["source"]
        source += text

    def _change(self, change: Any) -> None:
        with self.lock:
            before = self._document.get_state()
            with self._document.transaction():
                change()
            update = self._document.get_update(before)
        with suppress(OSError, websocket.WebSocketException):  # goes with the next sync
            self._socket.send_binary(create_update_message(update))

    def _listen(self) -> None:
        with suppress(websocket.WebSocketException, OSError):
            while message := self._socket.recv():
                if isinstance(message, bytes) and message[0] == YMessageType.SYNC:
                    with self.lock:
                        reply = handle_sync_message(message[1:], self._document)
                    if reply is not None:
                        self._socket.send_binary(reply)
                    if message[1] == YSyncMessageType.SYNC_STEP2:
                        self._answered.set()
                elif isinstance(message, bytes) and message[0] == YMessageType.AWARENESS:
                    with self.lock:
                        self._awareness.apply_awareness_update(read_message(message[1:]), "server")
                elif isinstance(message, bytes) and message[0] == _RAW:
                    self._saved.set()

    def close(self) -> None:
        """The tab is closed."""
        self._socket.close()
        self._thread.join(5)
