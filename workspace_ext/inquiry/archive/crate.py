"""The archive as an RO-Crate 1.1 of the Provenance Run Crate profile: plain JSON, no library.

The notebook is the workflow, each cell that was run a step and a tool of it, each run an action
of a person. ``rocrate`` writes crates too; it would bring a dozen packages for one JSON file,
and the context of another version under the name of 1.1.

Sources: https://w3id.org/ro/crate/1.1, https://w3id.org/ro/wfrun/provenance/0.5
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from workspace_ext.foundation.canonical import PREFIX
from workspace_ext.inquiry.archive.container import (
    CRATE,
    LEDGER,
    NOTEBOOK,
    SCRIPT,
    result_path,
    script_path,
    slice_path,
    text_path,
)
from workspace_ext.protocol.messages import InvestigationState, LedgerEntry, Step

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
_TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
_FORMATS = {
    "ipynb": "application/x-ipynb+json",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
    "py": "text/x-python",
    "sql": "application/sql",
    "toml": "application/toml",
}
_ENGINE = "#investigation-workspace"
_JUPYTER = "https://jupyter.org/"
_PYTHON = "https://www.python.org/"
_STATUS = {"ok": "CompletedActionStatus", "error": "FailedActionStatus"}
_SHORT = 80

Entity = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """What an archive is described from: all of it as it is in the archive, redacted.

    Attributes:
        state: The investigation.
        queries: The recorded queries, as in ``queries.json``.
        notebook: The notebook.
        cells: The position of each cell in it, by uid.
        files: The parts, with digest and size, by path.
        made: The ledger's entry that says that the archive was made.
        environment: As in ``env.json``.
        version: Of this program.
    """

    state: InvestigationState
    queries: Sequence[Mapping[str, Any]]
    notebook: Mapping[str, Any]
    cells: Mapping[str, int]
    files: Mapping[str, Mapping[str, Any]]
    made: LedgerEntry
    environment: Mapping[str, Any]
    version: str

    def used(self, query: Mapping[str, Any]) -> list[str]:
        """The paths of the slices and of the template that a query read."""
        tables = {read["table"] for read in (query["scan"] or {}).get("tables", ())}
        paths = [slice_path(table) for table in sorted(tables)]
        if query["template"]:
            paths.append(text_path(self.files, query["template"]))
        return [path for path in paths if path in self.files]

    def scripts(self, steps: Iterable[Step]) -> dict[str, str]:
        """The names of the scripts that some runs used, by their paths."""
        files = (file for step in steps for file in step["files"])
        scripts = [each for each in files if each["name"].endswith(SCRIPT)]
        found = {script_path(each["digest"]): each["name"] for each in scripts}
        return {path: name for path, name in sorted(found.items()) if path in self.files}

    def result(self, query: Mapping[str, Any]) -> str | None:
        """The path of a query's kept result."""
        path = result_path(query["id"])
        return path if path in self.files else None


def describe(told: Told) -> Entity:
    """The content of ``ro-crate-metadata.json``."""
    steps = sorted(told.state["steps"].values(), key=lambda step: step["seq"])
    cells = list(dict.fromkeys(step["cell"] for step in steps))
    names = told.scripts(steps)
    graph = [
        {
            "@id": CRATE,
            "@type": "CreativeWork",
            "conformsTo": [_ref("https://w3id.org/ro/crate/1.1"), *_profile_refs("workflowhub")],
            "about": _ref("./"),
        },
        _root(told, steps),
        *({"@id": at, "@type": "CreativeWork", "name": name} for at, name in _PROFILES.items()),
        {"@id": _PYTHON, "@type": "ComputerLanguage", "name": "Python", "url": _ref(_PYTHON)},
        {"@id": _JUPYTER, "@type": "SoftwareApplication", "name": "Jupyter", "url": _ref(_JUPYTER)},
        _workflow(told, cells),
        *_tools(told, cells),
        *_actions(told, steps),
        *_people(told),
        *(
            _file(path, part, names.get(path, path))
            for path, part in sorted(told.files.items())
            if path != NOTEBOOK
        ),
    ]
    return {"@context": [CONTEXT, _TERMS], "@graph": [_compact(entity) for entity in graph]}


