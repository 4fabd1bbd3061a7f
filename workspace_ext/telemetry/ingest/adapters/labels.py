"""Labels as Prometheus and its kin write them, as the columns of a record."""

from __future__ import annotations

from workspace_ext.telemetry.ingest.rows import Pairs, Row, pick
from workspace_ext.telemetry.ingest.targets import LABEL_NAMES


def labelled(labels: Pairs) -> Row:
    """The columns that follow from labels, which are sorted by name."""
    return {**pick(dict(labels), LABEL_NAMES), "attributes": labels, "resource": []}
