"""Versions side by side, copies of what was used, deprecation, and packages of templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.templates import HEADER, SQL, write_template
from workspace_ext.foundation.entries import entry_points
from workspace_ext.foundation.errors import BadInput, NotFound
from workspace_ext.inquiry.templates.check import check
from workspace_ext.inquiry.templates.header import parse
from workspace_ext.inquiry.templates.kept import KeptTemplates
from workspace_ext.inquiry.templates.library import GROUP, TemplateLibrary, default_paths

SECOND = HEADER.replace("version: 1", "version: 2")


def library(tmp_path: Path) -> TemplateLibrary:
    return TemplateLibrary([tmp_path / "own"], KeptTemplates(tmp_path / "used"))


def test_versions_lie_side_by_side(tmp_path: Path) -> None:
    write_template(tmp_path / "own")
    write_template(tmp_path / "own", header=SECOND, name="cart/slow@2")

    found = library(tmp_path)

    assert found.problems() == []
    assert found.get("cart.slow").version == 2
    assert found.get("cart.slow", 1).path.name == "slow.sql"


def test_the_number_in_the_name_is_the_version(tmp_path: Path) -> None:
    write_template(tmp_path / "own", name="cart/slow@2")

    (problem,) = library(tmp_path).problems()

    assert "version 1 does not match slow@2.sql" in problem.message


def test_what_was_used_is_found_when_the_file_is_edited_or_gone(tmp_path: Path) -> None:
    path = write_template(tmp_path / "own")
    first = library(tmp_path)
    used = first.get("cart.slow")
    first.keep(used)
    first.keep(used)

    write_template(tmp_path / "own", header=SECOND)
    again = library(tmp_path)
    assert again.used(used.ref()).sql == used.sql
    assert again.get("cart.slow", 1).digest == used.digest
    path.unlink()
    assert library(tmp_path).used(used.ref()).version == 1
    assert library(tmp_path).get("cart.slow", 1).ref() == used.ref()


def test_what_was_not_kept_is_gone(tmp_path: Path) -> None:
    write_template(tmp_path / "own")
    used = library(tmp_path).get("cart.slow").ref()
    write_template(tmp_path / "own", sql=SQL + "-- edited\n")

    with pytest.raises(BadInput, match="was changed after it was used"):
        library(tmp_path).used(used)
    with pytest.raises(NotFound, match="no version 7"):
        library(tmp_path).get("cart.slow", 7)


def test_a_copy_that_was_damaged_is_none(tmp_path: Path) -> None:
    write_template(tmp_path / "own")
    found = library(tmp_path)
    used = found.get("cart.slow")
    found.keep(used)
    (copy,) = (tmp_path / "used").glob("*/*/*.sql")
    copy.write_text("SELECT 1")

    assert KeptTemplates(tmp_path / "used").get(used.ref()) is None


def test_what_is_deprecated_says_so(tmp_path: Path) -> None:
    header = HEADER.replace("status: stable", "status: deprecated\nreplaced_by: latency.shift")
    path = write_template(tmp_path, header=header)

    template = parse(path.read_bytes(), path)

    assert template.cautions() == ["template cart.slow v1 is deprecated; ask latency.shift instead"]
    assert all(result.ok for result in check([path]))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "status: stable",
            "status: stable\nreplaced_by: latency.shift",
            "is for what is deprecated",
        ),
        ("status: stable", "status: deprecated\nreplaced_by: cart.gone", "no template 'cart.gone'"),
    ],
)
def test_a_wrong_replacement(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = write_template(tmp_path, header=HEADER.replace(old, new))

    assert any(message in result.message for result in check([path]))


def test_a_package_brings_the_areas_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "cart_questions"
    write_template(package)
    write_template(package, header=HEADER.replace("cart.", "pay."), name="pay/slow")
    (package / "__init__.py").write_text("")
    info = tmp_path / "site" / "cart_questions-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: cart-questions\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\ncart = cart_questions\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    entry_points.cache_clear()
    try:
        paths = default_paths(tmp_path / "store")
        found = TemplateLibrary(paths)

        assert paths[1:] == [package, tmp_path / "store" / "templates"]
        assert found.get("cart.slow").path.is_relative_to(package)
        (problem,) = found.problems()
        assert "pay.slow: a package may only bring areas of its name, cart" in problem.message
    finally:
        entry_points.cache_clear()
