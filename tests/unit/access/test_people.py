"""The people file, and the command that keeps it."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from threading import Thread

import pytest

from workspace_ext.access.people import People
from workspace_ext.cli.main import main
from workspace_ext.foundation.errors import BadInput, Conflict, Damaged, NotFound, Unavailable


def test_a_token_is_kept_as_a_hash_and_found_again(tmp_path: Path) -> None:
    people = People(tmp_path / "new" / "people.json")
    token = people.add("ada", display_name=" Ada  Lovelace ", role="lead")
    other = people.add("bob.b@example.org")

    found = People(people.path).find(token)

    assert found is not None
    assert (found.name, found.display_name, found.role) == ("ada", "Ada Lovelace", "lead")
    assert people.find(other).name == "bob.b@example.org"  # type: ignore[union-attr]
    assert token.rpartition(".")[2] not in people.path.read_text()
    assert stat.S_IMODE(people.path.stat().st_mode) == 0o600
    for wrong in ("", ".", "ada", token[:-1], f"bob{token[3:]}", token + "x", "ada.\ud800"):
        assert people.find(wrong) is None


def test_what_another_process_changes_is_seen(tmp_path: Path) -> None:
    here, there = People(tmp_path / "p.json"), People(tmp_path / "p.json")
    token = here.add("ada")
    assert there.find(token) is not None

    here.remove("ada")
    again = here.add("ada")

    assert there.find(token) is None
    assert there.find(again) is not None
    here.path.unlink()
    assert there.find(again) is None


def test_those_who_are_added_at_once_all_stay(tmp_path: Path) -> None:
    names = [f"p{number}" for number in range(8)]
    threads = [Thread(target=People(tmp_path / "p.json").add, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(People(tmp_path / "p.json").all()) == names


@pytest.mark.parametrize("name", ["", "a b", "user:ada", "-a", "a" * 64, "0" * 32, "é"])
def test_names_that_are_none_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput):
        People(tmp_path / "p.json").add(name)
    assert not (tmp_path / "p.json").exists()


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    people = People(tmp_path / "p.json")
    people.add("ada")
    with pytest.raises(Conflict):
        people.add("Ada")
    with pytest.raises(NotFound):
        people.remove("bob")
    with pytest.raises(BadInput):
        people.add("bob", display_name="x" * 81)
    with pytest.raises(Unavailable):
        People(people.path / "below" / "p.json").add("ada")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no JSON"),
        ("[]", '"schema" or its "people" is missing'),
        ("{}", '"schema" or its "people" is missing'),
        ('{"schema": 1}', '"schema" or its "people" is missing'),
        ('{"schema": "1", "people": {}}', '"schema" or its "people" is missing'),
        ('{"schema": 1, "people": {"ada": {}}}', "the entry of 'ada'"),
        ('{"schema": 1, "people": {"ada": 3}}', "the entry of 'ada'"),
    ],
)
def test_a_damaged_file_lets_nobody_in_and_says_what_is_wrong(
    tmp_path: Path, text: str, why: str
) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(Damaged, match=why):
        People(tmp_path / "p.json").find("ada.x")


def test_a_file_of_a_newer_version_is_not_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"schema": 2, "people": []}')
    with pytest.raises(Conflict, match="newer version"):
        People(tmp_path / "p.json").all()


def test_the_command_adds_lists_and_removes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVESTIGATION_PEOPLE", str(tmp_path / "p.json"))
    assert main(["people", "add", "ada", "--role", "lead", "--json"]) == 0
    added = json.loads(capsys.readouterr().out)
    assert People(tmp_path / "p.json").find(added["token"]) is not None
    assert added["link"] == f"http://127.0.0.1:8888/lab?token={added['token']}"
    assert main(["people", "list"]) == 0
    listed = capsys.readouterr().out
    assert "ada" in listed
    assert added["token"] not in listed
    assert main(["people", "add", "bob", "--role", "king"]) == 2
    assert main(["people", "remove", "ada"]) == 0
    assert main(["people", "remove", "ada"]) == 2
