"""A file is whole, or it is not there."""

import os
import stat
from pathlib import Path

import pytest

from workspace_ext.storage.files import is_unfinished, whole_file, write_whole


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_sees_a_file_that_is_being_written(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_whole(path, "old")

    with whole_file(path) as file:
        file.write(b"new")
        assert path.read_text() == "old"
        assert [each.name for each in tmp_path.iterdir() if not is_unfinished(each)] == ["a"]

    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_there_after_the_power_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its content is on disk before its name is, and both are before anybody relies on them."""
    synced: list[str] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    write_whole(tmp_path / "a", "new")
    content, folder = synced
    assert content.startswith(".writing-")
    assert folder == tmp_path.name


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_whole(path, "old")

    with pytest.raises(TypeError), whole_file(path) as file:
        file.writelines([b"new", None])  # type: ignore[list-item]

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_of_somebody_quicker_is_kept(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "first", keep=True)
    write_whole(tmp_path / "a", "second", keep=True)
    assert (tmp_path / "a").read_text() == "first"


def test_permissions_are_those_asked_for_or_those_it_had(tmp_path: Path) -> None:
    secret, shared = tmp_path / "secret", tmp_path / "shared"
    write_whole(secret, "x", mode=0o600)
    assert mode(secret) == 0o600

    shared.touch()
    shared.chmod(0o660)
    write_whole(shared, "x")
    assert mode(shared) == 0o660


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "absent" / "a", "x")
