from pathlib import Path

import pytest

import workspace_ext
from tests.support.templates import HEADER, write_template
from workspace_ext.foundation.errors import NotFound
from workspace_ext.inquiry.templates.library import TemplateLibrary, default_paths
from workspace_ext.inquiry.templates.model import BadTemplate


def test_finds_templates_by_id(tmp_path: Path) -> None:
    write_template(tmp_path)
    library = TemplateLibrary([tmp_path, tmp_path / "not there"])

    assert [template.id for template in library.list()] == ["cart.slow"]
    assert library.get("cart.slow").version == 1
    assert library.get("cart.slow", 1).title == "Slow calls"
    assert library.problems() == []


def test_an_unknown_id_has_close_matches(tmp_path: Path) -> None:
    write_template(tmp_path)

    with pytest.raises(NotFound, match=r"no template 'cart\.slw'") as caught:
        TemplateLibrary([tmp_path]).get("cart.slw")

    assert caught.value.hint == "did you mean cart.slow?"


def test_an_unknown_version_says_which_there_are(tmp_path: Path) -> None:
    write_template(tmp_path)

    with pytest.raises(NotFound, match="no version 7") as caught:
        TemplateLibrary([tmp_path]).get("cart.slow", 7)

    assert caught.value.hint == "there is version 1"


def test_the_newest_version_is_served_and_older_ones_stay_reachable(tmp_path: Path) -> None:
    write_template(tmp_path / "a")
    write_template(tmp_path / "b", header=HEADER.replace("version: 1", "version: 2"))
    library = TemplateLibrary([tmp_path / "a", tmp_path / "b"])

    assert library.get("cart.slow").version == 2
    assert library.get("cart.slow", 1).version == 1
    assert len(library.list()) == 1


def test_nobody_can_take_a_template_s_place(tmp_path: Path) -> None:
    first = write_template(tmp_path / "a")
    second = write_template(tmp_path / "b", header=HEADER.replace("Slow calls", "Other"))
    library = TemplateLibrary([tmp_path / "a", tmp_path / "b"])

    assert library.get("cart.slow").title == "Slow calls"
    (problem,) = library.problems()
    assert problem.path == second
    assert str(first) in problem.message


def test_a_broken_file_is_named_and_takes_no_other_down(tmp_path: Path) -> None:
    write_template(tmp_path)
    write_template(tmp_path, header="id: cart.bad\n", name="cart/bad")
    write_template(tmp_path, sql="SELECT 1; SELECT 2", name="cart/worse")
    library = TemplateLibrary([tmp_path])

    assert [template.id for template in library.list()] == ["cart.slow"]
    assert {problem.path.stem for problem in library.problems()} == {"bad", "worse"}
    with pytest.raises(BadTemplate, match=r"cart/bad\.sql"):
        library.get("cart.bad")


def test_a_change_is_seen_at_the_next_call(tmp_path: Path) -> None:
    library = TemplateLibrary([tmp_path])
    assert library.list() == []

    path = write_template(tmp_path)
    assert library.get("cart.slow").version == 1

    write_template(tmp_path, header=HEADER.replace("version: 1", "version: 12"))
    assert library.get("cart.slow").version == 12

    path.unlink()
    assert library.list() == []


def test_each_place_of_an_area_is_looked_at_when_a_template_of_it_is_asked_for(
    tmp_path: Path,
) -> None:
    first = write_template(tmp_path / "a")
    library = TemplateLibrary([tmp_path / "a", tmp_path / "b"])
    assert library.get("cart.slow").version == 1

    newer = write_template(tmp_path / "b", header=HEADER.replace("version: 1", "version: 2"))
    assert library.get("cart.slow").version == 2
    assert library.find("cart.slow", 1) is not None

    first.unlink()
    assert library.find("cart.slow", 1) is None
    newer.unlink()
    with pytest.raises(NotFound):
        library.get("cart.slow")


def test_a_template_of_a_new_area_is_found_at_once(tmp_path: Path) -> None:
    write_template(tmp_path)
    library = TemplateLibrary([tmp_path])
    assert library.get("cart.slow").version == 1

    header = HEADER.replace("cart.slow", "orders.slow")
    write_template(tmp_path, header=header, name="orders/slow")
    assert library.get("orders.slow").version == 1


def test_the_checkout_s_templates_come_before_the_installed_copy(tmp_path: Path) -> None:
    package = Path(workspace_ext.__file__).parent

    assert default_paths() in (
        [package.parent / "templates" / "queries"],
        [package / "templates" / "queries"],
    )
    assert default_paths(tmp_path)[1:] == [tmp_path / "templates"]
