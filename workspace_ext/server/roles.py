"""Who may do what on this server: the role of each person, asked at every door.

Jupyter asks an authorizer where a handler says so. Not every handler does, and some are asked for
less than they give: the websocket of a shared document counts as reading. So whoever may not edit
is also stopped where every request begins (`guard`), and what a websocket takes from them is chosen
there (`rooms`, `connection`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth import AllowAllAuthorizer, Authorizer, User
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.services.contents.handlers import ContentsHandler
from jupyter_server.services.events.handlers import SubscribeWebsocket
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from jupyter_server.services.sessions.handlers import SessionRootHandler
from tornado import web
from tornado.websocket import WebSocketHandler
from traitlets import Dict, Enum, Unicode, default

from workspace_ext.access.roles import ROLES, Ability, Decision, Role, abilities, may
from workspace_ext.foundation.errors import Denied
from workspace_ext.protocol.people import Me
from workspace_ext.server.identity import is_anonymous
from workspace_ext.server.login import PeopleProvider

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_RUNNING = frozenset({"kernels", "sessions", "terminals", "lsp"})
"""Resources of Jupyter that are code being run; all others are files, settings and the like."""

_ROOM = "YDocWebSocketHandler"
_SESSION = "DocSessionHandler"  # only looks ids up, although it is a PUT
_OPEN_TO_ALL = "open_to_all"
_HUB_USER = "JUPYTERHUB_USER"
"""Names the variable in which JupyterHub says whose server this is."""

PAGE_OPTION = "investigationMe"
"""Where JupyterLab's page finds who its user is (`Me`)."""


class Refused(web.HTTPError):
    """A 403 with a reason that people understand, and what to do about it."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(403, reason)
        self.hint = hint


class RoleAuthorizer(Authorizer):
    """Lets everybody read, and only those who may work change anything or run code.

    The role is the one in the people file, or follows from the groups that JupyterHub tells of a
    person; who has none there has ``default_role``. Whose server it is on a hub leads on it.
    """

    default_role = Enum(
        ROLES,
        help="The role of people of whom neither file nor hub says one. By default they are"
        " responders on a hub; where nobody gives roles, everybody leads.",
    ).tag(config=True)

    groups = Dict(
        value_trait=Enum(ROLES),
        key_trait=Unicode(),
        default_value={
            "investigation-leads": "lead",
            "investigation-responders": "responder",
            "investigation-viewers": "viewer",
        },
        help="The roles that the groups of JupyterHub stand for; of several the highest counts.",
    ).tag(config=True)

    @default("default_role")
    def _default_role_default(self) -> Role:
        return "responder" if _HUB_USER in os.environ else "lead"

    def role_of(self, user: User | None) -> Role:
        """Somebody's role."""
        if user is None:
            return "viewer"
        if isinstance(self.identity_provider, PeopleProvider):
            return self.identity_provider.role_of(user.username)
        hub = getattr(user, "hub_user", None)
        if isinstance(hub, Mapping):
            told = {self.groups.get(str(group)) for group in hub.get("groups") or ()}
            for role in ROLES:
                if role in told:
                    return role
            if hub.get("name") == os.environ.get(_HUB_USER):
                return "lead"
        role = self.default_role
        return "viewer" if role is None else role

    async def is_authorized(
        self, handler: JupyterHandler, user: User, action: str, resource: str
    ) -> bool:
        """Whether somebody may do something; what is refused says why.

        Raises:
            Refused: They may not.
        """
        role = self.role_of(user)
        if may(role, "edit").allowed or await _is_open(handler, action):
            return True
        if action == "read" and not isinstance(handler, WebSocketHandler):
            return True
        require(may(role, "run" if resource in _RUNNING else "edit"))
        return True

    def may_edit(self, user: User | None) -> bool:
        """Whether somebody may change notebooks, and run them."""
        return may(self.role_of(user), "edit").allowed


async def _is_open(handler: Any, action: str) -> bool:
    """Whether a door is open to those who only read, since it takes nothing else from them."""
    name = type(handler).__name__
    if isinstance(handler, KernelWebsocketHandler):
        connection = handler.kernel_websocket_connection_class
        return bool(getattr(connection, "takes_roles", False))
    if isinstance(handler, SessionRootHandler) and handler.request.method == "POST":
        body = handler.get_json_body() or {}
        path = body.get("path") if isinstance(body, dict) else None
        if not isinstance(path, str) or "notebook" in body:
            return False
        return bool(await ensure_async(handler.session_manager.session_exists(path=path)))
    if name in (_ROOM, _SESSION) or isinstance(handler, SubscribeWebsocket):
        return True
    return action == "read" and bool(getattr(handler, _OPEN_TO_ALL, False))


def require(decision: Decision) -> None:
    """Goes on only with what is allowed.

    Raises:
        Refused: With the reason.
    """
    if not decision.allowed:
        raise Refused(decision.reason, decision.hint)


async def allows(handler: JupyterHandler, action: str, resource: str) -> bool:
    """Whether the server's authorizer, whichever it is, lets a request's user do something."""
    user = handler.current_user
    if user is None:
        return False
    try:
        return bool(
            await ensure_async(handler.authorizer.is_authorized(handler, user, action, resource))
        )
    except web.HTTPError:
        return False


