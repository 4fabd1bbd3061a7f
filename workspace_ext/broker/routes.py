"""The routes: translate a call to a service, and what it returns to JSON."""

from __future__ import annotations

from typing import Any

from tornado.web import Application

from workspace_ext.broker.handlers import Call, CallHandler, NoRoute, Route
from workspace_ext.broker.live import HealthHandler, LeaseHandler, ReleaseHandler
from workspace_ext.broker.runtime import Runtime


def issue_token(call: Call) -> dict[str, str]:
    """POST /v1/tokens."""
    token = call.services.tokens.kernel_token(
        kernel=call.text("kernel"), user=call.text("user"), notebook=call.text("notebook", "")
    )
    return {"token": token}


ROUTES: dict[str, dict[str, Route]] = {
    "/v1/tokens": {"POST": Route("token.issue", issue_token)},
}


def application(runtime: Runtime, **settings: Any) -> Application:
    """The Tornado application over all routes."""
    shared = {"runtime": runtime}
    return Application(
        [
            ("/v1/health", HealthHandler, shared),
            ("/v1/lease", LeaseHandler, shared),
            ("/v1/release", ReleaseHandler, shared),
            *((path, CallHandler, {**shared, "routes": of}) for path, of in ROUTES.items()),
        ],
        default_handler_class=NoRoute,
        default_handler_args=shared,
        **settings,
    )
