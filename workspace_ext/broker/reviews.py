"""The routes of reviews and comments."""

from __future__ import annotations

from typing import Any

from workspace_ext.access.model import require
from workspace_ext.broker.handlers import Call, Reply, Route
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import BadInput


def review(call: Call) -> Any:
    """GET /v1/investigations/UID/review."""
    return call.services.reviews.review(call.path[0])


def act(call: Call) -> Any:
    """POST /v1/investigations/UID/review {action, reason?, digest?, actor?}."""
    action = call.text("action")
    require(call.principal, "review.act", action)
    return call.services.reviews.act(
        call.path[0],
        action,
        _taking_part(call),
        reason=call.text("reason", ""),
        digest=call.text("digest", ""),
    )


def comment(call: Call) -> Any:
    """POST /v1/investigations/UID/comments {text, cell | hypothesis | thread, id?, actor?}."""
    names = ("cell", "hypothesis", "thread")
    place = {name: _maybe(call, name) for name in names}
    who = _taking_part(call)
    return call.services.reviews.comment(
        call.path[0], call.text("text"), who, comment=_maybe(call, "id"), **place
    )


def settle(call: Call) -> Any:
    """POST /v1/investigations/UID/threads {thread, resolved, actor?}."""
    resolved = call.fields().get("resolved")
    if not isinstance(resolved, bool):
        raise BadInput("resolved must be true or false", hint='as in {"resolved": true}')
    uid, thread = call.path[0], call.text("thread")
    return call.services.reviews.settle(uid, thread, _taking_part(call), resolved=resolved)


def changes(call: Call) -> Any:
    """POST /v1/investigations/UID/changes {since?, actor?}; it remembers that they looked."""
    return call.services.reviews.changes(call.path[0], _person(call), _maybe(call, "since"))


def postmortem(call: Call) -> Any:
    """GET /v1/investigations/UID/postmortem."""
    text = call.services.postmortems.markdown(call.path[0])
    return Reply(text.encode(), "text/markdown; charset=UTF-8")


def review_template(call: Call) -> Any:
    """POST /v1/templates/ID/reviews {version?, reason?, actor?}."""
    version = call.fields().get("version")
    if version is not None and (isinstance(version, bool) or not isinstance(version, int)):
        raise BadInput("version must be a whole number", hint='as in {"version": 3}')
    return call.services.template_reviews.review(
        call.path[0], _person(call), version=version, reason=call.text("reason", "")
    )


def review_script(call: Call) -> Any:
    """POST /v1/scripts/reviews {name, digest, reason?, actor?}."""
    return call.services.template_reviews.review_script(
        call.text("name"), call.text("digest"), _person(call), reason=call.text("reason", "")
    )


def _person(call: Call) -> Actor:
    """Who it is: a service knows its people, a kernel acts for the user of its token."""
    caller = call.principal
    if caller.kind == "service":
        return Actor.parse(call.text("actor", str(caller.actor)))
    return caller.on_behalf_of or caller.actor


def _taking_part(call: Call) -> Actor:
    """Who it is, once it is on record with which role they do this."""
    who = _person(call)
    call.services.investigations.take_part(call.path[0], who, call.principal.role)
    return who


def _maybe(call: Call, name: str) -> str | None:
    return None if call.fields().get(name) is None else call.text(name)


_ONE = "/v1/investigations/([^/]+)"

REVIEW_ROUTES: dict[str, dict[str, Route]] = {
    f"{_ONE}/review": {
        "GET": Route("investigation.read", review),
        "POST": Route("review.act", act),
    },
    f"{_ONE}/comments": {"POST": Route("comment.write", comment)},
    f"{_ONE}/threads": {"POST": Route("comment.write", settle)},
    "/v1/templates/([^/]+)/reviews": {"POST": Route("template.review", review_template)},
    "/v1/scripts/reviews": {"POST": Route("template.review", review_script)},
    f"{_ONE}/postmortem": {"GET": Route("investigation.read", postmortem)},
    f"{_ONE}/changes": {"POST": Route("investigation.read", changes)},
}
