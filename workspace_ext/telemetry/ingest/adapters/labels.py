"""Labels as Prometheus and its kin write them, as the columns of a record."""

from __future__ import annotations

from workspace_ext.telemetry.ingest.rows import Pairs, Row, pick

HOT = {
    "service": ("service_name", "service", "job"),
    "environment": ("deployment_environment", "environment", "env"),
    "version": ("service_version", "version"),
    "namespace": ("k8s_namespace_name", "namespace"),
    "pod": ("k8s_pod_name", "pod"),
    "host": ("host_name", "node", "host", "instance"),
    "region": ("cloud_region", "region"),
}


def labelled(labels: Pairs) -> Row:
    """The columns that follow from labels, which are sorted by name."""
    return {**pick(dict(labels), HOT), "attributes": labels, "resource": []}
