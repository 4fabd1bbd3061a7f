"""The door: who gets in, what is refused, and how it says so."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import urllib3

import workspace_ext
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.errors import BadInput, Denied, NotFound


def test_health_tells_who_is_there(client: BrokerClient, store: Path) -> None:
    health = client.health()
    assert health["status"] == "ready"
    assert health["store"] == str(store)
    assert health["version"] == workspace_ext.__version__
    assert health["leases"] == 1


def test_broker_file_is_for_its_owner_alone(client: BrokerClient, store: Path) -> None:
    entry = json.loads((store / "broker.json").read_text())
    assert entry["address"] == client.address
    assert stat.S_IMODE((store / "broker.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("path", ["/v1/health", "/v1/catalog", "/v1/lease", "/nowhere", "/"])
@pytest.mark.parametrize(
    "token", [None, "", "Bearer ", "Bearer x", "Bearer ik1.e30.e30", "Basic x"]
)
def test_nothing_without_a_token(client: BrokerClient, path: str, token: str | None) -> None:
    headers = {} if token is None else {"Authorization": token}
    answer = urllib3.request("GET", client.address + path, headers=headers)
    assert answer.status == 403
    assert answer.json()["error"]["kind"] == "Denied"


def test_a_wrong_token_arrives_as_denied(client: BrokerClient) -> None:
    with pytest.raises(Denied) as caught:
        BrokerClient(client.address, "wrong").health()
    assert caught.value.hint


def test_a_kernel_token_reads_and_no_more(client: BrokerClient) -> None:
    kernel = BrokerClient(client.address, client.token("k1", user="alice", notebook="a.ipynb"))
    assert kernel.health()["status"] == "ready"
    assert kernel.health()["store"] is None  # a kernel never knows where the store lies
    assert client.health()["store"]
    with pytest.raises(Denied):
        kernel.token("k2", user="bob")
    with pytest.raises(Denied):
        kernel.lease()


def test_a_kernel_that_was_shut_down_is_refused_and_the_others_are_not(
    client: BrokerClient,
) -> None:
    gone, alive = (BrokerClient(client.address, client.token(k, user="al")) for k in ("g", "a"))
    client.revoke_tokens(["g"])
    assert alive.health()
    with pytest.raises(Denied, match="shut down"):
        gone.health()
    with pytest.raises(Denied):
        alive.revoke_tokens(["a"])


@pytest.mark.parametrize("kernels", [None, "k1", [1]])
def test_only_ids_of_kernels_can_be_revoked(
    client: BrokerClient, store: Path, kernels: object
) -> None:
    answer = send(client, store, "POST", "/v1/tokens/revoke", json={"kernels": kernels})
    assert (answer.status, answer.json()["error"]["kind"]) == (400, "BadInput")


def send(client: BrokerClient, store: Path, method: str, path: str, **how: object) -> object:
    token = json.loads((store / "broker.json").read_text())["token"]
    headers = {"Authorization": f"Bearer {token}"}
    return urllib3.request(method, client.address + path, headers=headers, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "object"),
        (b"", "object"),
        (b'{"kernel": 3, "user": "u"}', "kernel must be a text"),
        (b'{"user": "u"}', "kernel must be a text"),
    ],
)
def test_a_wrong_body_is_explained(
    client: BrokerClient, store: Path, body: bytes, says: str
) -> None:
    answer = send(client, store, "POST", "/v1/tokens", body=body)
    assert answer.status == 400
    error = answer.json()["error"]
    assert error["kind"] == "BadInput"
    assert says in error["message"]
    assert error["hint"]


def test_a_body_too_large_is_refused_before_it_is_read(client: BrokerClient, store: Path) -> None:
    answer = send(client, store, "POST", "/v1/tokens", body=bytes(65 << 20))
    assert answer.status == 400
    assert answer.json()["error"]["code"] == "too_large"
    assert client.health()["status"] == "ready"


def test_unknown_route_and_wrong_method(client: BrokerClient, store: Path) -> None:
    answer = send(client, store, "GET", "/v2/else")
    assert answer.status == 404
    assert answer.json()["error"]["kind"] == NotFound.__name__
    answer = send(client, store, "GET", "/v1/tokens")
    assert answer.status == 405
    assert answer.json()["error"]["kind"] == BadInput.__name__
    answer = send(client, store, "DELETE", "/v1/tokens")
    assert answer.status == 405


@pytest.mark.parametrize("number", ["x", "-1", "1.5", "9" * 40, "", "٣"])
def test_a_wrong_number_is_explained(client: BrokerClient, store: Path, number: str) -> None:
    answer = send(client, store, "GET", f"/v1/catalog/batches?limit={number}")
    assert answer.status == 400
    assert "limit=" in answer.json()["error"]["message"]
