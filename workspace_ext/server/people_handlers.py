"""Who may log in, and their roles, for the leads among them."""

from __future__ import annotations

import asyncio

from jupyter_server.auth.decorator import authorized
from tornado import web

from workspace_ext.access.people import People
from workspace_ext.access.roles import role_named
from workspace_ext.foundation.errors import BadInput
from workspace_ext.protocol.people import Member
from workspace_ext.server.handlers import RESOURCE, InvestigationHandler
from workspace_ext.server.login import PeopleProvider
from workspace_ext.server.roles import check


class PeopleHandler(InvestigationHandler):
    """The people file, as far as it is a matter of roles."""

    @property
    def _people(self) -> People:
        provider = self.identity_provider
        if not isinstance(provider, PeopleProvider):
            raise BadInput(
                "this server has no people of its own",
                hint="roles come from JupyterHub's groups, or from the server's configuration",
                code="no_people",
            )
        return provider.people

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """A list of `Member`."""
        found = self._people.all().values()
        members: list[Member] = [
            {"name": one.name, "display_name": one.display_name, "role": one.role} for one in found
        ]
        self.answer(members)

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """``{name, role}``; answers with both. It holds at once, also for what is open."""
        await check(self, "people")
        people, body = self._people, self.body()
        name, role = body.get("name"), role_named(str(body.get("role")))
        if not isinstance(name, str):
            raise BadInput("nobody is named", hint='send {"name": "ada", "role": "viewer"}')
        if name == self.current_user.username:
            raise BadInput(
                "nobody gives themselves a role: somebody must lead",
                hint="ask another lead, or use: jupyter investigation people role",
                code="own_role",
            )
        await asyncio.to_thread(people.give, name, role)
        self.log.info("%s made %s a %s", self.current_user.username, name, role)
        self.answer({"name": name, "role": role})


PEOPLE_ROUTES: list[tuple[str, type]] = [(f"/{RESOURCE}/people", PeopleHandler)]
