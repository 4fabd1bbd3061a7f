"""The routes of the templates gallery."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from workspace_ext.client.broker import BrokerClient
from workspace_ext.protocol.templates import Gallery
from workspace_ext.server.handlers import RESOURCE, InvestigationHandler


class GalleryHandler(InvestigationHandler):
    """What can be asked."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """A `Gallery`."""
        self.answer(await self.workspace.link.call(_gallery))


class PictureHandler(InvestigationHandler):
    """A picture of a template's example result."""

    @web.authenticated
    @authorized
    async def get(self, template: str) -> None:
        """The SVG; what it is opened as on its own may run no script."""
        picture = await self.workspace.link.call(lambda client: client.template_picture(template))
        self.set_header("Content-Security-Policy", "sandbox; default-src 'none'")
        self.finish(picture, set_content_type="image/svg+xml")


def _gallery(client: BrokerClient) -> Gallery:
    return {
        "templates": client.templates(),
        "problems": client.template_problems(),
        "services": [service["name"] for service in client.services()],
    }


GALLERY_ROUTES: list[tuple[str, type]] = [
    (f"/{RESOURCE}/gallery", GalleryHandler),
    (f"/{RESOURCE}/gallery/([^/]+)/picture", PictureHandler),
]
