"""The routes about reviews and comments for the browser.

Whoever may read an investigation may comment on it and see what changed since they last looked:
an authorizer is asked for ``read`` there, although something is recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.errors import BadInput
from workspace_ext.foundation.ids import stable_id
from workspace_ext.practice.review.lifecycle import JUDGEMENTS
from workspace_ext.server.handlers import RESOURCE, InvestigationHandler, for_readers
from workspace_ext.server.identity import actor_of
from workspace_ext.server.roles import check, standing


class ReviewRoute(InvestigationHandler):
    """What these routes share: a notebook's investigation, and who asks."""

    async def told(self, ask: Callable[[BrokerClient, str], Any]) -> None:
        """Answers with what the broker says of the notebook's investigation.

        Raises:
            BadInput: No path is named, or the notebook is no investigation.
        """
        path = self.path_needed()
        uid = await self.workspace.notebooks.investigation_of(path)
        if uid is None:
            raise BadInput(
                f"{path} is no investigation yet", hint="run a cell, or begin one in the panel"
            )
        role, _ = await standing(self)
        call = self.workspace.link.call
        self.answer(await call(lambda client: ask(client.acting(role), uid)))

    @property
    def who(self) -> str:
        """The person, as the server knows them."""
        return str(actor_of(self.current_user))

    def texts(self, *names: str) -> dict[str, str]:
        """Some texts of the body; those that are not there are left out.

        Raises:
            BadInput: One is no text.
        """
        found = {name: value for name, value in self.body().items() if name in names}
        for name, value in found.items():
            if not isinstance(value, str):
                raise BadInput(f"{name} must be a text", hint=f'send {{"{name}": "…"}}')
        return found


class ReviewHandler(ReviewRoute):
    """How a notebook's review stands, and moving it on."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """A `Review`."""
        await self.told(lambda client, uid: client.review(uid))

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """``{path, action, reason?, digest?}``; answers with the `Review`."""
        said = self.texts("action", "reason", "digest")
        action = said.pop("action", "")
        if action in JUDGEMENTS:
            await check(self, "approve")
        if action == "archive":
            await check(self, "close")
        await self.told(
            lambda client, uid: client.act_on_review(uid, action, **{**said, "actor": self.who})
        )


class CommentsHandler(ReviewRoute):
    """Saying something."""

    open_to_all = True

    @web.authenticated
    @for_readers
    async def post(self) -> None:
        """``{path, text, cell | hypothesis | thread, id?}``; answers with the `Thread`.

        Said again by the same person under the same id, it changes nothing.
        """
        said = self.texts("text", "cell", "hypothesis", "thread", "id")
        text = said.pop("text", "")
        if "id" in said:
            said["id"] = stable_id("said", self.who, said["id"])
        await self.told(
            lambda client, uid: client.comment(uid, text, **{**said, "actor": self.who})
        )


class ThreadsHandler(ReviewRoute):
    """Resolving a thread, or opening it again."""

    open_to_all = True

    @web.authenticated
    @for_readers
    async def post(self) -> None:
        """``{path, thread, resolved}``; answers with the `Thread`."""
        thread = self.texts("thread").get("thread", "")
        resolved = self.body().get("resolved")
        if not isinstance(resolved, bool):
            raise BadInput("resolved must be true or false", hint='send {"resolved": true}')
        await self.told(
            lambda client, uid: client.settle(uid, thread, resolved=resolved, actor=self.who)
        )


class ChangesHandler(ReviewRoute):
    """What changed since the person last looked; asking is looking, so it is no GET."""

    open_to_all = True

    @web.authenticated
    @for_readers
    async def post(self) -> None:
        """``{path, since?}``; answers with `Changes`."""
        since = self.texts("since").get("since")
        await self.told(lambda client, uid: client.changes(uid, since=since, actor=self.who))


REVIEW_ROUTES: list[tuple[str, type]] = [
    (f"/{RESOURCE}/review", ReviewHandler),
    (f"/{RESOURCE}/comments", CommentsHandler),
    (f"/{RESOURCE}/threads", ThreadsHandler),
    (f"/{RESOURCE}/changes", ChangesHandler),
]