async def may_edit(handler: JupyterHandler) -> bool:
    """Whether a request's user may change notebooks."""
    authorizer = handler.authorizer
    if isinstance(authorizer, RoleAuthorizer):
        return authorizer.may_edit(handler.current_user)
    return await allows(handler, "write", "contents")


def reads_only(handler: JupyterHandler) -> bool:
    """Whether nothing but questions may be taken from a websocket's user, as of now."""
    authorizer = handler.authorizer
    if isinstance(authorizer, RoleAuthorizer):
        return not authorizer.may_edit(handler.current_user)
    return bool(getattr(handler, "reads_only", False))


def role_of(handler: JupyterHandler) -> Role:
    """The role of a websocket's user, as of now."""
    authorizer = handler.authorizer
    if isinstance(authorizer, RoleAuthorizer):
        return authorizer.role_of(handler.current_user)
    return "viewer" if reads_only(handler) else "lead"


async def standing(handler: JupyterHandler) -> tuple[Role, bool]:
    """The role of a request's user, and whether they are anonymous.

    With an authorizer of somebody else's, who may not change notebooks is a viewer, and who may
    leads: nobody gave roles.
    """
    authorizer, user = handler.authorizer, handler.current_user
    if isinstance(authorizer, RoleAuthorizer):
        role = authorizer.role_of(user)
    else:
        role = "lead" if await may_edit(handler) else "viewer"
    return role, is_anonymous(user)


async def me(handler: JupyterHandler) -> Me:
    """Who asks, as the browser is told."""
    role, _ = await standing(handler)
    return _told(handler, role)


def _told(handler: JupyterHandler, role: Role) -> Me:
    user = handler.current_user
    may_do = abilities(role, anonymous=is_anonymous(user))
    if not isinstance(handler.identity_provider, PeopleProvider):
        may_do = [one for one in may_do if one != "people"]  # it names none of its own
    return {
        "name": user.username if user else "",
        "display_name": (user.display_name or user.username) if user else "",
        "role": role,
        "may": may_do,
    }


def tell_pages(settings: dict[str, Any]) -> None:
    """Has JupyterLab's page say who its user is: it opens notebooks before any stream could.

    Args:
        settings: The web application's; another ``page_config_hook`` in it goes on working.
    """
    before = settings.get("page_config_hook")

    def tell(handler: JupyterHandler, config: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = config if before is None else before(handler, config)
        authorizer = handler.authorizer
        if isinstance(authorizer, RoleAuthorizer):
            told[PAGE_OPTION] = _told(handler, authorizer.role_of(handler.current_user))
        return told

    settings["page_config_hook"] = tell


async def check(handler: JupyterHandler, ability: Ability) -> None:
    """Refuses a request whose user may not do this.

    Raises:
        Denied: With the reason.
    """
    role, anonymous = await standing(handler)
    decision = may(role, ability, anonymous=anonymous)
    if not decision.allowed:
        raise Denied(decision.reason, hint=decision.hint)


def use_roles(serverapp: ServerApp) -> bool:
    """Asks at every door for the role, unless the server was given another authorizer.

    Args:
        serverapp: The server, before it makes its authorizer.
    """
    if serverapp.authorizer_class is not AllowAllAuthorizer:
        name = serverapp.authorizer_class.__name__
        serverapp.log.info("roles are not asked here: ServerApp.authorizer_class is %s", name)
        return False
    serverapp.authorizer_class = RoleAuthorizer
    guard()
    return True


def guard() -> None:
    """Has every request looked at where it begins, also of handlers that ask no authorizer.

    Files are told to be read-only to whoever may not edit, so that the browser says so.
    """
    begin = JupyterHandler.prepare
    tell = ContentsHandler._finish_model  # noqa: SLF001 # it gives no other way
    if getattr(begin, "asks_roles", False):
        return

    def told(self: ContentsHandler, model: dict[str, Any], location: bool = True) -> None:
        if reads_only(self):
            model["writable"] = False
        tell(self, model, location)

    async def prepare(self: JupyterHandler, **how: Any) -> Any:
        result = await begin(self, **how)
        authorizer = self.authorizer
        if self.current_user is not None and isinstance(authorizer, RoleAuthorizer):
            await _look(self, authorizer)
        return result

    setattr(prepare, "asks_roles", True)  # noqa: B010 # mypy knows no attributes of functions
    setattr(JupyterHandler, "prepare", prepare)  # noqa: B010
    setattr(ContentsHandler, "_finish_model", told)  # noqa: B010


async def _look(handler: JupyterHandler, authorizer: RoleAuthorizer) -> None:
    changes = handler.request.method not in _READING
    if not changes and not isinstance(handler, WebSocketHandler):
        return
    if getattr(handler, _OPEN_TO_ALL, False) or type(handler).__name__ in _HARMLESS:
        return
    resource = str(getattr(handler, "auth_resource", "") or "")
    action = "write" if changes else "execute"
    await authorizer.is_authorized(handler, handler.current_user, action, resource)


_HARMLESS = frozenset(
    {"LoginFormHandler", "LegacyLoginHandler", "LogoutHandler", "CSPReportHandler"}
)
