"""Formats come from entry points: ours, and those of anybody's package."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from tests.support.places import REPOSITORY
from tests.support.store import Store
from workspace_ext.foundation.entries import entry_points
from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest import registry
from workspace_ext.telemetry.ingest.adapter import GROUP, Adapter, Head

SECTION = (
    (REPOSITORY / "CONTRIBUTING.md")
    .read_text("utf-8")
    .split("## Add an ingest adapter")[1]
    .split("\n## ")[0]
)
PYTHON = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)[0]
TOML = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)[0]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Installs a package with adapters, as an installer leaves it."""

    def install(modules: dict[str, str], points: dict[str, str]) -> None:
        info = tmp_path / "tally_adapter-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tally-adapter\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in points.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines, ""]))
        for name, text in modules.items():
            (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        forget()

    yield install
    forget()
    for module in ("tally_adapter", "broken_adapter"):
        sys.modules.pop(module, None)


def forget() -> None:
    entry_points.cache_clear()
    registry._load.cache_clear()


def test_the_example_of_contributing_is_an_adapter(install, store: Store, tmp_path: Path) -> None:
    assert len(SECTION.strip().splitlines()) < 40
    points = tomllib.loads(TOML)["project"]["entry-points"][GROUP]
    install({"tally_adapter": PYTHON}, points)
    assert "tally" in registry.formats()
    file = tmp_path / "till.tally"
    file.write_text("1700000000 cart 5\n1700000001 cart\n1700000002 cart -1\n\n1700000003 pay 7\n")
    report = store.ingest(file)
    assert (report.format, report.rows, report.quarantined) == ("tally", {"metrics": 2}, 2)
    assert store.rows("SELECT service, value FROM metrics ORDER BY time") == [
        ("cart", 5.0),
        ("pay", 7.0),
    ]
    assert [line for line, _ in store.quarantine()] == [2, 3]
    assert store.ingest(file).already


def test_a_broken_stranger_does_not_stop_the_others(install, store: Store, tmp_path: Path) -> None:
    install({"broken_adapter": "raise RuntimeError('old')"}, {"broken": "broken_adapter:ADAPTER"})
    assert registry.detect(Head(b'{"resourceSpans":[]}', "a")) == "otlp-json"
    with pytest.raises(BadInput, match="cannot be loaded: old"):
        registry.find("broken")
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(BadInput, match="cannot be loaded"):
        store.ingest(tmp_path / "x", format="broken")
    assert store.catalog.pin() == 0


@pytest.mark.parametrize("kind", ["ZeroDivisionError", "BaseException"])  # a panic is the latter
def test_an_adapter_that_fails_is_one_error(
    install, store: Store, tmp_path: Path, kind: str
) -> None:
    text = PYTHON.replace("by_lines(_line)", "fail")
    text = text.replace("\nADAPTER", f"\ndef fail(*_):\n    raise {kind}\n    yield\n\n\nADAPTER")
    install({"tally_adapter": text}, {"tally": "tally_adapter:ADAPTER"})
    (tmp_path / "x.tally").write_bytes(b"x")
    with pytest.raises(BadInput, match=f"the adapter tally failed: {kind}") as caught:
        store.ingest(tmp_path / "x.tally")
    assert caught.value.code == "adapter_failed"
    assert store.catalog.pin() == 0


@pytest.mark.parametrize("name", registry.formats())
def test_each_of_ours_is_an_adapter(name: str) -> None:
    adapter = registry.find(name)
    assert isinstance(adapter, Adapter)
    assert adapter.title
    assert adapter.recognise(Head(b"", "")) == 0


def test_who_claims_the_same_must_be_named() -> None:
    with pytest.raises(BadInput, match="no format that is known"):
        registry.detect(Head(b"Dear diary", "diary.txt"))
    with pytest.raises(BadInput, match="'xml' is not a format"):
        registry.find("xml")


def test_noise_is_hardly_ever_taken_for_a_request() -> None:
    first_field = b"\n"  # every request in OTLP's protobuf begins with it, and 1 of 256 noises
    recognise = registry.find("otlp-proto").recognise
    noises = (first_field + Random(number).randbytes(4095) for number in range(2000))
    assert sum(recognise(Head(noise, "noise.bin")) > 0 for noise in noises) < 20
    assert recognise(Head(first_field)) == 0


def test_the_command_line_offers_what_there_is() -> None:
    command = import_module("workspace_ext.cli.ingest").command
    shown = CliRunner().invoke(command, ["--help"], terminal_width=400).output
    assert "|".join(registry.formats()) in shown


def test_naming_the_formats_imports_none() -> None:
    code = (
        "import sys; from workspace_ext.telemetry.ingest.registry import formats; formats();"
        "sys.exit(any(m in sys.modules for m in ('duckdb', 'pyarrow', 'google.protobuf')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
