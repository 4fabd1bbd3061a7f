"""The routes of versions."""

from __future__ import annotations

from typing import Any, cast

from workspace_ext.broker.handlers import Call, Route
from workspace_ext.foundation.errors import BadInput
from workspace_ext.protocol.messages import VersionIn

_MOST_VERSIONS = 1000


def save(call: Call) -> Any:
    """POST /v1/investigations/UID/versions."""
    source = str(call.principal.actor)
    sent = cast(VersionIn, call.fields())
    version, new = call.services.versions.save(call.path[0], sent, source=source)
    return {**version.to_dict(), "new": new}


def history(call: Call) -> Any:
    """GET /v1/investigations/UID/versions?before=&limit=."""
    before = call.number("before", 0) if "before" in call.query else None
    limit = min(call.number("limit", 100), _MOST_VERSIONS)
    found = call.services.versions.history(call.path[0], before=before, limit=limit)
    return [version.to_dict() for version in found]


def version(call: Call) -> Any:
    """GET /v1/investigations/UID/versions/REVISION, or …/newest."""
    uid, named = call.path
    if named != "newest" and not (named.isascii() and named.isdigit() and len(named) < 10):
        raise BadInput(f"{named[:40]!r} is no version", hint="give its number, as in 12")
    revision = None if named == "newest" else int(named)
    found, notebook = call.services.versions.get(uid, revision)
    return {"version": found.to_dict(), "notebook": notebook}


def cell(call: Call) -> Any:
    """GET /v1/investigations/UID/cells/CELL/versions."""
    return call.services.versions.cell(*call.path)


def blame(call: Call) -> Any:
    """GET /v1/investigations/UID/blame."""
    return call.services.versions.blame(call.path[0])


def recovered(call: Call) -> Any:
    """GET /v1/investigations/UID/recovered."""
    return call.services.versions.recover(call.path[0])


def notebooks(call: Call) -> Any:
    """GET /v1/notebooks."""
    return call.services.versions.notebooks()


_ONE = "/v1/investigations/([^/]+)"

VERSION_ROUTES: dict[str, dict[str, Route]] = {
    f"{_ONE}/versions": {
        "GET": Route("investigation.read", history),
        "POST": Route("version.save", save),
    },
    f"{_ONE}/versions/([^/]+)": {"GET": Route("investigation.read", version)},
    f"{_ONE}/cells/([^/]+)/versions": {"GET": Route("investigation.read", cell)},
    f"{_ONE}/blame": {"GET": Route("investigation.read", blame)},
    f"{_ONE}/recovered": {"GET": Route("investigation.read", recovered)},
    "/v1/notebooks": {"GET": Route("investigation.read", notebooks)},
}
