"""Values of OTLP's protobuf as plain JSON, for both ways to read it."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from workspace_ext.telemetry.ingest.rows import Pairs, as_text


def pairs_of(attributes: Iterable[Any]) -> Pairs:
    """Attributes as texts, sorted by name; of the same name twice, the last one."""
    return sorted({item.key: as_text(value_of(item.value)) for item in attributes}.items())


def value_of(value: Any) -> Any:
    """An AnyValue as plain JSON; bytes in base64, as in OTLP's JSON."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return value.string_value
    if kind is None:
        return None
    if kind == "array_value":
        return [value_of(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {item.key: value_of(item.value) for item in value.kvlist_value.values}
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode("ascii")
    return getattr(value, kind)
