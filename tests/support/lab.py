"""JupyterLab as a user starts it: one command, everything else in its folder."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.command_line import COMMAND_LINE
from tests.support.places import REPOSITORY
from tests.support.ports import free_port
from tests.support.processes import kill_with_all_below
from tests.support.waiting import PATIENCE_SECONDS

FRONT_END = REPOSITORY / "workspace_ext" / "labextension"
FRONT_END_SOURCES = REPOSITORY / "workspace_ext" / "ui"
START_SECONDS = 120.0
STOP_SECONDS = 60.0


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    folder: Path
    url: str
    token: str
    log: Path

    def add(self, name: str, source: str, *, kernel: str) -> None:
        """Puts a notebook with one code cell into its folder."""
        cell = {"cell_type": "code", "id": "one", "metadata": {}, "outputs": [], "source": source}
        spec = {"name": kernel, "display_name": kernel, "language": "python"}
        notebook = {
            "cells": [{**cell, "execution_count": None}],
            "metadata": {"kernelspec": spec},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (self.folder / name).write_text(json.dumps(notebook), "utf-8")

    @property
    def notebook(self) -> Path:
        """The demo's notebook on disk."""
        return self.folder / "trainticket.ipynb"

    def page(self, path: str = "") -> str:
        """The address that opens a file, or the launcher, in a fresh layout."""
        place = f"/tree/{path}" if path else ""
        return f"{self.url}/lab{place}?reset&token={self.token}"


@contextmanager
def demo(where: Path) -> Iterator[Lab]:
    """Runs ``jupyter investigation demo`` until the test is over, then stops it as Ctrl-C does."""
    folder = where / "demo"
    command = [*COMMAND_LINE, "demo", "--no-browser", "--dir", str(folder)]
    with _serving(where, folder, command, _jupyter(where), stop=signal.SIGINT) as lab:
        yield lab


@contextmanager
def jupyter_lab(
    where: Path,
    folder: Path,
    *options: str,
    env: Mapping[str, str] | None = None,
    extension: bool = True,
) -> Iterator[Lab]:
    """Runs ``jupyter lab`` on a folder until the test is over.

    Args:
        where: A folder for everything else.
        folder: What it shows.
        options: More for its command line.
        env: More for its environment.
        extension: Whether ours is enabled.
    """
    command = [sys.executable, "-m", "jupyterlab", "--no-browser"]
    command += [f"--ServerApp.root_dir={folder}", *options]
    environment = {**_jupyter(where), **(env or {})}
    if not extension:
        command += ["--ServerApp.jpserver_extensions=workspace_ext=False"]
        page = Path(environment["JUPYTER_CONFIG_DIR"]) / "labconfig" / "page_config.json"
        page.parent.mkdir()
        page.write_text(json.dumps({"disabledExtensions": {"investigation-workspace": True}}))
    with _serving(where, folder, command, environment, stop=signal.SIGTERM) as lab:
        yield lab


@contextmanager
def _serving(
    where: Path, folder: Path, command: list[str], env: dict[str, str], *, stop: signal.Signals
) -> Iterator[Lab]:
    port = free_port()
    lab = Lab(folder, f"http://127.0.0.1:{port}", secrets.token_hex(8), where / "log.txt")
    with lab.log.open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--port={port}"],
            cwd=where,
            env={**os.environ, **env, "JUPYTER_TOKEN": lab.token},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(process, lab)
        yield lab
    finally:
        process.send_signal(stop)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            kill_with_all_below(process)
            raise


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", lab: Lab) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{lab.url}/api/status?token={lab.token}", timeout=5).close()
            return
        except urllib.error.HTTPError:
            return  # it does, though not to this token: people may have their own
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"JupyterLab does not answer:\n{lab.log.read_text('utf-8')}")


def _jupyter(where: Path) -> dict[str, str]:
    """Jupyter folders that hold this tree's front end, kernel and settings, and no user's."""
    data, config = where / "share", where / "config"
    extensions, kernels = data / "labextensions", data / "kernels"
    settings = config / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    server = config / "jupyter_server_config.d"
    for folder in (extensions, kernels, settings, server):
        folder.mkdir(parents=True)
    (extensions / "investigation-workspace").symlink_to(front_end())
    (kernels / "investigation").symlink_to(REPOSITORY / "kernels" / "investigation")
    source = REPOSITORY / "workspace_ext" / "server" / "jupyter_server_config.json"
    (server / "workspace_ext.json").symlink_to(source)
    quiet = settings / "notification.jupyterlab-settings"
    quiet.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    root_may = config / "jupyter_server_config.json"
    patient = {"broker_patience": PATIENCE_SECONDS}
    root_may.write_text(
        json.dumps({"ServerApp": {"allow_root": True}, "InvestigationApp": patient})
    )
    python_path = [str(REPOSITORY), str(REPOSITORY / "kernels"), os.environ.get("PYTHONPATH", "")]
    return {
        "JUPYTER_PATH": str(data),
        "JUPYTER_DATA_DIR": str(where / "user-data"),
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_RUNTIME_DIR": str(where / "runtime"),
        "PYTHONPATH": os.pathsep.join(filter(None, python_path)),
    }


def front_end() -> Path:
    """The built front end of this tree; one that is older than its sources fails the test."""
    built = FRONT_END / "package.json"
    sources = [
        path
        for folder in ("schema", "src", "style")
        for path in (FRONT_END_SOURCES / folder).rglob("*")
        if path.is_file()
    ]
    newest = max(path.stat().st_mtime for path in sources)
    built_at = built.stat().st_mtime if built.is_file() else 0.0
    assert built_at >= newest, "the front end is older than its sources: run `pip install -e .`"
    return FRONT_END
