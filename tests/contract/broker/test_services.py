"""The service catalog joined to what services send."""

from __future__ import annotations

import pytest

from tests.support.live import Receiver, export_request
from tests.support.payloads import CATALOG
from workspace_ext.foundation.errors import BadInput

YAML = "application/yaml"
OWNER = "SELECT owner FROM services WHERE name = 'cart'"


def owners(live: Receiver, sql: str = OWNER, **how: int) -> list[str]:
    return list(live.client.query({"sql": sql, **how}).table["owner"].to_pylist())  # type: ignore[typeddict-item]


def test_newer_entries_win_and_older_pins_keep_theirs(live: Receiver) -> None:
    assert live.post("/catalog", CATALOG, YAML).status < 300
    first = live.client.catalog()["pin"]
    live.post("/v1/traces", export_request(0, 5), "application/x-protobuf")
    live.post("/v1/traces", export_request(5, 5, service="web"), "application/x-protobuf")
    assert live.post("/catalog", CATALOG, YAML).status < 300, "again: nothing new"
    assert live.post("/catalog", CATALOG.replace("default/red", "default/blue"), YAML).status < 300
    live.client.catalog()

    assert owners(live) == ["blue"]
    assert owners(live, pin=first) == ["red"]
    joined = "SELECT owner FROM spans JOIN services ON spans.service = services.name"
    assert owners(live, joined) == ["blue"] * 5
    found = {each["name"]: each for each in live.client.services()}
    cart, web = found["cart"], found["web"]
    assert (cart["owner"], cart["tier"], cart["lifecycle"]) == ("blue", "1", "production")
    assert cart["depends_on"] == ["payment", "resource:cart-db", "stock"]
    assert cart["signals"]["spans"]["rows"] == 5
    assert (web["catalogued"], web["owner"]) == (False, None)
    (old,) = live.client.services(pin=first)
    assert (old["owner"], old["signals"]) == ("red", {})


def test_a_pin_that_is_no_number_is_refused(live: Receiver) -> None:
    with pytest.raises(BadInput, match="whole number"):
        live.client.services(pin="newest")  # type: ignore[arg-type]
