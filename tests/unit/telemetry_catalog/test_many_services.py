"""An id taken for the name of a service: what is told stays small, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.store import NOW_NS, Store, open_store
from workspace_ext.telemetry.catalog import gaps, services
from workspace_ext.telemetry.catalog.gaps import profile_of, profile_sql

LINE = 'up{{job="s{}"}} 1 {}\n'


@pytest.fixture
def store(tmp_path: Path):  # type: ignore[no-untyped-def]
    with open_store(tmp_path / "store") as opened:
        yield opened


def fill(store: Store, tmp_path: Path, first: int, count: int) -> None:
    """Metrics of so many services; the first one has the most."""
    at = NOW_NS // 1_000_000
    lines = [LINE.format(first + number, at + number) for number in range(count)]
    lines += [LINE.format(first, at - 60_000 * minute) for minute in range(1, 30)]
    (tmp_path / f"{first}.prom").write_text("".join(lines))
    assert store.ingest(tmp_path / f"{first}.prom", format="prometheus").rows["metrics"]


def test_names(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_NAMES", 50)
    fill(store, tmp_path, 0, 40)
    assert len(store.catalog.services()) == 40
    fill(store, tmp_path, 100, 40)
    named = store.catalog.overview()["services"]
    assert len(named) == 50
    assert "s100" in named
    assert store.catalog.services() == [], "nothing can be checked against a part of them"


def test_described(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sql = services._SQL.replace(f"LIMIT {services.MOST_NAMES}", "LIMIT 10")
    monkeypatch.setattr(services, "_SQL", sql)
    fill(store, tmp_path, 0, 40)
    (tmp_path / "catalog-info.yaml").write_text(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: zebra}\n"
        "spec: {type: service, lifecycle: production, owner: us}\n"
    )
    store.ingest(tmp_path / "catalog-info.yaml")
    found = {each["name"]: each for each in store.catalog.described()}
    assert len(found) == 10
    assert found["zebra"]["catalogued"]
    assert found["s0"]["signals"]["metrics"]["rows"] == 30


def test_profile(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaps, "MOST_SERVICES", 5)
    fill(store, tmp_path, 0, 40)
    sql = profile_sql("metrics").replace("$first", "0").replace("$end", "100000000")
    rows = [dict(zip(("service", "minute", "n"), row, strict=True)) for row in store.rows(sql)]
    profile = profile_of("metrics", rows)
    assert len(profile.services) == 6
    assert profile.total == 69
    assert profile.services["s0"][1].sum() == 30
    assert profile.services[None][1].sum() == 35