def _compact(entity: Entity) -> Entity:
    """As the specification likes it: nothing instead of no values, one value instead of a list."""
    compact = {key: value for key, value in entity.items() if value not in ([], None)}
    one = (key for key, value in compact.items() if isinstance(value, list) and len(value) == 1)
    return {**compact, **{key: compact[key][0] for key in list(one)}}


def _moment(time: str) -> str:
    """ISO 8601 to the millisecond, in the form that the profile's validator knows."""
    return f"{time[:19]}.{time[20:].rstrip('Z').ljust(3, '0')[:3]}+00:00"


def _root(told: Told, steps: Sequence[Step]) -> Entity:
    state = told.state
    conclusion = state["conclusion"]
    found = f" Root cause: {conclusion['root_cause']}" if conclusion else ""
    actions = ["#frozen", "#investigation", *(_run(step) for step in steps)]
    return {
        "@id": "./",
        "@type": "Dataset",
        "identifier": state["uid"],
        "name": state["title"],
        "description": f"An investigation, frozen to be replayed: {state['title']}.{found}",
        "datePublished": told.made["time"],
        "license": "No licence is stated; ask the authors.",
        "author": [_ref(_person(who)) for who in _who(told)],
        "conformsTo": [_ref(profile) for profile in _PROFILES],
        "mainEntity": _ref(NOTEBOOK),
        "hasPart": [_ref(path) for path in sorted(told.files)],
        "mentions": [_ref(action) for action in actions],
    }


def _workflow(told: Told, cells: Sequence[str]) -> Entity:
    workflow = _file(NOTEBOOK, told.files[NOTEBOOK], NOTEBOOK)
    tools = [_ref(_tool(cell)) for cell in cells]
    return {
        **workflow,
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
        "name": told.state["title"],
        "programmingLanguage": _ref(_PYTHON),
        "hasPart": [*tools, _ref(_ENGINE)],
        "step": [_ref(_step(cell)) for cell in cells],
    }


def _tools(told: Told, cells: Sequence[str]) -> Iterator[Entity]:
    yield {
        "@id": _ENGINE,
        "@type": "SoftwareApplication",
        "name": "Investigation Workspace",
        "url": "https://github.com/investigation-workspace/investigation-workspace",
        "softwareVersion": told.version,
    }
    sources = {
        uid: told.notebook["cells"][position].get("source", "")
        for uid, position in told.cells.items()
    }
    for cell in cells:
        source = sources.get(cell)
        text = source if isinstance(source, str) else "".join(source or ())
        name = _short(text) or "A cell that is gone from the notebook"
        position = told.cells.get(cell)
        yield {
            "@id": _tool(cell),
            "@type": "SoftwareSourceCode",
            "name": name,
            "identifier": cell,
            "programmingLanguage": _ref(_PYTHON),
        }
        step = {"@id": _step(cell), "@type": "HowToStep", "workExample": _ref(_tool(cell))}
        yield step if position is None else {**step, "position": str(position + 1)}


