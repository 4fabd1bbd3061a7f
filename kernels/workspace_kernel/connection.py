"""The kernel's line to the broker: found or started on first use, kept until the kernel ends."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from workspace_ext.foundation.actor import system_user
from workspace_ext.foundation.errors import BadInput, Denied, InvestigationError, Unavailable
from workspace_ext.foundation.ids import new_id
from workspace_kernel.context import Here, here

if TYPE_CHECKING:
    from workspace_ext.client.broker import BrokerClient


RESTART_SECONDS = 10.0
"""So long a cell waits for a broker that its server starts again; others after it do not."""


class Connection:
    """A broker's client, and the investigation that a cell belongs to.

    Under a Jupyter server with our extension, and in headless runs, the kernel is told an
    address and a token of its own. Elsewhere ``$INVESTIGATION_STORE`` names the store, and the
    system's user is who asks.

    Args:
        locate: Tells which request is being answered.
    """

    def __init__(self, locate: Callable[[], Here] = here) -> None:
        self.here = locate
        self._client: BrokerClient | None = None
        self._finding = threading.Lock()
        self._store_client: BrokerClient | None = None
        self._opened = ""

    @property
    def client(self) -> BrokerClient:
        """The broker's client.

        Raises:
            Unavailable: Nothing says which broker or store to use, or it does not answer.
        """
        with self._finding:  # completion looks in a thread of its own
            if self._client is None:
                self._client = self._by_address() or self._by_store()
            return self._client

    @property
    def uid(self) -> str:
        """The investigation of the running cell.

        It comes with the request, else from ``$INVESTIGATION_UID``; where nobody names one (a
        plain ``jupyter execute``, a test runner), one is opened, once for this kernel.

        Raises:
            BadInput: There is none, and a kernel may not open one here.
        """
        named = self.here().investigation or os.environ.get("INVESTIGATION_UID", "")
        if named:
            return named
        if not self._opened:
            client = self.client
            try:
                opened = (self._store_client or client).open_investigation(
                    "Untitled", actor=str(system_user())
                )
            except Denied as error:
                raise BadInput(
                    "this notebook belongs to no investigation",
                    hint="choose the kernel Investigation (Python) for it, or begin one from the"
                    " launcher",
                    code="no_investigation",
                ) from error
            self._opened = opened["uid"]
        return self._opened

    def _by_address(self) -> BrokerClient | None:
        """The one that the kernel was told of, if it was."""
        address = os.environ.get("INVESTIGATION_BROKER")
        token = os.environ.get("INVESTIGATION_TOKEN")
        if not address or not token:
            return None
        from workspace_ext.client.broker import BrokerClient

        return BrokerClient(address, token, patience=RESTART_SECONDS)

    def _by_store(self) -> BrokerClient:
        """Finds or starts the store's broker, and keeps it as long as this kernel lives."""
        store = os.environ.get("INVESTIGATION_STORE")
        problem = os.environ.get("INVESTIGATION_PROBLEM")
        if problem and not store:
            raise Unavailable(
                f"this kernel was started without a broker: {problem}",
                hint="mend that, then restart the kernel",
                code="no_broker",
            )
        if not store:
            raise Unavailable(
                "this kernel was told of no broker and no store",
                hint="open the notebook in JupyterLab with the investigation extension, or set"
                " INVESTIGATION_STORE to the workspace folder before the kernel starts",
                code="no_broker",
            )
        from workspace_ext.client.broker import BrokerClient
        from workspace_ext.client.discovery import connect

        connection = connect(Path(store))
        atexit.register(connection.close)
        self._store_client = connection.client
        kernel = new_id()
        token = connection.client.token(kernel, user=system_user().name)
        atexit.register(_revoke, connection.client, kernel)  # before the line is closed
        return BrokerClient(connection.client.address, token)


def _revoke(client: BrokerClient, kernel: str) -> None:
    with suppress(InvestigationError):  # the broker is gone
        client.revoke_tokens([kernel])
