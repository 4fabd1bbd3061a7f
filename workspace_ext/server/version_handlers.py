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
        path = self.get_query_argument("path", "").strip("/")
        self.answer({"open": self.workspace.restores.is_open(path)})


class VersionsHandler(InvestigationHandler):
    """The versions of a notebook."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """A list, the newest first; empty when the notebook is no investigation."""
        path = self.get_query_argument("path", "").strip("/")
        before = self.get_query_argument("before", "")
        if before and not (before.isascii() and before.isdigit() and len(before) < 10):
            raise BadInput(f"{before[:40]!r} is no version", hint="give its number, as in 12")
        notebooks = self.workspace.notebooks
        uid = notebooks.uid(path, await notebooks.look(path))
        if uid is None:
            self.answer([])
            return
        upto = int(before) if before else None
        self.answer(
            await self.workspace.link.call(lambda client: client.versions(uid, before=upto))
        )


class DiffHandler(InvestigationHandler):
    """What differs between two versions of a notebook."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """``?path=&old=&new=``: a `VersionDiff`; without ``new``, to the notebook as it is."""
        path = self.get_query_argument("path", "").strip("/")
        old, new = self._revision("old"), self._revision("new")
        if old is None:
            raise BadInput("no revision is named", hint="give old=12, and new=15 if you like")
        self.answer(await self.workspace.comparing.compare(path, old, new))

    def _revision(self, name: str) -> int | None:
        given = self.get_query_argument(name, "")
        if given and not (given.isascii() and given.isdigit() and len(given) < 10):
            raise BadInput(f"{given[:40]!r} is no revision", hint="give its number, as in 12")
        return int(given) if given else None


class ProvenanceHandler(InvestigationHandler):
    """What stands behind an answer."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """``?path=&query=``; answers with a `Provenance`."""
        path = self.get_query_argument("path", "").strip("/")
        query = self.get_query_argument("query", "")
        notebooks = self.workspace.notebooks
        uid = notebooks.uid(path, await notebooks.look(path))
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
        body = self.body()
        path = body.get("path")
        if not isinstance(path, str) or not path.strip("/"):
            raise BadInput("no path is named", hint='send {"path": "…", "revision": 3}')
        wish = check_wish(body)
        actor = actor_of(self.current_user)
        self.answer(await self.workspace.restores.restore(path.strip("/"), actor, **wish))


VERSION_ROUTES: list[tuple[str, type]] = [
    (f"/{RESOURCE}/open", OpenHandler),
    (f"/{RESOURCE}/versions", VersionsHandler),
    (f"/{RESOURCE}/diff", DiffHandler),
    (f"/{RESOURCE}/provenance", ProvenanceHandler),
    (f"/{RESOURCE}/restore", RestoreHandler),
]
