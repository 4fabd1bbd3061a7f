"""What lies between a browser and its server, for tests to break, to mend and to slow down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, WebSocketRoute


class Line:
    """Somebody's connection to the server, to be cut and mended.

    Made before the page is opened. Chromium's own offline mode leaves websockets open that are.
    """

    def __init__(self, page: Page) -> None:
        self._context = page.context
        self._open: list[WebSocketRoute] = []
        self._is_cut = False
        page.route_web_socket(re.compile(""), self._connect)

    def _connect(self, route: WebSocketRoute) -> None:
        if self._is_cut:
            route.close()
        else:
            self._open += [route, route.connect_to_server()]

    def cut(self) -> None:
        """Closes what is open; nothing opens any more."""
        self._is_cut = True
        self._context.set_offline(True)
        while self._open:
            self._open.pop().close()

    def mend(self) -> None:
        """Lets everything through again."""
        self._is_cut = False
        self._context.set_offline(False)


@contextmanager
def slow(page: Page, *, latency_ms: int) -> Iterator[None]:
    """A page's network is slow for a while, as the browser's own tools make it."""
    tools = page.context.new_cdp_session(page)
    tools.send("Network.enable")
    conditions = {"offline": False, "latency": latency_ms}
    no_limit = {"downloadThroughput": -1, "uploadThroughput": -1}
    tools.send("Network.emulateNetworkConditions", {**conditions, **no_limit})
    yield
    tools.detach()
