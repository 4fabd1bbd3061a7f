"""A kernel as a person at the keyboard has it: the Tab key, and the stop button."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.support.kernels import HeldPorts
from tests.support.waiting import PATIENCE_SECONDS, until
from workspace_ext.client.broker import BrokerClient
from workspace_ext.telemetry.query.model import Limits

ENDLESS = (
    "SELECT count(*) FROM spans a, spans b, spans c WHERE a.duration_ns + b.time_ns < c.time_ns"
)


@pytest.fixture
def kernel(
    client: BrokerClient, investigation: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    monkeypatch.setenv("INVESTIGATION_BROKER", client.address)
    monkeypatch.setenv("INVESTIGATION_TOKEN", client.token("k1", user="alice"))
    monkeypatch.setenv("INVESTIGATION_UID", investigation)
    manager = HeldPorts(kernel_name="investigation")
    manager.start_kernel()
    kernel_client = manager.blocking_client()
    kernel_client.start_channels()
    kernel_client.wait_for_ready(timeout=PATIENCE_SECONDS)
    yield manager, kernel_client
    kernel_client.stop_channels()
    manager.shutdown_kernel()


def _complete(kernel_client: BlockingKernelClient, code: str) -> tuple[str, list[str]]:
    """What stands there, and what is proposed for it, as soon as the broker has told."""

    def proposed() -> tuple[str, list[str]] | None:
        answer: Any = kernel_client.complete(code, reply=True, timeout=PATIENCE_SECONDS)
        reply: dict[str, Any] = answer["content"]
        matches = reply["matches"]
        return (code[reply["cursor_start"] : reply["cursor_end"]], matches) if matches else None

    found: tuple[str, list[str]] = until(proposed, f"something is proposed for {code}")
    return found


def test_the_tab_key(kernel: tuple[KernelManager, BlockingKernelClient]) -> None:
    _, kernel_client = kernel
    replaced, ids = _complete(kernel_client, 'investigation.run("lat')
    assert (replaced, {name.partition(".")[0] for name in ids}) == ("lat", {"latency"})
    replaced, ids = _complete(kernel_client, 'investigation.run("latency.sh')
    assert (replaced, ids) == ("latency.sh", ["latency.shift"])
    replaced, names = _complete(kernel_client, 'investigation.run("latency.shift", serv')
    assert (replaced, names) == ("serv", ["service="])
    replaced, values = _complete(
        kernel_client, 'r = investigation.run("latency.shift", service="ts-basic'
    )
    assert (replaced, values) == ("ts-basic", ["ts-basic-service"])
    kernel_client.execute_interactive('h = investigation.hypothesis("x")', timeout=PATIENCE_SECONDS)
    _, ids = _complete(kernel_client, 'h.test("')
    assert len(ids) >= 8
    _, members = _complete(kernel_client, "investigation.conc")
    assert [member.rsplit(".", 1)[-1] for member in members] == ["conclude"]
    _, magics = _complete(kernel_client, "%%telem")
    assert magics == ["%%telemetry"]


def _wait_for_connection(pid: int, port: int) -> None:
    """Until the process holds a connection to the port: then its question is on its way."""

    def connected() -> bool:
        open_now = psutil.Process(pid).net_connections()
        return any(each.raddr and each.raddr.port == port for each in open_now)

    until(connected, "the kernel asks")


def test_the_stop_button_cancels_the_query(
    kernel: tuple[KernelManager, BlockingKernelClient], client: BrokerClient, investigation: str
) -> None:
    manager, kernel_client = kernel
    message = kernel_client.execute(f'investigation.sql("{ENDLESS}")', stop_on_error=False)
    _wait_for_connection(manager.provisioner.pid, int(client.address.rsplit(":", 1)[1]))
    begun = time.monotonic()
    manager.interrupt_kernel()
    reply = kernel_client.get_shell_msg(timeout=PATIENCE_SECONDS)
    while reply["parent_header"]["msg_id"] != message:
        reply = kernel_client.get_shell_msg(timeout=PATIENCE_SECONDS)
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert time.monotonic() - begun < Limits().seconds / 2  # else the query ended by itself
    found = until(lambda: client.state(investigation)["queries"], "the query is recorded")
    (query,) = found.values()
    assert not query["ok"]
    # and the broker is free for the next question
    answer = kernel_client.execute_interactive(
        'assert investigation.run("triage.overview").verdict["rows"]', timeout=PATIENCE_SECONDS
    )
    assert answer["content"]["status"] == "ok"
