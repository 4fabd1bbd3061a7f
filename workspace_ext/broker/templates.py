"""The routes about query templates."""

from __future__ import annotations

from typing import Any

from workspace_ext.broker.handlers import Call, Reply, Route
from workspace_ext.foundation.errors import NotFound


def templates(call: Call) -> Any:
    """GET /v1/templates."""
    return [template.describe() for template in call.services.templates.list()]


def problems(call: Call) -> Any:
    """GET /v1/templates/problems: why files are left out."""
    return [
        {
            "file": "/".join(problem.path.parts[-2:]),
            "line": problem.line,
            "message": problem.message,
        }
        for problem in call.services.templates.problems()
    ]


def template(call: Call) -> Any:
    """GET /v1/templates/ID."""
    version = call.number("version", 0) if "version" in call.query else None
    return call.services.templates.get(call.path[0], version).describe()


def picture(call: Call) -> Reply:
    """GET /v1/templates/ID/picture: an example result, as SVG."""
    found = call.services.templates.get(call.path[0])
    try:
        return Reply(found.picture.read_bytes(), "image/svg+xml")
    except FileNotFoundError as error:
        raise NotFound(
            f"there is no picture of {found.id}", hint="run it to see", code="no_picture"
        ) from error


TEMPLATE_ROUTES: dict[str, dict[str, Route]] = {
    "/v1/templates": {"GET": Route("template.read", templates)},
    "/v1/templates/problems": {"GET": Route("template.read", problems)},  # no id is without a dot
    "/v1/templates/([^/]+)": {"GET": Route("template.read", template)},
    "/v1/templates/([^/]+)/picture": {"GET": Route("template.read", picture)},
}
