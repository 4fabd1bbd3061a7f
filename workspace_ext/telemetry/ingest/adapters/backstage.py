"""Backstage's catalog-info.yaml: each component in it is a service."""

from __future__ import annotations

from typing import Any

import yaml

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest.adapter import BY_NAME, NO, SURE, Adapter, Context, Head, whole
from workspace_ext.telemetry.ingest.adapters.json_body import flat
from workspace_ext.telemetry.ingest.limits import YAML_BYTES, YAML_DEPTH
from workspace_ext.telemetry.ingest.rows import BadRecord, Rows, as_text

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_API = "backstage.io/"
_TOLD = {"owner", "lifecycle", "system", "dependsOn", "tier"}


def _recognise(head: Head) -> int:
    if b"apiVersion:" in head.content and _API.encode() in head.content:
        return SURE
    return BY_NAME if head.content and head.name.startswith("catalog-info.y") else NO


def _decode(rows: Rows, body: bytes, context: Context) -> None:
    if len(body) > YAML_BYTES:
        raise _unreadable(context, f"it is larger than {YAML_BYTES >> 20} MiB")
    text = body.decode("utf-8-sig", "replace")
    try:
        _check(text, context)
        documents = list(yaml.load_all(text, Loader=_LOADER))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise _unreadable(context, str(error)) from None
    others = 0
    for number, entity in enumerate(documents, 1):
        if entity is None:
            continue
        with rows.guard(number, entity):
            if not isinstance(entity, dict) or not str(entity.get("apiVersion")).startswith(_API):
                raise BadRecord(f"not an entity: apiVersion is not {_API}…")
            if entity.get("kind") != "Component":
                others += 1
                continue
            _component(rows, number, entity)
    if others:
        rows.warn(f"entities that are no components were left out: {others}")


def _check(text: str, context: Context) -> None:
    """Refuses what grows in memory: references to other parts, and very deep nesting."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise _unreadable(context, "it refers to its own parts with *, which is not taken")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > YAML_DEPTH:
            raise _unreadable(context, f"it is nested deeper than {YAML_DEPTH}")


def _component(rows: Rows, number: int, entity: dict[str, Any]) -> None:
    metadata, spec = entity["metadata"], entity.get("spec") or {}
    if not metadata.get("name"):
        raise BadRecord("the component has no name")
    marks = {**(metadata.get("annotations") or {}), **(metadata.get("labels") or {})}
    tiers = [value for key, value in marks.items() if str(key).rsplit("/", 1)[-1] == "tier"]
    tier = spec.get("tier") or next(iter(tiers), None)
    about = {f"metadata.{key}": value for key, value in flat(metadata).items() if key != "name"}
    about |= {f"spec.{key}": value for key, value in flat(spec).items() if key not in _TOLD}
    rows.add(
        "services",
        number,
        {
            "name": str(metadata["name"]),
            "owner": _name(spec["owner"]) if spec.get("owner") else None,
            "tier": None if tier is None else str(tier),
            "lifecycle": as_text(spec.get("lifecycle")),
            "system": as_text(spec.get("system")),
            "depends_on": [_name(each) for each in spec.get("dependsOn") or ()],
            "attributes": sorted((key, _plain(value)) for key, value in about.items()),
        },
    )


def _name(reference: Any) -> str:
    """The name in a reference such as ``component:default/cart``; unusual kinds keep theirs."""
    kind, _, name = str(reference).rpartition(":")
    name = name.removeprefix("default/")
    return name if kind.lower() in ("", "component", "group") else f"{kind}:{name}"


def _plain(value: Any) -> str | None:
    """Dates and the like, which JSON does not know, as YAML writes them."""
    return as_text(value) if isinstance(value, str | bool | list | dict | None) else str(value)


def _unreadable(context: Context, why: str) -> BadInput:
    return BadInput(
        f"{context.name} is not a catalog: {' '.join(why.split())}"[:300],
        hint="compare with Backstage's catalog-info.yaml",
        code="bad_request_body",
    )


ADAPTER = Adapter("Backstage catalog-info.yaml", whole(_decode), _recognise)
