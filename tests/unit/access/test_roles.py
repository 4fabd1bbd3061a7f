"""What each role may do."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args, get_type_hints

import pytest

from workspace_ext.access.roles import ABILITIES, ROLES, abilities, may, role_named
from workspace_ext.foundation.errors import BadInput
from workspace_ext.protocol.people import Me


def test_a_viewer_reads_and_comments_and_nothing_else() -> None:
    assert abilities("viewer") == ["read", "comment"]
    for ability in set(ABILITIES) - {"read", "comment"}:
        refused = may("viewer", ability)
        assert not refused.allowed
        assert "you are a viewer here" in refused.reason


def test_who_stands_higher_may_no_less() -> None:
    for higher, lower in pairwise(ROLES):
        assert set(abilities(higher)) >= set(abilities(lower))
    assert abilities("lead") == list(ABILITIES)
    assert set(ABILITIES) - set(abilities("responder")) == {"close", "people"}
    assert may("responder", "close").hint == "ask a lead to do it"


@pytest.mark.parametrize("role", ROLES)
def test_who_is_nobody_in_particular_judges_nobodys_work(role: str) -> None:
    chosen = role_named(role)
    assert set(abilities(chosen)) - set(abilities(chosen, anonymous=True)) <= {"approve"}
    refused = may(chosen, "approve", anonymous=True)
    assert not refused.allowed
    assert role == "viewer" or "does not know who you are" in refused.reason


def test_the_browser_knows_the_same_roles_and_abilities() -> None:
    hints = get_type_hints(Me)
    assert set(get_args(get_args(hints["may"])[0])) == set(ABILITIES)
    assert set(get_args(hints["role"])) == set(ROLES)


def test_a_role_that_there_is_not() -> None:
    with pytest.raises(BadInput, match="there is no role 'boss'") as caught:
        role_named("boss")
    assert caught.value.hint == "choose one of lead, responder, viewer"