def _actions(told: Told, steps: Sequence[Step]) -> Iterator[Entity]:
    state, made = told.state, told.made
    asked: dict[str | None, list[Mapping[str, Any]]] = {}
    for query in told.queries:
        asked.setdefault(query["run"], []).append(query)
    results = [path for path in map(told.result, told.queries) if path]
    inputs = {path for query in told.queries for path in told.used(query)}
    inputs |= told.scripts(steps).keys()
    yield {
        "@id": "#investigation",
        "@type": "CreateAction",
        "name": f"Investigation: {state['title']}",
        "instrument": _ref(NOTEBOOK),
        "agent": [_ref(_person(who)) for who in _who(told)],
        "description": "All that was asked and concluded, from opening to freezing",
        "startTime": _moment(state["opened_at"]),
        "endTime": _moment(made["time"]),
        "object": [_ref(path) for path in sorted(inputs)],
        "result": [_ref(path) for path in results],
    }
    yield {
        "@id": "#frozen",
        "@type": "CreateAction",
        "name": "Freezing the investigation into this archive",
        "description": "Slices, results, templates and the notebook were put together, redacted",
        "instrument": _ref(_ENGINE),
        "agent": _ref(_person(made["actor"])),
        "endTime": _moment(made["time"]),
        "result": [_ref(LEDGER)],
    }
    if steps:
        yield {
            "@id": "#orchestration",
            "@type": "OrganizeAction",
            "name": "Running the notebook's cells",
            "instrument": _ref(_JUPYTER),
            "agent": [_ref(_person(who)) for who in _who(told)],
            "object": [_ref(f"#control-{_safe(step['id'])}") for step in steps],
            "result": _ref("#investigation"),
        }
    for step in steps:
        yield from _step_actions(told, step, asked.get(step["id"], []))


def _step_actions(told: Told, step: Step, queries: Sequence[Mapping[str, Any]]) -> Iterator[Entity]:
    yield {
        "@id": f"#control-{_safe(step['id'])}",
        "@type": "ControlAction",
        "instrument": _ref(_step(step["cell"])),
        "object": _ref(_run(step)),
    }
    used = {path for query in queries for path in told.used(query)} | told.scripts([step]).keys()
    run: Entity = {
        "@id": _run(step),
        "@type": "CreateAction",
        "name": f"Run of cell {step['cell']}",
        "instrument": _ref(_tool(step["cell"])),
        "agent": _ref(_person(step["by"])),
        "description": f"{step['by'].partition(':')[2]} ran it; it ended {step['status']}",
        "startTime": _moment(step["started"]),
        "object": [_ref(path) for path in sorted(used)],
        "result": [_ref(path) for path in map(told.result, queries) if path],
    }
    if step["ended"]:
        run["endTime"] = _moment(step["ended"])
    if step["status"] in _STATUS:
        run["actionStatus"] = f"http://schema.org/{_STATUS[step['status']]}"
    if step["error"]:
        run["error"] = step["error"]
    yield run


def _people(told: Told) -> Iterator[Entity]:
    for who in _who(told):
        kind, _, name = who.partition(":")
        type_ = "Person" if kind == "user" else "SoftwareApplication"
        yield {"@id": _person(who), "@type": type_, "name": name}


def _who(told: Told) -> list[str]:
    said = [*told.state["participants"], *(step["by"] for step in told.state["steps"].values())]
    return list(dict.fromkeys([*said, told.made["actor"]]))


def _file(path: str, part: Mapping[str, Any], name: str) -> Entity:
    return {
        "@id": path,
        "@type": "File",
        "name": name,
        "encodingFormat": _FORMATS.get(path.rpartition(".")[2], "application/octet-stream"),
        "contentSize": str(part["bytes"]),
        "sha256": str(part["digest"]).removeprefix(PREFIX),
    }


def _profile_refs(part: str) -> list[Entity]:
    return [_ref(profile) for profile in _PROFILES if part in profile]


def _ref(at: str) -> Entity:
    return {"@id": at}


def _person(actor: str) -> str:
    return f"#{_safe(actor)}"


def _tool(cell: str) -> str:
    return f"#cell-{_safe(cell)}"


def _step(cell: str) -> str:
    return f"#step-{_safe(cell)}"


def _run(step: Step) -> str:
    return f"#run-{_safe(step['id'])}"


def _safe(name: str) -> str:
    return quote(name, safe="-_.")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHORT else f"{line[: _SHORT - 1]}…"
