"""A replay's report as files: Markdown, one HTML page without scripts, JSON, JUnit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from workspace_ext.foundation.errors import InvestigationError, Unavailable
from workspace_ext.inquiry.archive.model import ReplayReport
from workspace_ext.inquiry.archive.report_html import to_html
from workspace_ext.inquiry.archive.report_junit import to_junit
from workspace_ext.inquiry.archive.report_markdown import to_markdown


def prepare(folder: Path) -> None:
    """Makes the folder of a report, before the work that it is about.

    Raises:
        Unavailable: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def write_report(report: ReplayReport, folder: Path, charts: Mapping[str, str]) -> list[Path]:
    """Writes ``report.md``, ``report.html`` and ``report.json``.

    Args:
        report: What to write.
        folder: Made when it is not there.
        charts: The pictures of evidence, for the page; see `replay.charts`.

    Returns:
        The files.

    Raises:
        Unavailable: They cannot be written.
    """
    prepare(folder)
    contents = {
        "report.md": to_markdown(report),
        "report.html": to_html(report, charts),
        "report.json": json.dumps(report.to_dict(), indent=2, ensure_ascii=False) + "\n",
    }
    try:
        for name, content in contents.items():
            (folder / name).write_text(content, "utf-8")
    except OSError as error:
        raise _unwritable(folder, error) from error
    return [folder / name for name in contents]


def write_junit(
    found: Iterable[tuple[Path, ReplayReport | InvestigationError]], path: Path
) -> None:
    """Writes JUnit XML of one replay or of several.

    Args:
        found: The archives, each with its report, or with why it could not be replayed.
        path: The file.

    Raises:
        Unavailable: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_junit(found), "utf-8")
    except OSError as error:
        raise _unwritable(path, error, "file with --junit") from error


def _unwritable(folder: Path, error: OSError, other: str = "folder with --report") -> Unavailable:
    return Unavailable(
        f"the report cannot be written to {folder}: {error.strerror or error}",
        hint=f"choose another {other}",
        code="report_unwritable",
    )
