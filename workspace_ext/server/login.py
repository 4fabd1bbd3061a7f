"""Logging in with a people file: everybody has a token of their own, and the server their names."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from jupyter_server.auth import IdentityProvider, PasswordIdentityProvider, User
from jupyter_server.auth.login import LegacyLoginHandler
from tornado.ioloop import PeriodicCallback
from tornado.websocket import WebSocketHandler
from traitlets import default, validate

from workspace_ext.access.people import People, Person, people_file
from workspace_ext.access.roles import Role
from workspace_ext.foundation.errors import InvestigationError

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp
    from tornado.web import RequestHandler

WATCH_MILLISECONDS = 250
"""How often the people file is looked at while somebody has a websocket open."""

REMOVED = 4403
"""The code with which a websocket of somebody who was removed is closed."""

NEW_ROLE = 1012
"""The code for somebody whose role changed; "service restart" to browsers, which come again."""


class PeopleProvider(IdentityProvider):
    """Knows people by the file that ``jupyter investigation people`` keeps.

    There is no token for all: ``IdentityProvider.token`` is empty, whatever is configured. A
    login cookie holds for the token it was made with. A file that cannot be read lets nobody in.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.people = People(people_file())
        self._sockets: WeakKeyDictionary[WebSocketHandler, tuple[str, str, Role]] = (
            WeakKeyDictionary()
        )
        self._told = ""
        self._watch: PeriodicCallback | None = None

    @default("token")
    def _token_default(self) -> str:
        return ""

    @validate("token")
    def _no_token(self, proposal: Any) -> str:
        if proposal["value"]:
            self.log.warning("the server's token is not used: people log in with their own")
        return ""

    @default("updatable_fields")
    def _updatable_fields_default(self) -> list[str]:
        return []

    def check_update(self, user_data: Any) -> None:
        """Nobody calls themselves anything; the people file does."""
        raise ValueError(f"{', '.join(user_data)} cannot be changed: this server names its people")

    async def _get_user(self, handler: RequestHandler) -> User | None:
        user = await super()._get_user(handler)
        if user is not None and isinstance(handler, WebSocketHandler):
            name = user.username
            self._sockets[handler] = name, self._salt(name), self.role_of(name)
            if self._watch is None:
                self._watch = PeriodicCallback(self._close_outdated, WATCH_MILLISECONDS)
                self._watch.start()
        return user

    def get_user_token(self, handler: RequestHandler) -> User | None:  # type: ignore[override]
        """Whose token comes with a request, in its header or URL."""
        return self._user_of(self.get_token(handler))

    def process_login_form(self, handler: RequestHandler) -> User | None:
        """Whose token was typed where the page asks for it."""
        return self._user_of(handler.get_argument("password", default=""))

    def user_to_cookie(self, user: User) -> str:
        """The name and which token it was."""
        return json.dumps([user.username, self._salt(user.username)])

    def user_from_cookie(self, cookie_value: str) -> User | None:
        """The person of a cookie, as long as they have the token that it was made with."""
        name, salt = json.loads(cookie_value)
        person = (self._everybody() or {}).get(name)
        return _user(person) if person is not None and person.salt == salt else None

    def role_of(self, name: str) -> Role:
        """Somebody's role; who is not in the file may least."""
        person = (self._everybody() or {}).get(name)
        return person.role if person else "viewer"

    def _user_of(self, token: str | None) -> User | None:
        if not token or not self._everybody():
            return None
        person = self.people.find(token)
        return None if person is None else _user(person)

    def _salt(self, name: str) -> str:
        person = (self._everybody() or {}).get(name)
        return person.salt if person else ""

    def _everybody(self) -> Mapping[str, Person] | None:
        """All people; None while the file cannot be read, which is told once."""
        try:
            people = self.people.all()
        except InvestigationError as error:
            if error.message != self._told:
                self._told = error.message
                self.log.error("nobody is let in: %s (%s)", error.message, error.hint)  # noqa: TRY400
            return None
        self._told = ""
        return people

    def _close_outdated(self) -> None:
        """Closes all websockets of people who may not be here any more.

        Of whose role changed it closes those that tell the role: the browser comes again.
        """
        if self._everybody() is None:
            return
        for handler, (name, salt, role) in tuple(self._sockets.items()):
            if not salt or self._salt(name) != salt:
                del self._sockets[handler]
                hang_up(handler, REMOVED, "you were removed from this server")
            elif getattr(handler, "tells_role", False) and self.role_of(name) != role:
                del self._sockets[handler]
                hang_up(handler, NEW_ROLE, "your role changed")


def use_people(serverapp: ServerApp) -> bool:
    """Lets people log in by the people file, if there is one and nobody chose another way.

    JupyterHub knows its people itself, and so does an identity provider or a login handler that a
    server is configured with. A shared password or token is not used: it would name nobody, and
    somebody who was removed may know it.

    Args:
        serverapp: The server, before it makes its identity provider.
    """
    if not people_file().exists():
        return False
    why = _other_way(serverapp)
    if why:
        serverapp.log.info("%s is not used here: %s", people_file(), why)
        return False
    serverapp.identity_provider_class = PeopleProvider
    return True


def _other_way(serverapp: ServerApp) -> str:
    if any(os.environ.get(name) for name in ("JUPYTERHUB_API_TOKEN", "JUPYTERHUB_SERVICE_PREFIX")):
        return "JupyterHub tells who is who"
    provider = serverapp.identity_provider_class
    if provider is not PasswordIdentityProvider:
        return f"ServerApp.identity_provider_class is {provider.__name__}"
    if serverapp.login_handler_class is not LegacyLoginHandler:
        return "ServerApp.login_handler_class is configured"
    return ""


def hang_up(handler: Any, code: int, reason: str) -> None:
    """Closes somebody's websocket, and takes nothing from it any more.

    A closing one goes on taking messages until the other side agrees.
    """
    handler.on_message = _ignore
    handler.close(code, reason)
    handler.log.info("closed a connection of %s: %s", handler.current_user.username, reason)


def _user(person: Person) -> User:
    words = person.display_name.split()
    initials = "".join(word[0] for word in (words[0], *words[1:][-1:])).upper()
    return User(person.name, person.display_name, person.display_name, initials)


def _ignore(_message: Any) -> None:
    return None
