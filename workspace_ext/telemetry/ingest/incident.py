"""Sample incidents: a folder of telemetry files, their mappings, and what the alert said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import BadInput, NotFound
from workspace_ext.foundation.shipped import shipped


@dataclass(frozen=True)
class IncidentFile:
    """A file to ingest, with the text of its mapping (None for formats that need none)."""

    path: Path
    mapping: str | None


@dataclass(frozen=True)
class Incident:
    """A sample incident, as its ``incident.yaml`` tells it."""

    title: str
    severity: str
    alert: str
    window: Window
    baseline: Window
    files: tuple[IncidentFile, ...]


def incident_folder(name: str) -> Path:
    """Where a sample incident that comes with the product lies.

    Raises:
        NotFound: There is none of this name.
    """
    found = shipped(f"incidents/{name}/incident.yaml")
    if not found.is_file():
        raise NotFound(
            f"no sample incident {name!r}", hint="there is: trainticket", code="no_incident"
        )
    return found.parent


def load_incident(folder: Path) -> Incident:
    """Reads an incident's folder; its files are not opened.

    Raises:
        BadInput: It holds no incident, or one that is wrong.
    """
    path = folder / "incident.yaml"
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
        files = tuple(
            IncidentFile(
                folder / entry["file"],
                (folder / entry["mapping"]).read_text("utf-8") if "mapping" in entry else None,
            )
            for entry in content["files"]
        )
        return Incident(
            title=str(content["title"]),
            severity=str(content["severity"]),
            alert=str(content["alert"]).strip(),
            window=Window.parse(content["window"]),
            baseline=Window.parse(content["baseline"]),
            files=files,
        )
    except OSError as error:
        raise BadInput(
            f"{error.filename} cannot be read: {error.strerror}",
            hint="give a folder with an incident.yaml",
            code="bad_incident",
        ) from error
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise BadInput(
            f"{path} is not an incident: {str(error).splitlines()[0]}",
            hint="it needs title, severity, alert, window, baseline and files",
            code="bad_incident",
        ) from error
