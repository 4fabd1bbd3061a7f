"""The routes: each translates a call to a service, and what it returns to JSON."""

from __future__ import annotations

from typing import Any, cast

from tornado.web import Application

from workspace_ext.broker import keeping
from workspace_ext.broker.archives import ArchiveHandler
from workspace_ext.broker.handlers import Call, CallHandler, NoRoute, Reply, Route
from workspace_ext.broker.health import told
from workspace_ext.broker.live import (
    FollowDataHandler,
    FollowHandler,
    HealthHandler,
    LeaseHandler,
    ReleaseHandler,
)
from workspace_ext.broker.queries import QueryHandler
from workspace_ext.broker.reviews import REVIEW_ROUTES
from workspace_ext.broker.runtime import Runtime
from workspace_ext.broker.templates import TEMPLATE_ROUTES
from workspace_ext.broker.uploads import IngestHandler
from workspace_ext.broker.versions import VERSION_ROUTES
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import BadInput, NotFound
from workspace_ext.protocol.messages import ARROW_STREAM, FunctionTest
from workspace_ext.telemetry.retention.model import Policy

_OPENING = {
    *("title", "severity", "window", "baseline", "services", "pin", "notebook", "actor", "uid")
}


def issue_token(call: Call) -> Any:
    """POST /v1/tokens."""
    token = call.services.tokens.kernel_token(
        kernel=call.text("kernel"), user=call.text("user"), notebook=call.text("notebook", "")
    )
    return {"token": token}


def revoke_tokens(call: Call) -> Any:
    """POST /v1/tokens/revoke: these kernels are gone."""
    kernels = call.fields().get("kernels")
    if not isinstance(kernels, list) or not all(isinstance(each, str) for each in kernels):
        raise BadInput("kernels must be a list of ids", hint='give {"kernels": ["…"]} in the body')
    call.services.tokens.revoke(kernels)
    return {"revoked": kernels}


def catalog(call: Call) -> Any:
    """GET /v1/catalog."""
    known = call.services.catalog
    known.pin()  # settles: what was accepted before is in it
    return {**known.overview(), "tables": known.columns()}


def batches(call: Call) -> Any:
    """GET /v1/catalog/batches."""
    return call.services.catalog.batches(call.number("limit", 100))


def quarantine(call: Call) -> Any:
    """GET /v1/catalog/quarantine."""
    return call.services.catalog.quarantine(call.number("limit", 100))


def happenings(call: Call) -> Any:
    """GET /v1/catalog/events."""
    window = call.query.get("window")
    return call.services.catalog.happenings(
        None if window is None else Window.parse(window),
        pin=call.number("pin", 0) if "pin" in call.query else None,
        kind=call.query.get("kind"),
        limit=call.number("limit", 1000),
    )


def services(call: Call) -> Any:
    """GET /v1/catalog/services."""
    newest = call.services.catalog.pin()
    return call.services.catalog.described(call.number("pin", newest))


def quality(call: Call) -> Any:
    """GET /v1/catalog/quality."""
    window = call.query.get("window")
    return call.services.quality.report(
        None if window is None else Window.parse(window),
        pin=call.number("pin", 0) if "pin" in call.query else None,
        service=call.query.get("service"),
    )


def lineage(call: Call) -> Any:
    """GET /v1/queries/ID/lineage."""
    return call.services.lineage.of(call.path[0])


def provenance(call: Call) -> Any:
    """GET /v1/investigations/UID/queries/ID/provenance."""
    return call.services.provenances.of(*call.path)


def open_investigation(call: Call) -> Any:
    """POST /v1/investigations."""
    given = dict(call.fields())
    unknown = sorted(given.keys() - _OPENING)
    if unknown:
        raise BadInput(
            f"an investigation has no {unknown[0]!r}",
            hint=f"there is: {', '.join(sorted(_OPENING))}",
        )
    call.text("title")
    actor = Actor.parse(call.text("actor", str(call.principal.actor)))
    return call.services.investigations.open(**{**given, "actor": actor})


def investigations(call: Call) -> Any:
    """GET /v1/investigations."""
    return list(call.services.investigations.list())


def investigation(call: Call) -> Any:
    """GET /v1/investigations/UID."""
    return call.services.investigations.state(call.path[0])


def projection(call: Call) -> Any:
    """GET /v1/investigations/UID/notebook."""
    return call.services.investigations.projection(call.path[0])


def report(call: Call) -> Any:
    """POST /v1/investigations/UID/events."""
    if not isinstance(call.body, list):
        raise BadInput("the body must be a list of events", hint="send [{…}, …]")
    return call.services.investigations.report(call.path[0], call.body, call.principal)


def entries(call: Call) -> Any:
    """GET /v1/investigations/UID/events."""
    after, limit = call.number("after", 0), call.number("limit", 1000)
    return list(call.services.investigations.entries(call.path[0], after, limit))


def environment(call: Call) -> Any:
    """GET /v1/investigations/UID/environment."""
    found, _others = call.services.investigations.environment(call.path[0])
    return {"environment": found}


def recorded_query(call: Call) -> Any:
    """GET /v1/investigations/UID/queries/ID."""
    uid, query = call.path
    service = call.services.investigations
    if query not in service.state(uid)["queries"]:
        raise NotFound(
            f"no query {query!r} in this investigation",
            hint="the investigation's state has their ids",
            code="unknown_query",
        )
    return service.query(query).to_dict()


