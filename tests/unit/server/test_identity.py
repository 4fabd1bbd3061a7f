"""Who somebody is called in the record."""

from __future__ import annotations

import pytest
from jupyter_server.auth import User

from workspace_ext.foundation.actor import system_user
from workspace_ext.server.identity import NOBODY, SystemUserProvider, actor_of, current_actor

RANDOM = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (User("alice", "Alice", "Alice"), "user:alice"),
        (User(RANDOM, "Anonymous Leda", "Anonymous Leda"), "user:Anonymous Leda (012345)"),
        (User("a:b c", "x", "x"), "user:a:b c"),
        (None, str(NOBODY)),
    ],
)
def test_people_are_called_as_the_server_knows_them(user: User | None, expected: str) -> None:
    assert str(actor_of(user)) == expected


def test_outside_of_a_request_nobody_asks() -> None:
    assert current_actor() == NOBODY


def test_a_server_of_ones_own_knows_its_user() -> None:
    provider = SystemUserProvider()
    old_cookie = provider.user_to_cookie(User(RANDOM, "Anonymous Leda", "Anonymous Leda"))
    for user in (provider.generate_anonymous_user(None), provider.user_from_cookie(old_cookie)):
        assert actor_of(user) == system_user()
