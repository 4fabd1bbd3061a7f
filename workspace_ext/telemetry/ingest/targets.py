"""What a mapping may fill: the fields of each signal, and what kind of value each takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workspace_ext.telemetry.schema import HOT

Kind = Literal["text", "time", "duration", "int", "float", "bool", "list"]

SPAN_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
"""In the order of OTLP's numbers, as are the statuses."""

SPAN_STATUSES = ("unset", "ok", "error")
METRIC_KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
TEMPORALITIES = ("delta", "cumulative")
EVENT_KINDS = ("alert", "deploy", "change", "flag", "incident", "annotation")


RESOURCE_NAMES = {
    "service": ("service.name",),
    "environment": ("deployment.environment.name", "deployment.environment"),
    "version": (
        "service.version",
        "k8s.pod.label.app.kubernetes.io/version",
        "k8s.pod.labels.app.kubernetes.io/version",
        "app.kubernetes.io/version",
    ),
    "namespace": ("k8s.namespace.name", "service.namespace"),
    "pod": ("k8s.pod.name",),
    "host": ("host.name", "k8s.node.name"),
    "region": ("cloud.region",),
}
"""Which attributes fill the hot columns, the first that has a value: OpenTelemetry's semantic
conventions (the older ``deployment.environment`` too), and the recommended labels of Kubernetes as
its attributes processor writes them."""

LABEL_NAMES = {
    "service": ("service_name", "service", "app_kubernetes_io_name", "job"),
    "environment": ("deployment_environment_name", "deployment_environment", "environment", "env"),
    "version": ("service_version", "app_kubernetes_io_version", "version"),
    "namespace": ("k8s_namespace_name", "kubernetes_namespace", "namespace"),
    "pod": ("k8s_pod_name", "kubernetes_pod_name", "pod"),
    "host": ("host_name", "k8s_node_name", "node", "host", "instance"),
    "region": ("cloud_region", "region"),
}
"""The same for labels, as Prometheus, Loki and Alertmanager have them: without dots."""


@dataclass(frozen=True)
class Target:
    """A field.

    Attributes:
        name: Of the field, in a mapping.
        kind: What its values are.
        required: Whether a record without it is rejected.
        choices: The values it may have, when they are few; written in lower case.
        by_wide: Whether a metric's ``wide`` gives it.
    """

    name: str
    kind: Kind = "text"
    required: bool = False
    choices: tuple[str, ...] = ()
    by_wide: bool = False


def _named(*targets: Target, hot: bool = True) -> dict[str, Target]:
    extra = tuple(Target(name) for name in HOT) if hot else ()
    return {target.name: target for target in (*targets, *extra)}


TARGETS: dict[str, dict[str, Target]] = {
    "spans": _named(
        Target("time", "time", required=True),
        Target("duration", "duration"),
        Target("end_time", "time"),
        Target("trace_id", required=True),
        Target("span_id", required=True),
        Target("parent_span_id"),
        Target("name"),
        Target("kind", choices=SPAN_KINDS),
        Target("status", choices=SPAN_STATUSES),
        Target("status_message"),
        Target("trace_state"),
        Target("scope"),
    ),
    "logs": _named(
        Target("time", "time", required=True),
        Target("observed_time", "time"),
        Target("severity_number", "int"),
        Target("severity"),
        Target("body"),
        Target("trace_id"),
        Target("span_id"),
        Target("event_name"),
        Target("scope"),
    ),
    "metrics": _named(
        Target("time", "time", required=True),
        Target("start_time", "time"),
        Target("name", required=True, by_wide=True),
        Target("unit"),
        Target("kind", choices=METRIC_KINDS),
        Target("temporality", choices=TEMPORALITIES),
        Target("monotonic", "bool"),
        Target("value", "float", required=True, by_wide=True),
        Target("scope"),
    ),
    "events": _named(
        Target("time", "time", required=True),
        Target("end_time", "time"),
        Target("kind", required=True, choices=EVENT_KINDS),
        Target("source"),
        Target("severity"),
        Target("title"),
        Target("body"),
        Target("state"),
        Target("fingerprint"),
    ),
    "services": _named(
        Target("name", required=True),
        Target("owner"),
        Target("tier"),
        Target("lifecycle"),
        Target("system"),
        Target("depends_on", "list"),
        hot=False,
    ),
}
