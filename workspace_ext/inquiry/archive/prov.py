"""The archive's provenance as W3C PROV, in the PROV-JSON form: plain JSON, no library.

Each run of a cell, and each query it asked, is an activity; slices, templates and results are
entities; a slice derives from the batches its rows came in, a batch from its source. Kernels act
on behalf of people.

Sources: https://www.w3.org/TR/prov-dm/, https://www.w3.org/submissions/prov-json/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from workspace_ext.inquiry.archive.container import NOTEBOOK, text_path
from workspace_ext.inquiry.archive.crate import Told
from workspace_ext.protocol.messages import LedgerEntry

_PREFIX = "https://github.com/investigation-workspace/investigation-workspace/prov#"
_KINDS = {"user": "prov:Person", "kernel": "prov:SoftwareAgent", "service": "prov:SoftwareAgent"}

Origins = Mapping[str, Mapping[str, Any]]
"""By the path of a slice: ``batches`` and ``sources`` of its rows, as the catalog tells them."""


class _Document:
    """PROV-JSON under way; relations have no names of their own."""

    def __init__(self) -> None:
        self._parts: dict[str, dict[str, Any]] = {}
        self._relations = 0

    def add(self, kind: str, name: str, **said: Any) -> str:
        told = {key.replace("__", ":"): value for key, value in said.items() if value is not None}
        self._parts.setdefault(kind, {}).setdefault(name, {}).update(told)
        return name

    def relate(self, kind: str, first: tuple[str, str], second: tuple[str, str]) -> None:
        self._relations += 1
        said = {f"prov:{role}": name for role, name in (first, second)}
        self._parts.setdefault(kind, {})[f"_:r{self._relations}"] = said

    def content(self) -> dict[str, Any]:
        return {"prefix": {"inv": _PREFIX}, **self._parts}


def provenance(told: Told, entries: list[LedgerEntry], origins: Origins) -> dict[str, Any]:
    """The content of ``prov.json``.

    Args:
        told: What is in the archive.
        entries: The ledger: it tells who asked each query, and for whom.
        origins: Where the slices' rows came from.
    """
    document = _Document()
    document.add("entity", _part(NOTEBOOK), prov__label=told.state["title"])
    actors = {entry["id"]: entry for entry in entries if entry["type"].startswith("query.")}
    for step in told.state["steps"].values():
        run = _named("run", step["id"])
        document.add(
            "activity",
            run,
            prov__startTime=step["started"],
            prov__endTime=step["ended"],
            inv__cell=step["cell"],
            inv__status=step["status"],
        )
        _associate(document, run, step["by"], None)
        document.relate("used", ("activity", run), ("entity", _part(NOTEBOOK)))
        for path, name in told.scripts([step]).items():
            digest = told.files[path]["digest"]
            document.add("entity", _part(path), prov__label=name, inv__digest=digest)
            document.relate("used", ("activity", run), ("entity", _part(path)))
    for query in told.queries:
        _query(document, told, query, actors.get(query["id"]))
    for path, found in origins.items():
        _origins(document, path, found)
    return document.content()


def _query(
    document: _Document, told: Told, query: Mapping[str, Any], entry: LedgerEntry | None
) -> None:
    name = _named("query", query["id"])
    document.add(
        "activity",
        name,
        prov__startTime=query["at"],
        prov__label=query["title"],
        inv__pin=query["pin"],
        inv__digest=query["digest"],
        inv__rows=query["rows"],
    )
    if query["run"] in told.state["steps"]:
        run = _named("run", query["run"])
        document.relate("wasInformedBy", ("informed", name), ("informant", run))
    if entry is not None:
        _associate(document, name, entry["actor"], entry["on_behalf_of"])
    for path in told.used(query):
        document.add("entity", _part(path), inv__digest=told.files[path]["digest"])
        document.relate("used", ("activity", name), ("entity", _part(path)))
    result = told.result(query)
    if query["ok"]:
        entity = _part(result) if result else _named("result", query["id"])
        document.add("entity", entity, inv__digest=query["digest"])
        document.relate("wasGeneratedBy", ("entity", entity), ("activity", name))
    if query["template"]:
        path = text_path(told.files, query["template"])
        document.add(
            "entity", _part(path), prov__type={"$": "prov:Plan", "type": "prov:QUALIFIED_NAME"}
        )


def _origins(document: _Document, path: str, found: Mapping[str, Any]) -> None:
    sources = {}
    for source in found["sources"]:
        key = (source["name"], source["format"], source["adapter_version"])
        label = f"{source['name']} ({source['format']})"
        sources[key] = document.add("entity", _named("source", label), prov__label=label)
    for batch in found["batches"]:
        entity = document.add(
            "entity",
            _named("batch", str(batch["batch_id"])),
            prov__label=f"batch {batch['batch_id']}",
            inv__digest=batch["digest"],
            inv__committed=batch["committed_at"],
        )
        _derive(document, _part(path), entity)
        _derive(document, entity, sources[batch["name"], batch["format"], batch["adapter_version"]])
    if found["batches_total"] > len(found["batches"]):
        for source in sources.values():
            _derive(document, _part(path), source)


def _derive(document: _Document, new: str, old: str) -> None:
    document.relate("wasDerivedFrom", ("generatedEntity", new), ("usedEntity", old))


def _associate(document: _Document, activity: str, actor: str, behind: str | None) -> None:
    agent = _agent(document, actor)
    document.relate("wasAssociatedWith", ("activity", activity), ("agent", agent))
    if behind is not None and behind != actor:
        person = _agent(document, behind)
        document.relate("actedOnBehalfOf", ("delegate", agent), ("responsible", person))


def _agent(document: _Document, actor: str) -> str:
    kind, _, name = actor.partition(":")
    type_ = {"$": _KINDS.get(kind, "prov:Agent"), "type": "prov:QUALIFIED_NAME"}
    return document.add("agent", _named("agent", actor), prov__type=type_, prov__label=name)


def _part(path: str) -> str:
    return _named("part", path)


def _named(kind: str, name: str) -> str:
    return f"inv:{kind}/{quote(name, safe='-_.')}"
