"""Errors that travel, and actors."""

import pytest

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.canonical import canonical_json
from workspace_ext.foundation.errors import (
    BadInput,
    Conflict,
    Damaged,
    Denied,
    InvestigationError,
    LimitExceeded,
    NotFound,
    Unavailable,
    from_dict,
)


@pytest.mark.parametrize(
    "kind",
    [
        InvestigationError,
        BadInput,
        NotFound,
        Denied,
        Conflict,
        LimitExceeded,
        Unavailable,
        Damaged,
    ],
)
def test_an_error_arrives_as_it_was_raised(kind: type[InvestigationError]) -> None:
    sent = kind("it broke", hint="mend it", code="broken")
    arrived = from_dict(sent.to_dict())
    assert type(arrived) is kind
    assert (arrived.message, arrived.hint, arrived.code) == ("it broke", "mend it", "broken")


def test_a_class_of_another_room_arrives_as_what_it_is_in_the_tree() -> None:
    class OddFile(NotFound):
        """Of one room only."""

    assert type(from_dict(OddFile("x").to_dict())) is NotFound


@pytest.mark.parametrize("value", [{}, {"kind": "Nonsense"}, {"kind": None, "message": 5}])
def test_what_is_no_error_of_ours_is_still_an_error(value: dict[str, object]) -> None:
    assert type(from_dict(value)) is InvestigationError


@pytest.mark.parametrize("text", ["user:alice", "kernel:3f2a", "service:a:b"])
def test_an_actor_comes_back(text: str) -> None:
    assert str(Actor.parse(text)) == text


@pytest.mark.parametrize("text", ["", "alice", "user:", "robot:r2d2"])
def test_no_actor(text: str) -> None:
    with pytest.raises(BadInput, match="is not an actor"):
        Actor.parse(text)


def test_canonical_json_is_one_text_for_equal_values() -> None:
    assert canonical_json({"b": [1, "ü"], "a": None}) == '{"a":null,"b":[1,"ü"]}'.encode()


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), {"deep": [object()]}])
def test_what_json_cannot_say(value: object) -> None:
    with pytest.raises(BadInput, match="not representable as JSON"):
        canonical_json(value)


def test_a_float_where_none_may_be_is_named() -> None:
    with pytest.raises(BadInput, match=r"\$\.a\[1\] is a float"):
        canonical_json({"a": [1, 0.5]}, floats=False)
