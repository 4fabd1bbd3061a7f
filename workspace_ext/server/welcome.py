"""Where a person comes who logs in again in a tab of its own: a page that asks for the login."""

from __future__ import annotations

from html import escape

from jupyter_server.base.handlers import JupyterHandler
from tornado import web

from workspace_ext.server.handlers import RESOURCE

_PAGE = """<!doctype html>
<html lang="en">
<meta name="color-scheme" content="light dark">
<title>Logged in</title>
<body style="font: 16px system-ui, sans-serif; margin: 20vh auto; max-width: 30em">
<h1 style="font-size: 1.3em">You are logged in{name}.</h1>
<p>Close this tab, and try again in the one you came from: what you typed is still there.</p>
</body>
</html>
"""


class WelcomeHandler(JupyterHandler):
    """Every way of logging in sends who is not logged in from here to its own page, and back."""

    @web.authenticated
    def get(self) -> None:
        """Says that it worked."""
        user = self.current_user
        shown = getattr(user, "display_name", None) or getattr(user, "username", "")
        self.finish(_PAGE.format(name=f" as {escape(shown)}" if shown else ""))


WELCOME_ROUTES: list[tuple[str, type]] = [(f"/{RESOURCE}/welcome", WelcomeHandler)]
