"""Two validators that nobody here wrote, offline."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import bagit
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests_cache import CachedSession
from rocrate_validator.models import Severity, ValidationSettings
from rocrate_validator.services import validate
from urllib3 import HTTPResponse

CONTEXT = Path(__file__).with_name("ro-crate-1.1-context.jsonld")
"""RO-Crate 1.1's own context (version 1.1.0, CC0): ``rocrate`` ships that of another version."""


def extracted(archive: Path, folder: Path) -> Path:
    """Unpacks an archive; returns the bag's folder."""
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(folder)
    (bag,) = folder.iterdir()
    return bag


def bag_problems(bag: Path) -> str:
    """What ``bagit`` says against a bag; empty when nothing."""
    try:
        bagit.Bag(str(bag)).validate(processes=1)
    except bagit.BagError as error:
        return str(error)
    return ""


def crate_problems(bag: Path, cache: Path) -> list[str]:
    """What ``roc-validator`` says against the crate in a bag, of what the profile requires.

    Args:
        bag: The bag.
        cache: A file for the validator's HTTP cache, in which it finds the context.
    """
    _seed(cache)
    settings = ValidationSettings(
        rocrate_uri=str(bag / "data"),
        profile_identifier="provenance-run-crate",
        requirement_severity=Severity.REQUIRED,
        offline=True,
        cache_path=cache,
        disable_remote_crate_download=True,
    )
    result = validate(settings)
    return [f"{issue.check.identifier}: {issue.message}" for issue in result.get_issues()]


class _Context(BaseAdapter):
    """Answers with the context, whatever is asked."""

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        response = Response()
        response.status_code, response.url, response.request = 200, str(request.url), request
        response.headers["Content-Type"] = "application/ld+json"
        response.raw = HTTPResponse(
            io.BytesIO(CONTEXT.read_bytes()), status=200, preload_content=False
        )
        return response

    def close(self) -> None:
        """Holds nothing."""


def _seed(cache: Path) -> None:
    with CachedSession(str(cache), backend="sqlite", expire_after=-1) as session:
        session.mount("https://", _Context())
        session.get("https://w3id.org/ro/crate/1.1/context").raise_for_status()
