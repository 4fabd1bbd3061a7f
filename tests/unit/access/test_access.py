"""Tokens stand for what they were made for, and nobody may do more than is said."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspace_ext.access.model import Action, decide, require
from workspace_ext.access.tokens import Tokens
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import BadInput, Denied
from workspace_ext.protocol.events import FROM_KERNEL

SECRET = bytes(range(32))
TOKENS = Tokens(SECRET)
SERVICE = TOKENS.principal(TOKENS.service_token)
KERNEL = TOKENS.principal(TOKENS.kernel_token(kernel="k1", user="alice", notebook="a.ipynb"))


def test_kernel_token_says_which_kernel_acts_for_whom() -> None:
    assert KERNEL.actor == Actor("kernel", "k1")
    assert KERNEL.on_behalf_of == Actor("user", "alice")
    assert (KERNEL.kind, KERNEL.kernel, KERNEL.notebook) == ("kernel", "k1", "a.ipynb")


def test_kernel_token_outlives_a_restart_and_the_service_token_does_not() -> None:
    later = Tokens(SECRET)
    token = TOKENS.kernel_token(kernel="k1", user="alice")
    assert later.principal(f"Bearer {token}").kernel == "k1"
    with pytest.raises(Denied):
        later.principal(TOKENS.service_token)


def test_token_of_another_store_is_refused() -> None:
    with pytest.raises(Denied) as raised:
        Tokens(bytes(32)).principal(TOKENS.kernel_token(kernel="k1", user="alice"))
    assert raised.value.hint


@given(st.text(max_size=80))
def test_nothing_else_is_a_token(text: str) -> None:
    with pytest.raises(Denied):
        TOKENS.principal(text)


@given(st.data())
def test_token_with_one_character_changed_is_refused(data: st.DataObject) -> None:
    token = TOKENS.kernel_token(kernel="k1", user="alice", notebook="a.ipynb")
    at = data.draw(st.integers(0, len(token) - 1))
    new = data.draw(st.characters(codec="ascii"))
    changed = token[:at] + new + token[at + 1 :]
    if changed.strip() == token or at == len(token) - 1:  # its last bits carry nothing
        return
    with pytest.raises(Denied):
        TOKENS.principal(changed)


def test_token_needs_kernel_and_user() -> None:
    for kernel, user in (("", "alice"), ("k1", "")):
        with pytest.raises(BadInput):
            TOKENS.kernel_token(kernel=kernel, user=user)
    with pytest.raises(ValueError, match="16 bytes"):
        Tokens(b"short")


@pytest.mark.parametrize("action", get_args(Action))
def test_service_may_do_everything(action: Action) -> None:
    assert decide(SERVICE, action).allowed


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("query.ask", "", True),
        ("catalog.read", "", True),
        ("template.read", "", True),
        ("investigation.read", "", True),
        ("query.read", "", True),
        *(("event.report", kind, True) for kind in sorted(FROM_KERNEL)),
        ("event.report", "run.started", False),
        ("event.report", "run.finished", False),
        ("event.report", "investigation.pinned", False),
        ("event.report", "query.answered", False),
        ("event.report", "", False),
        ("data.ingest", "", False),
        ("token.issue", "", False),
        ("investigation.open", "", False),
        ("investigation.archive", "", False),
        ("ledger.read", "", False),
        ("anything.else", "", False),
    ],
)
def test_what_a_kernel_may_do(action: Action, resource: str, allowed: bool) -> None:
    decision = decide(KERNEL, action, resource)
    assert decision.allowed is allowed
    assert decision.reason
    if allowed:
        require(KERNEL, action, resource)
    else:
        with pytest.raises(Denied, match="kernel:k1"):
            require(KERNEL, action, resource)
