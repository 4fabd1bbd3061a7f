"""The kernel's line to the broker: found or started on first use, kept until the kernel ends."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from workspace_ext.foundation.errors import Unavailable
from workspace_kernel.context import Here, here

if TYPE_CHECKING:
    from workspace_ext.client.broker import BrokerClient


class Connection:
    """A broker's client, and the investigation that a cell belongs to.

    Args:
        locate: Tells which request is being answered.
    """

    def __init__(self, locate: Callable[[], Here] = here) -> None:
        self.here = locate
        self._client: BrokerClient | None = None
        self._opened = ""

    @property
    def client(self) -> BrokerClient:
        """The broker's client.

        Raises:
            Unavailable: Nothing says which broker or store to use, or it does not answer.
        """
        if self._client is None:
            self._client = _connect()
        return self._client

    @property
    def uid(self) -> str:
        """The investigation of the running cell.

        It comes with the request, else from ``$INVESTIGATION_UID``; where nobody names one (a
        plain ``jupyter execute``, a test runner), one is opened, once for this kernel.
        """
        named = self.here().investigation or os.environ.get("INVESTIGATION_UID", "")
        if named:
            return named
        if not self._opened:
            self._opened = self.client.open_investigation("Untitled")["uid"]
        return self._opened


def _connect() -> BrokerClient:
    address, token = os.environ.get("INVESTIGATION_BROKER"), os.environ.get("INVESTIGATION_TOKEN")
    if address and token:
        from workspace_ext.client.broker import BrokerClient

        return BrokerClient(address, token)
    store = os.environ.get("INVESTIGATION_STORE")
    if not store:
        raise Unavailable(
            "this kernel was told of no broker and no store",
            hint="open the notebook in JupyterLab with the investigation extension, or set"
            " INVESTIGATION_STORE to the workspace folder before the kernel starts",
            code="no_broker",
        )
    from workspace_ext.client.discovery import connect

    connection = connect(Path(store))
    client = connection.__enter__()
    atexit.register(connection.__exit__, None, None, None)
    return getattr(client, "client", client)
