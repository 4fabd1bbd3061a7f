"""Kernels as Jupyter has them, but what they say is heard, and they know the broker."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.server.identity import current_actor
from workspace_ext.server.sessions import starting_path

if TYPE_CHECKING:
    from workspace_ext.server.workspace import Workspace

BROKER, TOKEN = "INVESTIGATION_BROKER", "INVESTIGATION_TOKEN"  # names of variables
PROBLEM = "INVESTIGATION_PROBLEM"
"""Tells a kernel why it has no broker."""

_OURS = {BROKER, TOKEN, PROBLEM, "INVESTIGATION_STORE"}

_DEATHS = {"restart": "the kernel died and was started again", "dead": "the kernel died"}


class InvestigationKernelManager(AsyncMappingKernelManager):
    """Starts kernels with a token of their own, and listens to their iopub channels."""

    workspace: Workspace | None = None
    """Set once the extension is loaded; without it, kernels are as Jupyter has them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._heard: dict[str, Any] = {}

    async def _async_start_kernel(
        self, *, kernel_id: str | None = None, path: Any = None, **kwargs: Any
    ) -> str:
        if self.workspace is not None and (kernel_id is None or kernel_id not in self):
            kernel_id = kernel_id or self.new_kernel_id(**kwargs)
            env = dict(kwargs.pop("env", None) or os.environ)
            spec = str(kwargs.get("kernel_name") or self.default_kernel_name)
            kwargs["env"] = await self._equip(self.workspace, env, kernel_id, spec)
        return await super()._async_start_kernel(kernel_id=kernel_id, path=path, **kwargs)

    start_kernel = _async_start_kernel  # type: ignore[assignment]

    async def _async_restart_kernel(self, kernel_id: str, **kwargs: Any) -> Any:  # type: ignore[override]
        if self.workspace is not None:
            self.workspace.tap.ended(kernel_id, "the kernel was restarted")
            self.workspace.adoption.died(kernel_id)
        return await super()._async_restart_kernel(kernel_id, **kwargs)

    restart_kernel = _async_restart_kernel  # type: ignore[assignment]

    async def _async_shutdown_kernel(self, kernel_id: str, **kwargs: Any) -> Any:  # type: ignore[override]
        self._gone(kernel_id, "the kernel was shut down")
        try:
            return await super()._async_shutdown_kernel(kernel_id, **kwargs)
        finally:  # not before: what it still asks on its way out is answered
            if self.workspace is not None:
                self.workspace.kernel_ended(kernel_id)

    shutdown_kernel = _async_shutdown_kernel  # type: ignore[assignment]

    def start_watching_activity(self, kernel_id: str) -> None:
        """Also hears what the kernel says about its runs, with or without a browser."""
        super().start_watching_activity(kernel_id)
        if self.workspace is None:
            return
        tap, adoption = self.workspace.tap, self.workspace.adoption
        kernel = self.get_kernel(kernel_id)
        session = kernel.session

        def hear(parts: list[bytes]) -> None:
            _, message = session.feed_identities(parts)
            tap.outgoing(kernel_id, "iopub", message[1:])
            try:
                adoption.heard(message[1:])
            except Exception:  # edge: whatever a kernel says
                self.log.exception("a message of kernel %s is no message", kernel_id)

        stream: Any = kernel.connect_iopub()
        stream.on_recv(hear)
        self._heard[kernel_id] = stream
        for event, reason in _DEATHS.items():
            self.add_restart_callback(kernel_id, partial(self._gone, kernel_id, reason), event)

    def stop_watching_activity(self, kernel_id: str) -> None:
        """Also stops hearing it."""
        super().stop_watching_activity(kernel_id)
        stream = self._heard.pop(kernel_id, None)
        if stream is not None and not stream.closed():
            stream.close()

    def _gone(self, kernel_id: str, reason: str) -> None:
        if self.workspace is not None:
            self.workspace.tap.ended(kernel_id, reason)
            self.workspace.adoption.died(kernel_id)
            self.workspace.followers.release(kernel_id)

    async def _equip(
        self, workspace: Workspace, env: dict[str, str], kernel_id: str, spec: str
    ) -> dict[str, str]:
        """Tells a kernel where the broker is. It starts without when there is none."""
        env = {name: value for name, value in env.items() if name not in _OURS}
        try:
            address, token = await workspace.kernel_access(
                kernel_id, spec, current_actor(), starting_path.get()
            )
        except InvestigationError as error:
            reason = f"{error.message} ({error.hint})"
        except Exception as error:
            self.log.exception("a kernel's access to the broker failed")
            reason = str(error)
        else:
            return {**env, BROKER: address, TOKEN: token}
        self.log.warning("kernel %s starts without telemetry: %s", kernel_id, reason)
        return {**env, PROBLEM: reason}
