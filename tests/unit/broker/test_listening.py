"""Addresses that this machine can reach."""

from __future__ import annotations

import pytest

from workspace_ext.broker.listening import reachable


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:4317"),
        ("0.0.0.0", "http://127.0.0.1:4317"),
        ("::", "http://127.0.0.1:4317"),
        ("::1", "http://[::1]:4317"),
        ("collector", "http://collector:4317"),
    ],
)
def test_a_port_open_to_all_is_announced_at_loopback(host: str, address: str) -> None:
    assert reachable(host, 4317) == address
