"""A kernel client whose requests name their cell, and which tells of each before it is sent."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from traitlets import Type, default

from workspace_ext.foundation.ids import new_id


class StampingClient(AsyncKernelClient):  # type: ignore[misc,unused-ignore]
    """Adds metadata to requests to run code, as the Jupyter server does to those of a browser.

    Attributes:
        stamp: The metadata of the next request.
        before: Told of each request, before the kernel gets it.
    """

    stamp: dict[str, Any]
    before: Callable[[dict[str, Any]], None]

    def execute(  # the base class's
        self,
        code: str,
        silent: bool = False,
        store_history: bool = True,
        user_expressions: dict[str, Any] | None = None,
        allow_stdin: bool | None = None,
        stop_on_error: bool = True,
    ) -> str:
        """Runs code; see the base class, which cannot send metadata."""
        content = {
            "code": code,
            "silent": silent,
            "store_history": store_history,
            "user_expressions": user_expressions or {},
            "allow_stdin": self.allow_stdin if allow_stdin is None else allow_stdin,
            "stop_on_error": stop_on_error,
        }
        message = self.session.msg("execute_request", content, metadata=self.stamp)
        self.before(message)
        self.shell_channel.send(message)
        return str(message["header"]["msg_id"])


class StampingManager(AsyncKernelManager):
    """A kernel manager whose clients stamp, and whose messages nobody else on the machine reads.

    On Linux, kernels are reached without ports: ports are chosen before the kernel takes them, and
    whoever takes one in between ends it. It also works where a kernel has no network.

    Attributes:
        launcher: Stands before the kernel's command.
    """

    client_factory = Type(StampingClient, klass="jupyter_client.client.KernelClient")
    launcher: tuple[str, ...] = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if sys.platform == "linux":
            self.transport = "ipc"
            self.ip = f"@investigation-{new_id()}"  # no file: Linux' abstract namespace

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """The command of the kernel, launcher first."""
        return [*self.launcher, *super().format_kernel_cmd(extra_arguments)]

    @default("transport_encryption")
    def _encrypted_where_possible(self) -> str:
        return "auto" if zmq.has("curve") else "disabled"
