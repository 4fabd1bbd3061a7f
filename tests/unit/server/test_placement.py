"""Where state goes, and that a user's own configuration wins."""

from __future__ import annotations

from pathlib import Path

import pytest
from traitlets.config import Config, Configurable

from workspace_ext.server.placement import place_state, state_folder
from workspace_ext.storage.folder import StoreFolder


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def test_a_store_keeps_the_state_once_it_is_there(tmp_path: Path, data_dir: Path) -> None:
    store = tmp_path / "store"

    assert state_folder(store).is_relative_to(data_dir)
    StoreFolder.create(store)
    assert state_folder(store) == store / "jupyter"


def test_two_stores_have_two_places(tmp_path: Path, data_dir: Path) -> None:
    assert state_folder(tmp_path / "a") != state_folder(tmp_path / "b")


@pytest.mark.parametrize(
    ("section", "said"),
    [("BaseFileIdManager", "/own/ids.db"), ("LocalFileIdManager", "/own/ids.db")],
)
def test_what_the_user_configured_stays(tmp_path: Path, section: str, said: str) -> None:
    one = Configurable(config=Config({section: {"db_path": said}}))

    place_state(tmp_path / "state", [one])

    assert one.config[section]["db_path"] == said
    assert section == "BaseFileIdManager" or "db_path" not in one.config.BaseFileIdManager
    assert one.config.SQLiteYStore.db_path == str(tmp_path / "state" / "shared-editing.db")
    assert one.config.YDocExtension.session_store_path == str(tmp_path / "state" / "sessions.json")


def test_a_place_that_cannot_be_made_is_an_error_for_the_caller(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OSError, match="Not a directory"):
        place_state(tmp_path / "file" / "state", [])
