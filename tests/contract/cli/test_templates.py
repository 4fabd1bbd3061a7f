"""templates list, show, check."""

from pathlib import Path

from tests.contract.cli.conftest import Command


def test_list_shows_each_template_with_its_question(command: Command) -> None:
    done = command("templates", "list", "--json")
    assert done.code == 0
    assert {"triage.overview", "latency.shift"} <= {each["id"] for each in done.json["templates"]}
    assert all(each["question"].endswith("?") for each in done.json["templates"])


def test_show_says_what_is_covered_and_what_is_not(command: Command) -> None:
    done = command("templates", "show", "latency.shift", "--sql")
    assert done.code == 0
    for part in ("Covers", "Does not cover", "window", "SELECT"):
        assert part in done.out


def test_show_of_an_unknown_template_names_the_nearest(command: Command) -> None:
    done = command("templates", "show", "latency.shfit")
    assert done.code == 2
    assert "latency.shift" in done.err


def test_check_names_the_file_and_what_is_wrong_in_it(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "area" / "broken.sql"
    path.parent.mkdir()
    path.write_text("/*---\nid: area.broken\n---*/\nSELECT 1")
    done = command("templates", "check", tmp_path)
    assert done.code == 1
    assert "broken.sql" in done.out


def test_check_of_nothing_is_wrong_use(command: Command, tmp_path: Path) -> None:
    assert command("templates", "check", tmp_path / "absent").code == 2
