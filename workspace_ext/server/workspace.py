"""All of the server's parts, put together, started and stopped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.inquiry.capture import prose
from workspace_ext.protocol.messages import EventIn
from workspace_ext.server.adoption import Adoption
from workspace_ext.server.comparing import Comparing
from workspace_ext.server.editors import Editors, follow_authors
from workspace_ext.server.ending import needed
from workspace_ext.server.followers import Followers
from workspace_ext.server.identity import NOBODY, current_actor
from workspace_ext.server.link import BrokerLink
from workspace_ext.server.live import LiveNotebooks
from workspace_ext.server.notebooks import Notebooks
from workspace_ext.server.openings import Openings
from workspace_ext.server.reporter import Reporter
from workspace_ext.server.restoring import Restores
from workspace_ext.server.saves import Saves
from workspace_ext.server.tap import KERNELSPEC, Tap
from workspace_ext.server.turns import Turns
from workspace_ext.server.unstamped import Unstamped

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

_log = logging.getLogger(__name__)

GATHER_SECONDS = 0.25
"""How long changes gather before they are written into a notebook."""

_CONTENTS_EVENTS = "https://events.jupyter.org/jupyter_server/contents_service/v1"


class Workspace:
    """What the extension adds to one Jupyter server. Lives on its event loop.

    Args:
        serverapp: The server, configured.
        store: The store's folder.
        may_make: Whether it may be made when it is not there.
        data: The user's own place for what belongs to the store: what waits for the broker.
        patience: How many seconds a kernel's start or a first run waits for the broker.
    """

    def __init__(
        self, serverapp: ServerApp, *, store: Path, may_make: bool, data: Path, patience: float
    ) -> None:
        self._patience = patience
        self._tasks, self._changed = set[asyncio.Task[None]](), set[str]()
        self._tokens: dict[str, bool] = {}  # by the kernel: whether its token has to end
        sessions, contents = serverapp.session_manager, serverapp.contents_manager
        kernels, events = serverapp.kernel_manager, serverapp.event_logger
        assert events is not None
        self.link = BrokerLink(store, may_make=may_make)
        self.reporter = Reporter(data / "spool", self.link.client, self._on_refused)
        self.followers = Followers(lambda uid: self.link.client().follow(uid), self.touch)
        self.data = Followers(lambda _: self.link.client().follow_data(), lambda _: None)
        self.editors = Editors()
        self.live = LiveNotebooks(serverapp, self._edited)
        follow_authors(self.live.authored)
        unstamped = Unstamped(data / "unstamped", contents.root_dir, store)
        self.notebooks = Notebooks(
            contents,
            self.live,
            sessions,
            self.followers.state,
            self._written,
            unstamped,
            Turns(contents),
        )
        self.openings = Openings(self.link, self.reporter, self.notebooks, contents)
        self.tap = Tap(
            sessions,
            lambda kernel_id: str(kernels.get_kernel(kernel_id).kernel_name),
            self.notebooks,
            record=self.reporter.report,
            used=self.followers.use,
            ran=self.editors.note,
        )
        self.adoption = Adoption(self.notebooks, self.tap.path_of, self.spawn)
        self.saves = Saves(
            contents,
            self.notebooks,
            self.live,
            self.editors,
            record=self.reporter.report,
            store=store,
        )
        self.notebooks.on_bound = self.saves.opened
        self.comparing = Comparing(self.link, self.notebooks, self.live)
        self.restores = Restores(
            self.link,
            self.notebooks,
            self.live,
            sessions,
            self.saves,
            delivered=self.reporter.flush,
        )
        contents.register_pre_save_hook(self.notebooks.before_save)
        contents.register_pre_save_hook(self.saves.before)  # sees what the hook above added
        contents.register_post_save_hook(self.saves.after)
        contents.register_post_save_hook(self.notebooks.after_save)
        sessions.on_closed.append(self._on_session_closed)
        events.add_listener(schema_id=_CONTENTS_EVENTS, listener=self._on_contents_event)

    # -- for kernels -------------------------------------------------------------------------

    async def kernel_access(
        self, kernel_id: str, spec: str, actor: Actor, notebook: str
    ) -> tuple[str, str]:
        """The broker's address, and a token for one kernel.

        Args:
            kernel_id: The kernel.
            spec: The name of its spec; ours is a reason to make a store.
            actor: Who starts it.
            notebook: What for.

        Raises:
            InvestigationError: Why there is none.
        """
        if spec == KERNELSPEC:
            self.link.make()

        def ask(client: Any) -> tuple[str, str]:
            token = client.token(kernel_id, user=actor.name, notebook=notebook)
            return client.address, token

        access = await self.link.call(ask, seconds=self._patience)
        self._tokens[kernel_id] = False
        self.reporter.start()  # sends what an earlier server could not
        return access

    def kernel_ended(self, kernel_id: str) -> None:
        """Ends a kernel's token: it was shut down."""
        if kernel_id in self._tokens:
            self._tokens[kernel_id] = True
            self.spawn(self._revoke())

    async def _revoke(self) -> None:
        """What cannot be told now is told with the next one, or when the server stops."""
        ended = [kernel_id for kernel_id, over in self._tokens.items() if over]
        try:
            await self.link.call(lambda client: client.revoke_tokens(ended))
        except InvestigationError as error:
            _log.warning("tokens of kernels that were shut down still hold: %s", error.message)
            return
        for kernel_id in ended:
            self._tokens.pop(kernel_id, None)

    async def make_ready(self, path: str, actor: Actor) -> None:
        """Finds or opens the investigation of a notebook whose run waits; never raises."""
        try:
            await self.openings.begin(path, actor, patience=self._patience)
        except Exception as error:
            _log.error("gap in the record of %s: %r", path, error)

    # -- life --------------------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs something on the loop; what goes wrong in it is logged."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        needed(task)
        task.add_done_callback(self._done)

    def show(self, uid: str) -> None:
        """Brings an investigation into its notebooks although nobody works on it yet."""
        user = object()
        self.followers.use(uid, user)
        self.followers.release(user)

    def touch(self, uid: str) -> None:
        """Sees to it that an investigation's notebooks soon tell what is known of it."""
        if uid not in self._changed:
            self._changed.add(uid)
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self._write, uid)

    def _edited(self, path: str, cells: Sequence[str], actor: Actor) -> None:
        self.editors.note(path, cells, actor)
        self.adoption.edited(cells)

    def _written(self, uid: str, path: str, texts: Sequence[prose.Text]) -> None:
        who = current_actor()
        seen = {text.uid: self.editors.last(path, text.id) for text in texts}
        by = {cell: editor for cell, editor in seen.items() if editor is not None}
        self.spawn(self._record_texts(uid, texts, None if who == NOBODY else who, by))

    async def _record_texts(
        self,
        uid: str,
        texts: Sequence[prose.Text],
        who: Actor | None,
        by: Mapping[str, Actor],
    ) -> None:
        """What text cells say becomes part of the record; without a broker, at the next save."""
        try:
            state = await self.link.call(lambda client: client.state(uid))
        except InvestigationError as error:
            _log.info("text cells of %s are not recorded yet: %s", uid, error.message)
            return
        self.reporter.report(uid, prose.events(state, texts, who, by=by))

    async def stop(self) -> None:
        """Ends all threads; the broker leaves when nobody else uses it."""
        for task in tuple(self._tasks):
            task.cancel()
        self.tap.end_all("the server was stopped")
        ending = [*self.followers.stop(), *self.data.stop()]
        hanging_up = asyncio.ensure_future(self.live.hang_up())
        await asyncio.to_thread(self.reporter.stop)
        self._tokens = dict.fromkeys(self._tokens, True)  # Jupyter shuts them down next
        if self._tokens and self.link.state.status == "ready":
            await self._revoke()
        self._tokens.clear()
        await asyncio.to_thread(self.link.stop)
        for thread in ending:
            await asyncio.to_thread(thread.join, 5.0)
        await hanging_up

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("background work failed", exc_info=error)

    def _write(self, uid: str) -> None:
        self._changed.discard(uid)
        self.spawn(self.notebooks.write(uid))

    def _on_refused(self, uid: str, event: EventIn, code: str) -> None:
        self.saves.refused(uid, event, code)

    def _on_session_closed(self, path: str) -> None:
        self.spawn(self.notebooks.closed(path))

    async def _on_contents_event(
        self,
        logger: object,  # noqa: ARG002 # they are given by name
        schema_id: str,  # noqa: ARG002
        data: dict[str, Any],
    ) -> None:
        if data["action"] == "get":
            self.saves.opened(data["path"].strip("/"))
        elif data["action"] == "rename":
            self.notebooks.moved(data["source_path"], data["path"])
            self.saves.moved(data["source_path"], data["path"])
        elif data["action"] == "delete":
            self.notebooks.removed(data["path"])
