"""Who somebody is: the server's word, never the browser's."""

from __future__ import annotations

import re

from jupyter_server.auth import User
from jupyter_server.base.call_context import CallContext

from workspace_ext.foundation.actor import Actor

NOBODY = Actor("user", "unknown")
"""Who asked when no request is being answered."""

_RANDOM_NAME = re.compile(r"[0-9a-f]{32}")


def actor_of(user: User | None) -> Actor:
    """The actor of an authenticated user.

    A server without an identity provider gives each browser a random name and keeps it in a
    cookie. Such a person is called as the shared notebook calls them ("Anonymous Leda"), with
    the beginning of the random name, so that two of that name stay two.
    """
    if user is None or not user.username:
        return NOBODY
    if user.name and _RANDOM_NAME.fullmatch(user.username):
        return Actor("user", f"{user.name} ({user.username[:6]})")
    return Actor("user", user.username)


def current_actor() -> Actor:
    """The actor of the request that is being answered."""
    handler = CallContext.get(CallContext.JUPYTER_HANDLER)
    return actor_of(getattr(handler, "current_user", None))
