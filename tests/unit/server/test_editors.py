"""Who is named for a change that several may have made."""

from workspace_ext.foundation.actor import Actor
from workspace_ext.server.editors import Editors

ALICE, BOB = Actor("user", "alice"), Actor("user", "bob")


def test_each_cell_has_its_people_in_the_order_seen() -> None:
    editors = Editors()
    editors.note("n", ["a", ""], BOB)
    editors.note("n", ["a", "b"], ALICE)
    editors.note("other", ["a"], ALICE)
    assert editors.take("n", ["a", "b", "c"]) == {"a": [BOB, ALICE], "b": [ALICE]}


def test_what_came_while_it_was_saved_counts_for_the_next_save_and_not_longer() -> None:
    editors = Editors()
    editors.note("n", ["a"], BOB)
    assert editors.take("n", []) == {}
    assert editors.take("n", ["a"]) == {"a": [BOB]}
    assert editors.take("n", ["a"]) == {}


def test_newer_people_take_the_place_of_those_of_the_last_save() -> None:
    editors = Editors()
    editors.note("n", ["a"], BOB)
    editors.take("n", ["a"])
    editors.note("n", ["a"], ALICE)
    assert editors.take("n", ["a"]) == {"a": [ALICE]}


def test_a_renamed_notebook_keeps_them() -> None:
    editors = Editors()
    editors.note("old", ["a"], BOB)
    editors.moved(lambda noted: noted.update(new=noted.pop("old")) if "old" in noted else None)
    assert editors.take("new", ["a"]) == {"a": [BOB]}
