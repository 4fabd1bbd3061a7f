"""The websocket between a browser and a kernel, with the person's name on every message."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import zmq
from jupyter_client.jsonutil import json_default
from jupyter_server.services.kernels.connection.base import (
    deserialize_binary_message,
    deserialize_msg_from_ws_v1,
    serialize_binary_message,
    serialize_msg_to_ws_v1,
)
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from workspace_ext.access.roles import may
from workspace_ext.inquiry.capture.runs import asks_to_run
from workspace_ext.server.ending import end_tasks
from workspace_ext.server.identity import actor_of
from workspace_ext.server.roles import reads_only, role_of

if TYPE_CHECKING:
    from workspace_ext.server.workspace import Workspace

V1 = "v1.kernel.websocket.jupyter.org"


@dataclass
class Incoming:
    """A message from a browser; ``encode`` gives it back with what was changed."""

    channel: str
    header: dict[str, Any]
    metadata: dict[str, Any]
    content: dict[str, Any]

    def parts(self) -> dict[str, dict[str, Any]]:
        """Header, metadata and content: the very objects, to be changed in place."""
        return {"header": self.header, "metadata": self.metadata, "content": self.content}

    def encode(self) -> Any:
        """The message as it goes on."""
        raise NotImplementedError


@dataclass
class _Version1(Incoming):
    """Parts as they go over the wire; header and metadata are written anew, the rest is kept."""

    raw: list[Any]

    @classmethod
    def decode(cls, message: Any) -> _Version1:
        channel, parts = deserialize_msg_from_ws_v1(message)
        header = json.loads(parts[0])
        runs_code = header.get("msg_type") == "execute_request"
        return cls(
            channel=channel,
            header=header,
            metadata=json.loads(parts[2]),
            content=json.loads(parts[3]) if runs_code else {},
            raw=parts,
        )

    def encode(self) -> bytes:
        parts = list(self.raw)
        parts[0], parts[2] = _json(self.header), _json(self.metadata)
        encoded: bytes = serialize_msg_to_ws_v1(parts, self.channel)
        return encoded


@dataclass
class _Legacy(Incoming):
    """The JSON protocol of older front ends."""

    whole: dict[str, Any]
    binary: bool

    @classmethod
    def decode(cls, message: Any) -> _Legacy:
        binary = isinstance(message, bytes)
        whole = deserialize_binary_message(message) if binary else json.loads(message)
        return cls(
            channel=whole.get("channel") or "shell",
            header=whole["header"],
            metadata=whole.setdefault("metadata", {}),
            content=whole["content"],
            whole=whole,
            binary=binary,
        )

    def encode(self) -> Any:
        self.whole.update(header=self.header, metadata=self.metadata)
        if self.binary:
            return serialize_binary_message(self.whole)
        return json.dumps(self.whole, default=json_default)


class InvestigationConnection(ZMQChannelsWebsocketConnection):
    """Stamps who asks into each message, on whatever channel, and shows all to the tap.

    What goes wrong here must never stop a notebook: it is logged, and the message goes on.
    """

    takes_roles = True
    """Says to the door that this asks by itself what may go on to the kernel."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._held: deque[Any] | None = None
        self._gone = False

    @property
    def _workspace(self) -> Workspace:
        workspace: Workspace = self.websocket_handler.settings["investigation_workspace"]
        return workspace

    @classmethod
    async def close_all(cls) -> None:
        """Closes every connection: the last thing that a server waits for as it stops."""
        await super().close_all()
        await end_tasks()

    def connect(self) -> Any:
        """Begins; each message leaves at once.

        A run has many small messages. Without this the system holds the second back until the
        browser has acknowledged the first, which on one machine takes it 40 ms a cell.
        """
        self.websocket_handler.set_nodelay(True)
        if reads_only(self.websocket_handler):  # never takes what waits for another's page
            self.session.session = f"{self.websocket_handler.current_user.username} reads {uuid4()}"
        with self._guarded("kernel %s: who came back is not known"):
            self._workspace.adoption.broke(str(self.kernel_id), self.session.session)
        return super().connect()

    def disconnect(self) -> None:  # type: ignore[override] # as its parent has it
        """Ends; what it still runs is written into the notebook by the server."""
        self._gone = True
        with self._guarded("kernel %s: what a browser asked for last may not have arrived"):
            for stream in self.channels.values():
                if stream is not None and not stream.closed():
                    stream.flush(zmq.POLLOUT)  # else it drops what waits to be sent
        super().disconnect()
        with self._guarded("kernel %s: outputs of a browser that went may be missing"):
            self._workspace.adoption.broke(str(self.kernel_id), self.session.session)

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """From the browser to the kernel."""
        message: Incoming | None = None
        with self._guarded("a message to kernel %s could not be read; it goes on as it is"):
            message = self._decode(incoming_msg)
        if reads_only(self.websocket_handler):
            if message is not None:
                self._ask(message)
            return
        if message is None:
            super().handle_incoming_message(incoming_msg)
            return
        if self._held is not None and message.channel == "shell":
            self._held.append(message)
            return
        path = self._waits_for(message)
        if path is None:
            self._forward(message)
        else:
            self._held = deque([message])
            self._workspace.spawn(self._release(path))

    def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
        """From the kernel to the browser."""
        with self._guarded("gap in the record: a message of kernel %s"):
            _, parts = self.session.feed_identities(outgoing_msg)
            if self._workspace.adoption.is_told(parts[1:]):
                return
            channel = stream if isinstance(stream, str) else getattr(stream, "channel", "")
            self._workspace.tap.outgoing(str(self.kernel_id), str(channel), parts[1:], self)
        super().handle_outgoing_message(stream, outgoing_msg)

    def _ask(self, message: Incoming) -> None:
        """Takes of somebody who only reads what any page asks to show the kernel's name."""
        kind = str(message.header.get("msg_type"))
        if message.channel == "shell" and kind in _QUESTIONS:
            self._forward(message)
        elif kind.endswith("_request"):
            for channel, name, content in refusal(kind):
                told = self.session.msg(name, content, parent={"header": message.header})
                told["channel"] = channel
                self._tell(told)

    def _tell(self, message: dict[str, Any]) -> None:
        """Says something to the browser in the kernel's place."""
        if self.subprotocol == V1:
            names = ("header", "parent_header", "metadata", "content")
            parts = [json.dumps(message[name], default=json_default).encode() for name in names]
            self.write_message(serialize_msg_to_ws_v1(parts, message["channel"]), binary=True)
        else:
            self.write_message(json.dumps(message, default=json_default))

    @contextmanager
    def _guarded(self, told: str) -> Iterator[None]:
        """Logs what goes wrong in it, with the kernel's id, and goes on."""
        try:
            yield
        except Exception:
            self.log.exception(told, self.kernel_id)

    def _decode(self, message: Any) -> Incoming:
        return (_Version1 if self.subprotocol == V1 else _Legacy).decode(message)

    def _waits_for(self, message: Incoming) -> str | None:
        """The notebook whose investigation must be there before a run may go on."""
        if self._held is not None or not asks_to_run(message.parts()):
            return None
        with self._guarded("gap in the record: a request to kernel %s"):
            cell_id = str(message.metadata.get("cellId") or "")
            return self._workspace.tap.unopened(str(self.kernel_id), cell_id)
        return None

    async def _release(self, path: str) -> None:
        """Lets the held messages go, in order, once it is known what this notebook is."""
        try:
            actor = actor_of(self.websocket_handler.current_user)
            await self._workspace.make_ready(path, actor)
        finally:
            held, self._held = self._held or deque(), None
            send = self._run_late if self._gone else self._forward
            for message in held:
                with self._guarded("kernel %s went away before a message"):
                    send(message)

    def _run_late(self, message: Incoming) -> None:
        """Runs what a browser asked for that went before it was known what its notebook is."""
        if not asks_to_run(message.parts()):
            return
        shell: Any = self.kernel_manager.connect_shell()
        try:
            self._record(message)
            self.session.send(shell, {**message.parts(), "parent_header": {}})
            shell.flush(zmq.POLLOUT)
        finally:
            shell.close(linger=_LATE_MILLISECONDS)
            self._workspace.adoption.broke(str(self.kernel_id), self.session.session)

    def _forward(self, message: Incoming) -> None:
        self._record(message)
        super().handle_incoming_message(message.encode())

    def _record(self, message: Incoming) -> None:
        """Stamps a message that goes on, and tells of it."""
        actor = actor_of(self.websocket_handler.current_user)
        message.header["username"] = actor.name
        with self._guarded("gap in the record: a request to kernel %s"):
            self._workspace.tap.incoming(
                str(self.kernel_id),
                message.channel,
                message.parts(),
                actor,
                role_of(self.websocket_handler),
            )
            if asks_to_run(message.parts()):
                cell, run = str(message.metadata.get("cellId") or ""), message.header["msg_id"]
                self._workspace.adoption.asked(str(self.kernel_id), cell, run, self.session.session)


_LATE_MILLISECONDS = 10_000
"""How long a busy kernel has to take what is sent to it as the line to it closes."""

_QUESTIONS = frozenset({"kernel_info_request", "comm_info_request"})


def refusal(kind: str) -> list[tuple[str, str, dict[str, Any]]]:
    """What somebody who only reads hears instead of an answer: channel, type and content."""
    refused = may("viewer", "run")
    reason = f"{refused.reason}; {refused.hint}"
    error = {"ename": "ReadOnly", "evalue": reason, "traceback": [reason]}
    reply = ("shell", kind.replace("_request", "_reply"), {"status": "error", **error})
    idle = ("iopub", "status", {"execution_state": "idle"})
    said = [("iopub", "error", error)] if kind == "execute_request" else []
    return [*said, reply, idle]


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()  # in ASCII: it also carries what is no valid text
