"""Kernels that a test starts by itself, without our server or commands."""

from __future__ import annotations

from typing import Any

from jupyter_client.manager import KernelManager

from tests.support.ports import free_port

_CHANNELS = ("shell", "iopub", "stdin", "hb", "control")


class HeldPorts(KernelManager):
    """A manager whose kernels have ports that nobody else can take before the kernel does."""

    def __init__(self, **kwargs: Any) -> None:
        ports = {f"{channel}_port": free_port() for channel in _CHANNELS}
        super().__init__(cache_ports=False, **ports, **kwargs)
