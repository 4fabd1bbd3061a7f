"""A replay's report as files: Markdown, one HTML page without scripts, JSON."""

from __future__ import annotations

import json
from pathlib import Path

from workspace_ext.foundation.errors import Unavailable
from workspace_ext.inquiry.archive.model import ReplayReport
from workspace_ext.inquiry.archive.report_html import to_html
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


def write_report(report: ReplayReport, folder: Path) -> list[Path]:
    """Writes ``report.md``, ``report.html`` and ``report.json``.

    Args:
        report: What to write.
        folder: Made when it is not there.

    Returns:
        The files.

    Raises:
        Unavailable: They cannot be written.
    """
    prepare(folder)
    contents = {
        "report.md": to_markdown(report),
        "report.html": to_html(report),
        "report.json": json.dumps(report.to_dict(), indent=2, ensure_ascii=False) + "\n",
    }
    try:
        for name, content in contents.items():
            (folder / name).write_text(content, "utf-8")
    except OSError as error:
        raise _unwritable(folder, error) from error
    return [folder / name for name in contents]


def _unwritable(folder: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"the report cannot be written to {folder}: {error.strerror or error}",
        hint="choose another folder with --report",
        code="report_unwritable",
    )
