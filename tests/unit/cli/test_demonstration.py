"""Which folders the demo takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from workspace_ext.cli.demonstration import prepare
from workspace_ext.foundation.errors import Conflict


def test_a_demo_that_was_stopped_early_goes_on(tmp_path: Path) -> None:
    place = prepare(tmp_path / "demo")
    assert prepare(tmp_path / "demo") == place


def test_a_demo_does_not_mix_with_a_workspace_in_use(tmp_path: Path) -> None:
    prepare(tmp_path)
    (tmp_path / "incident.ipynb").write_text("{}")
    with pytest.raises(Conflict, match="no demo folder"):
        prepare(tmp_path)


def test_a_demo_goes_on_beside_what_its_user_made(tmp_path: Path) -> None:
    place = prepare(tmp_path)
    place.notebook.write_text("{}")
    (tmp_path / "more.ipynb").write_text("{}")
    assert prepare(tmp_path) == place