def kept_result(call: Call) -> Any:
    """GET /v1/investigations/UID/queries/ID/result."""
    uid, query = call.path
    service = call.services.investigations
    kept = service.kept_result(query) if query in service.state(uid)["queries"] else None
    if kept is None:
        raise NotFound(
            f"no rows are kept of query {query!r}",
            hint="only small results are kept; ask the query again for its rows",
            code="not_kept",
        )
    return Reply(kept, ARROW_STREAM)


def report_test(call: Call) -> Any:
    """POST /v1/investigations/UID/tests."""
    test = cast(FunctionTest, call.fields())
    return call.services.queries.report_test(call.path[0], test, call.principal)


def hypotheses(call: Call) -> Any:
    """GET /v1/hypotheses."""
    state, limit = call.query.get("state"), call.number("limit", 100)
    return list(call.services.investigations.hypotheses(call.query.get("text", ""), state, limit))


def status(call: Call) -> Any:
    """GET /v1/status: what an on-call asks first."""
    return {**told(call.services), "doors": dict(call.runtime.doors)}


def retention(call: Call) -> Any:
    """GET /v1/retention: the store's policy."""
    return keeping.describe(call.services)


def retain(call: Call) -> Any:
    """POST /v1/retention: removes what a policy says; with ``dry_run`` only says what it would."""
    given = dict(call.fields())
    actor = Actor.parse(str(given.pop("actor", call.principal.actor)))
    dry_run = given.pop("dry_run", False)
    policy = Policy.parse(given)
    if dry_run is True:
        return {**call.services.retention.plan(policy).to_dict(), "run": None}
    return keeping.remove(call.services, policy, actor)


def keep_policy(call: Call) -> Any:
    """POST /v1/retention/policy: what the broker applies every hour; ``{}`` ends it."""
    given = dict(call.fields())
    actor = Actor.parse(str(given.pop("actor", call.principal.actor)))
    keeping.keep_policy(call.services, Policy.parse(given) if given else None, actor)
    call.runtime.keeper.wake()
    return keeping.describe(call.services)


def verify(call: Call) -> Any:
    """GET /v1/ledger/verify."""
    return call.services.investigations.verify(call.query.get("stream")).to_dict()


_ONE = "/v1/investigations/([^/]+)"

ROUTES: dict[str, dict[str, Route]] = {
    "/v1/tokens": {"POST": Route("token.issue", issue_token)},
    "/v1/tokens/revoke": {"POST": Route("token.issue", revoke_tokens)},
    "/v1/catalog": {"GET": Route("catalog.read", catalog)},
    "/v1/catalog/batches": {"GET": Route("catalog.read", batches)},
    "/v1/catalog/quarantine": {"GET": Route("catalog.read", quarantine)},
    "/v1/catalog/events": {"GET": Route("catalog.read", happenings)},
    "/v1/catalog/services": {"GET": Route("catalog.read", services)},
    "/v1/catalog/quality": {"GET": Route("catalog.read", quality)},
    "/v1/queries/([^/]+)/lineage": {"GET": Route("query.read", lineage)},
    "/v1/investigations": {
        "GET": Route("investigation.read", investigations),
        "POST": Route("investigation.open", open_investigation),
    },
    _ONE: {"GET": Route("investigation.read", investigation)},
    f"{_ONE}/notebook": {"GET": Route("investigation.read", projection)},
    f"{_ONE}/events": {
        "GET": Route("investigation.read", entries),
        # which events a caller may report is decided event by event, by the service
        "POST": Route("investigation.read", report),
    },
    f"{_ONE}/tests": {"POST": Route("query.ask", report_test)},
    "/v1/hypotheses": {"GET": Route("investigation.read", hypotheses)},
    f"{_ONE}/queries/([^/]+)/provenance": {"GET": Route("query.read", provenance)},
    f"{_ONE}/environment": {"GET": Route("investigation.read", environment)},
    f"{_ONE}/queries/([^/]+)": {"GET": Route("query.read", recorded_query)},
    f"{_ONE}/queries/([^/]+)/result": {"GET": Route("query.read", kept_result)},
    "/v1/status": {"GET": Route("catalog.read", status)},
    "/v1/retention": {
        "GET": Route("catalog.read", retention),
        "POST": Route("data.remove", retain),
    },
    "/v1/retention/policy": {"POST": Route("data.remove", keep_policy)},
    "/v1/ledger/verify": {"GET": Route("ledger.read", verify)},
    **TEMPLATE_ROUTES,
    **VERSION_ROUTES,
    **REVIEW_ROUTES,
}


def application(runtime: Runtime, **settings: Any) -> Application:
    """The Tornado application over all routes."""
    shared = {"runtime": runtime}
    return Application(
        [
            ("/v1/health", HealthHandler, shared),
            ("/v1/lease", LeaseHandler, shared),
            ("/v1/release", ReleaseHandler, shared),
            ("/v1/ingest", IngestHandler, shared),
            ("/v1/queries", QueryHandler, shared),
            (f"{_ONE}/stream", FollowHandler, shared),
            ("/v1/catalog/stream", FollowDataHandler, shared),
            (f"{_ONE}/archive", ArchiveHandler, shared),
            *((path, CallHandler, {**shared, "routes": of}) for path, of in ROUTES.items()),
        ],
        default_handler_class=NoRoute,
        default_handler_args=shared,
        **settings,
    )
