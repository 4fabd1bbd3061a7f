"""An archive before those who never heard of us: BagIt, RO-Crate, PROV, PEP 751."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.pylock import Pylock
from prov.model import (
    ProvActivity,
    ProvAgent,
    ProvDelegation,
    ProvDerivation,
    ProvDocument,
    ProvUsage,
)

from tests.support.archive import Frozen, several
from tests.support.validators import bag_problems, crate_problems, extracted
from workspace_ext.inquiry.archive.reader import Archive


@pytest.fixture(scope="module")
def bag(frozen: Frozen, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extracted(frozen.path, tmp_path_factory.mktemp("bag"))


@pytest.fixture(scope="module")
def graph(bag: Path) -> dict[str, dict[str, Any]]:
    crate = json.loads((bag / "data" / "ro-crate-metadata.json").read_bytes())
    return {entity["@id"]: entity for entity in crate["@graph"]}


def test_bagit_finds_the_bag_valid_and_a_change_in_it(bag: Path, tmp_path: Path) -> None:
    assert bag_problems(bag) == ""
    env = bag / "data" / "env.json"
    before = env.read_bytes()
    env.write_bytes(before + b" ")
    assert "Payload-Oxum" in bag_problems(bag)
    env.write_bytes(before)


def test_roc_validator_finds_a_provenance_run_crate(bag: Path, tmp_path: Path) -> None:
    assert crate_problems(bag, tmp_path / "cache") == []
    crate = bag / "data" / "ro-crate-metadata.json"
    before = crate.read_text()
    crate.write_text(before.replace('"HowToStep"', '"HowToTip"'))
    assert crate_problems(bag, tmp_path / "cache") != []
    crate.write_text(before)


def test_each_run_of_a_cell_is_an_action_of_a_person(
    frozen: Frozen, graph: dict[str, dict[str, Any]]
) -> None:
    runs = [entity for at, entity in graph.items() if at.startswith("#run-")]
    with Archive(frozen.path) as archive:
        started = [entry for entry in archive.ledger() if entry["type"] == "run.started"]
    assert len(runs) == len(started)
    assert {run["agent"]["@id"] for run in runs} == {"#user%3Aalice"}
    assert graph["#user%3Aalice"]["name"] == "alice"
    failed = [run for run in runs if "Failed" in run.get("actionStatus", "")]
    assert any("division by zero" in run["error"] for run in failed)
    read = {part["@id"] for run in runs for part in several(run.get("object", []))}
    texts = {part for part in read if part.startswith("templates/1")}  # it was edited on the way
    assert {"slices/spans.parquet", "slices/logs.parquet"} == read - texts
    assert len(texts) == 2


def test_every_file_is_described_with_size_and_digest(
    bag: Path, graph: dict[str, dict[str, Any]]
) -> None:
    files = {path.relative_to(bag / "data").as_posix() for path in (bag / "data").rglob("*.*")}
    described = {at for at, entity in graph.items() if "File" in entity["@type"]}
    assert described == files - {"ro-crate-metadata.json"}
    assert all(len(graph[at]["sha256"]) == 64 for at in described)


def test_prov_walks_from_a_cell_to_the_source_of_its_data(bag: Path) -> None:
    document = ProvDocument.deserialize(str(bag / "data" / "prov.json"), format="json")
    derived = {str(one.args[0]): str(one.args[1]) for one in document.get_records(ProvDerivation)}
    spans = "inv:part/slices%2Fspans.parquet"
    batch = derived[spans]
    assert batch.startswith("inv:batch/")
    assert derived[batch].startswith("inv:source/spans-")
    readers = {
        str(use.args[0]) for use in document.get_records(ProvUsage) if str(use.args[1]) == spans
    }
    assert readers
    assert readers <= {str(each.identifier) for each in document.get_records(ProvActivity)}
    assert {str(one.args[1]) for one in document.get_records(ProvDelegation)} == {
        "inv:agent/user%3Aalice"
    }
    agents = {str(each.identifier).partition("%3A")[0] for each in document.get_records(ProvAgent)}
    assert agents == {"inv:agent/user", "inv:agent/kernel", "inv:agent/service"}


def test_the_environment_is_a_lock_file(bag: Path) -> None:
    content = tomllib.loads((bag / "data" / "pylock.toml").read_text("utf-8"))
    lock = Pylock.from_dict(content)
    lock.validate()
    told = json.loads((bag / "data" / "env.json").read_bytes())
    assert {str(each.name): str(each.version) for each in lock.packages} == told["packages"]
    assert told["of"] == "kernel and broker"
