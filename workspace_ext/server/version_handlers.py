"""The routes about versions for the browser, and for the command line."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from workspace_ext.foundation.errors import BadInput
from workspace_ext.server.handlers import RESOURCE, InvestigationHandler
from workspace_ext.server.identity import actor_of
from workspace_ext.server.restoring import check_wish


class OpenHandler(InvestigationHandler):
    """Whether somebody may have a notebook open here."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """``{open}``."""
        self.answer({"open": self.workspace.restores.is_open(self.path_asked)})


class VersionsHandler(InvestigationHandler):
    """The versions of a notebook."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """A list, the newest first; empty when the notebook is no investigation."""
        before = self.number("before")
        uid = await self.workspace.notebooks.investigation_of(self.path_asked)
        if uid is None:
            self.answer([])
            return
        self.answer(
            await self.workspace.link.call(lambda client: client.versions(uid, before=before))
        )


class DiffHandler(InvestigationHandler):
    """What differs between two versions of a notebook."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """``?path=&old=&new=``: a `VersionDiff`; without ``new``, to the notebook as it is."""
        old, new = self.number("old"), self.number("new")
        if old is None:
            raise BadInput("no revision is named", hint="give old=12, and new=15 if you like")
        self.answer(await self.workspace.comparing.compare(self.path_asked, old, new))


class ProvenanceHandler(InvestigationHandler):
    """What stands behind an answer."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """``?path=&query=``; answers with a `Provenance`."""
        path, query = self.path_asked, self.get_query_argument("query", "")
        uid = await self.workspace.notebooks.investigation_of(path)
        if uid is None or not query:
            raise BadInput(
                f"{path} is no investigation" if uid is None else "no query is named",
                hint="ids of queries stand in the investigation's state",
            )
        self.answer(await self.workspace.link.call(lambda client: client.provenance(uid, query)))


class RestoreHandler(InvestigationHandler):
    """Brings a notebook back."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """``{path, revision, cell?, reason?, uid?}``; answers with the new version."""
        path, wish = self.path_needed(), check_wish(self.body())
        actor = actor_of(self.current_user)
        self.answer(await self.workspace.restores.restore(path, actor, **wish))


VERSION_ROUTES: list[tuple[str, type]] = [
    (f"/{RESOURCE}/open", OpenHandler),
    (f"/{RESOURCE}/versions", VersionsHandler),
    (f"/{RESOURCE}/diff", DiffHandler),
    (f"/{RESOURCE}/provenance", ProvenanceHandler),
    (f"/{RESOURCE}/restore", RestoreHandler),
]
