"""Who somebody is: the server's word, never the browser's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jupyter_server.auth import PasswordIdentityProvider, User
from jupyter_server.base.call_context import CallContext

from workspace_ext.foundation.actor import Actor, system_user

if TYPE_CHECKING:
    from tornado.web import RequestHandler

NOBODY = Actor("user", "unknown")
"""Who asked when no request is being answered."""

_RANDOM_NAME = re.compile(r"[0-9a-f]{32}")


class SystemUserProvider(PasswordIdentityProvider):
    """For a server that one person runs for themselves: whoever has its token is that person.

    Set it as ``ServerApp.identity_provider_class``; the demo does. Without it Jupyter gives
    each browser a random name, which is right where several people share one token.
    """

    def generate_anonymous_user(self, handler: RequestHandler | None) -> User:  # noqa: ARG002
        """The operating system's user, instead of a random name."""
        name = system_user().name
        return User(name, name=name, display_name=name, initials=name[:2].upper())

    def user_from_cookie(self, cookie_value: str) -> User | None:  # noqa: ARG002
        """The same, also for a browser that another server on this port gave a random name."""
        return self.generate_anonymous_user(None)


def is_anonymous(user: User | None) -> bool:
    """Whether the server drew somebody's name for their browser, and knows nothing else."""
    return user is not None and bool(user.name and _RANDOM_NAME.fullmatch(user.username))


def actor_of(user: User | None) -> Actor:
    """The actor of an authenticated user.

    A server without an identity provider gives each browser a random name and keeps it in a
    cookie. Such a person is called as the shared notebook calls them ("Anonymous Leda"), with
    the beginning of the random name, so that two of that name stay two.
    """
    if user is None or not user.username:
        return NOBODY
    if is_anonymous(user):
        return Actor("user", f"{user.name} ({user.username[:6]})")
    return Actor("user", user.username)


def named_by_server(handler: Any) -> dict[str, Any] | None:
    """How the server shows a request's user; None where people may call themselves something."""
    provider, user = handler.identity_provider, handler.current_user
    if user is None or {"name", "display_name"} & set(provider.updatable_fields):
        return None
    shown: dict[str, Any] = provider.identity_model(user)
    return shown


def current_actor() -> Actor:
    """The actor of the request that is being answered."""
    handler = CallContext.get(CallContext.JUPYTER_HANDLER)
    return actor_of(getattr(handler, "current_user", None))
