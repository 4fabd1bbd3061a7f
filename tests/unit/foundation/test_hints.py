"""What was most likely meant."""

import pytest

from workspace_ext.foundation.hints import did_you_mean


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("crat", ["cart", "mail"], "did you mean cart?"),
        ("order", ["orders", "order2"], "did you mean orders or order2?"),
        ("x", ["mail", "cart"], "there is cart, mail"),
        ("x", [], "there are none"),
        ("", ["cart"], "there is cart"),
    ],
)
def test_the_nearest_names_or_all(name: str, known: list[str], hint: str) -> None:
    assert did_you_mean(name, known) == hint


def test_a_long_list_is_cut() -> None:
    hint = did_you_mean("x", [f"name{number:02}" for number in range(100)])
    assert hint.endswith("name19 …")


def test_another_hint_where_nothing_is_near() -> None:
    assert did_you_mean("x", ["cart"], otherwise="ask somebody") == "ask somebody"
    assert did_you_mean("crat", ["cart"], otherwise="ask somebody") == "did you mean cart?"
