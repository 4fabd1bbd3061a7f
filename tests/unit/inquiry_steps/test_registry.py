"""Steps come from installed packages."""

from __future__ import annotations

import pytest

from workspace_ext.foundation.errors import BadInput, NotFound
from workspace_ext.inquiry.steps import registry


def test_a_step_is_known_by_name_and_package() -> None:
    assert "tests.doubled" in registry.names()
    assert registry.version("tests.doubled") == "made-steps 1.2"
    assert registry.find("tests.doubled").name == "tests.doubled"


def test_a_step_that_nobody_brings() -> None:
    with pytest.raises(NotFound, match=r"there is no step 'tests\.double'") as raised:
        registry.find("tests.double")
    assert "tests.doubled" in raised.value.hint


@pytest.mark.parametrize("name", ["tests.missing", "tests.nothing"])
def test_a_step_that_cannot_be_loaded(name: str) -> None:
    with pytest.raises(BadInput, match=f"{name} .* cannot be loaded"):
        registry.find(name)
