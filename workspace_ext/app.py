"""The Jupyter server extension: its settings, and the one place that marries the parts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from jupyter_server.services.sessions.sessionmanager import SessionManager
from traitlets import Float, Unicode

from workspace_ext.server.absent import absent_routes
from workspace_ext.server.connection import InvestigationConnection
from workspace_ext.server.data_handlers import DATA_ROUTES
from workspace_ext.server.gallery_handlers import GALLERY_ROUTES
from workspace_ext.server.handlers import ROUTES
from workspace_ext.server.hub import watch_hub
from workspace_ext.server.kernels import InvestigationKernelManager
from workspace_ext.server.login import PeopleProvider, use_people
from workspace_ext.server.people_handlers import PEOPLE_ROUTES
from workspace_ext.server.placement import data_folder, place_state, state_folder
from workspace_ext.server.record_handlers import RECORD_ROUTES
from workspace_ext.server.review_handlers import REVIEW_ROUTES
from workspace_ext.server.roles import RoleAuthorizer, tell_pages, use_roles
from workspace_ext.server.rooms import hold_readers
from workspace_ext.server.sessions import InvestigationSessionManager
from workspace_ext.server.troubles import Troubles
from workspace_ext.server.version_handlers import VERSION_ROUTES
from workspace_ext.server.welcome import WELCOME_ROUTES
from workspace_ext.server.workspace import Workspace

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

_CLASSES: dict[str, tuple[type, type]] = {
    "kernel_manager_class": (AsyncMappingKernelManager, InvestigationKernelManager),
    "session_manager_class": (SessionManager, InvestigationSessionManager),
    "kernel_websocket_connection_class": (
        ZMQChannelsWebsocketConnection,
        InvestigationConnection,
    ),
}
"""The server's classes that the tap needs, and what takes their places."""


class InvestigationApp(ExtensionApp):
    """Investigations in JupyterLab: captured runs, live metadata, and the browser's routes."""

    name = "investigation"
    classes = [RoleAuthorizer]  # noqa: RUF012 # as its parent has it

    store = Unicode(
        help="The store's folder. Default: $INVESTIGATION_STORE, else .investigation in the"
        " server's root folder, which is made when the first investigation begins."
    ).tag(config=True)

    broker_patience = Float(
        20.0,
        help="How many seconds a kernel's start, or the first run in a notebook, waits for a"
        " broker that is starting. After that it goes on without.",
    ).tag(config=True)

    _workspace: Workspace | None = None
    _absent = ""  # why nothing is recorded here

    @property
    def store_folder(self) -> Path:
        """The store's folder, absolute."""
        assert self.serverapp is not None
        root = Path(self.serverapp.root_dir)
        return (root / Path(self._named_store or ".investigation").expanduser()).absolute()

    @property
    def _named_store(self) -> str:
        return self.store or os.environ.get("INVESTIGATION_STORE", "")

    def _link_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Takes the places of the server's classes, before it makes their objects."""
        super()._link_jupyter_server_extension(serverapp)
        strange = _configured_otherwise(serverapp)
        if strange:
            self._absent = strange
            self.log.warning("runs are not captured here: %s", strange)
        else:
            for name, (_, ours) in _CLASSES.items():
                setattr(serverapp, name, ours)
        use_people(serverapp)
        use_roles(serverapp)
        hold_readers()
        self._place_state(serverapp)

    def initialize_settings(self) -> None:
        """Makes the parts; nothing is started before somebody needs it."""
        from workspace_ext.server.joint import use_joint_rooms  # brings the documents' library

        self._tell_people()
        assert self.serverapp is not None
        watch_hub(self.serverapp.identity_provider)
        tell_pages(self.settings)
        troubles = Troubles()
        use_joint_rooms(troubles.tell)
        self.settings["investigation_troubles"] = troubles
        if self._absent:
            return
        try:
            self._workspace = Workspace(
                self.serverapp,
                store=self.store_folder,
                may_make=not self._named_store,
                data=data_folder(self.store_folder),
                patience=self.broker_patience,
            )
        except Exception as error:  # edge: notebooks work without us, and the routes say it
            self._absent = f"{type(error).__name__}: {error}"
            self.log.exception("NOTHING IS RECORDED HERE: the extension could not begin")
            return
        self.settings["investigation_workspace"] = self._workspace
        kernels: Any = self.serverapp.kernel_manager
        kernels.workspace = self._workspace

    def initialize_handlers(self) -> None:
        """Adds the routes."""
        self.handlers.extend(WELCOME_ROUTES)
        if self._absent:
            self.handlers.extend(absent_routes(self._absent, str(self.store_folder)))
        elif self._workspace is not None:
            self.handlers.extend(
                [
                    *ROUTES,
                    *VERSION_ROUTES,
                    *REVIEW_ROUTES,
                    *RECORD_ROUTES,
                    *DATA_ROUTES,
                    *GALLERY_ROUTES,
                    *PEOPLE_ROUTES,
                ]
            )

    async def stop_extension(self) -> None:
        """Records what still runs as ended, and leaves nothing behind."""
        if self._workspace is not None:
            await self._workspace.stop()

    def _tell_people(self) -> None:
        """How one logs in, where the server's start is told: not by its usual link."""
        assert self.serverapp is not None
        provider = self.serverapp.identity_provider
        if isinstance(provider, PeopleProvider):
            self.log.info(
                "People log in with their own link or token, from: jupyter investigation people"
                " add NAME (known in %s)",
                provider.people.path,
            )

    def _place_state(self, serverapp: ServerApp) -> None:
        apps = serverapp.extension_manager.extension_apps.values()
        try:
            place_state(
                state_folder(self.store_folder),
                [serverapp, *(app for some in apps for app in some)],
            )
        except OSError as error:
            self.log.warning("shared editing keeps its state where it always does: %s", error)


def _configured_otherwise(serverapp: ServerApp) -> str:
    """Why our classes cannot take the places of the server's; empty when they can."""
    if os.environ.get("JUPYTER_GATEWAY_URL") or serverapp.config.GatewayClient.get("url"):
        return "its kernels run behind a gateway"
    for name, (stock, _) in _CLASSES.items():
        # Asking for a value that nobody set would make the default, too early for a gateway.
        if serverapp.trait_has_value(name) and getattr(serverapp, name) is not stock:
            return f"ServerApp.{name} is configured to another class"
    return ""
