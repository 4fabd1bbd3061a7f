"""templates list, show, check."""

from pathlib import Path

import pytest

from tests.support.command_line import Command


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


def test_check_takes_a_name_in_the_folder_one_is_in(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine [b]"
    made = command("templates", "new", "cart.failing", "--folder", folder)
    assert made.code == 0
    assert str(folder / "cart" / "failing.sql") in made.out
    monkeypatch.chdir(folder / "cart")
    done = command("templates", "check", "failing.sql")
    assert done.code == 0, done.out + done.err


def test_check_of_all_names_what_holds_but_is_not_served(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("first", "second"):
        assert command("templates", "new", "cart.failing", "--folder", tmp_path / folder).code == 0
    paths = [tmp_path / "first", tmp_path / "second"]
    monkeypatch.setattr("workspace_ext.cli.templates._paths", lambda store: paths)
    done = command("templates", "check")
    assert done.code == 1
    assert "is not served: cart.failing version 1 is already in" in " ".join(done.out.split())


def test_check_says_which_template_an_entry_of_next_may_mean(
    command: Command, tmp_path: Path
) -> None:
    made = command("templates", "new", "cart.failing", "--folder", tmp_path, "--json")
    path = Path(made.json["template"])
    path.write_text(path.read_text("utf-8").replace("errors.origin", "errors.orign"), "utf-8")
    done = command("templates", "check", path)
    assert (done.code, "errors.origin" in done.out) == (1, True)


def test_check_of_nothing_is_wrong_use(command: Command, tmp_path: Path) -> None:
    assert command("templates", "check", tmp_path / "absent").code == 2


def test_new_begins_one_that_holds_and_docs_tell_of_it(command: Command, tmp_path: Path) -> None:
    store = tmp_path / "store"
    begun = command("templates", "new", "cart.failing", "--store", store, "--json")
    assert begun.code == 0
    again = command("templates", "new", "cart.failing", "--store", store)
    assert again.code == 3
    assert "already there" in again.err

    checked = command("templates", "check", begun.json["template"], "--recall")
    assert checked.code == 0, checked.out
    assert "found in 5 of 5 runs" in checked.out
    every = command("templates", "check", "--store", store)
    assert every.code == 0, every.out
    assert "ok   cart.failing: 5 of 5 checks" in every.out
    for name in ("page.html", "page.md"):
        told = command("templates", "docs", "-o", tmp_path / name, "--store", store)
        assert told.code == 0
        text = (tmp_path / name).read_text("utf-8")
        assert "cart.failing" in text
        assert "Which services have more failing spans" in text
        assert "min_ratio * baseline_failing" in text, "its rule"
    wrong = command("templates", "docs", "-o", tmp_path / "x.html", "--pictures", "now", "then")
    assert (wrong.code, "'now' is not a window" in wrong.err) == (2, True)
    told = command("templates", "docs", "-o", tmp_path / "page.md" / "page.html", "--store", store)
    assert (told.code, "cannot write" in told.err) == (3, True)


def test_new_wants_an_id_and_a_folder_to_write_to(command: Command, tmp_path: Path) -> None:
    assert command("templates", "new", "failing", "--folder", tmp_path).code == 2
    ours = command("templates", "new", "latency.shift", "--folder", tmp_path)
    assert (ours.code, "latency.shift is already there" in ours.err) == (3, True)
    file = tmp_path / "file"
    file.touch()
    refused = command("templates", "new", "cart.failing", "--folder", file / "inside")
    assert (refused.code, "cannot write" in refused.err) == (3, True)
