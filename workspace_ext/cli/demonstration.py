"""The stages of the demo: a folder, its telemetry, a notebook, and JupyterLab on it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspace_ext.cli.output import Output
from workspace_ext.foundation.errors import Conflict, NotFound, Unavailable
from workspace_ext.foundation.shipped import shipped

if TYPE_CHECKING:
    from workspace_ext.client.broker import BrokerClient
    from workspace_ext.telemetry.ingest.incident import Incident

INCIDENT = "trainticket"
STORE = ".investigation"
IDENTITY = "workspace_ext.server.identity.SystemUserProvider"
STOP_SECONDS = 20.0
"""How long JupyterLab may take to shut its kernels down before it is killed."""


@dataclass(frozen=True)
class Workplace:
    """The demo's folder."""

    folder: Path

    @property
    def store(self) -> Path:
        """Where the extension looks for it, too."""
        return self.folder / STORE

    @property
    def notebook(self) -> Path:
        """The notebook to work in; kept as it is once it is there."""
        return self.folder / f"{INCIDENT}.ipynb"

    @property
    def lab_log(self) -> Path:
        """What JupyterLab says."""
        return self.store / "logs" / "jupyterlab.log"

    @property
    def archive(self) -> Path:
        """Where the frozen investigation goes."""
        return self.folder / f"{INCIDENT}.investigation.zip"


def prepare(folder: Path) -> Workplace:
    """Makes the folder and its store, or takes those that are there.

    Raises:
        Conflict: The folder holds other things; a demo does not mix with somebody's work.
        Unavailable: It cannot be made.
    """
    from workspace_ext.storage.folder import StoreFolder

    place = Workplace(folder.absolute())
    try:
        place.folder.mkdir(parents=True, exist_ok=True)
        others = {each.name for each in place.folder.iterdir()} - {STORE}
        used = bool(others) and not place.notebook.exists()
    except OSError as error:
        raise Unavailable(
            f"{folder} cannot be made: {error.strerror}", hint="choose another with --dir"
        ) from error
    if used:
        raise Conflict(
            f"{folder} is not empty and no demo folder",
            hint="choose a new or an empty folder with --dir",
            code="folder_in_use",
        )
    try:
        StoreFolder.open(place.store)
    except NotFound:
        StoreFolder.create(place.store)
    return place


def load(client: BrokerClient, incident: Incident, output: Output) -> list[dict[str, Any]]:
    """Ingests the incident's files; a file that is there already adds nothing."""
    from workspace_ext.cli.ingest import summary

    reports = []
    with output.progress() as progress:
        for file in incident.files:
            task = progress.add_task(file.path.name, total=None, state="")

            def advance(done: int, total: int | None, task: Any = task) -> None:
                progress.update(task, completed=done, total=total)

            report = client.ingest(file.path, mapping=file.mapping, progress=advance)
            said = summary(report)
            progress.update(task, completed=1, total=1, state=said)
            if not progress.console.is_terminal:
                output.note(f"{file.path.name}: {said}")
            reports.append(report)
    return reports


def copy_notebook(place: Workplace) -> bool:
    """Puts the notebook into the folder; False when one is there already.

    Raises:
        Unavailable: It cannot be written, or did not come with the installation.
    """
    if place.notebook.exists():
        return False
    try:
        shutil.copyfile(shipped(f"notebooks/{INCIDENT}.ipynb"), place.notebook)
    except OSError as error:
        raise Unavailable(
            f"the demo's notebook cannot be put into {place.folder}: {error}",
            hint="check the folder, or install investigation-workspace again",
        ) from error
    return True


def open_lab(place: Workplace, options: Sequence[str], output: Output) -> None:
    """Runs JupyterLab on the notebook until it ends or Ctrl-C; nothing of it stays.

    Raises:
        Unavailable: It did not start, or ended by itself with an error.
    """
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={place.folder}"]
    command += [f"--LabApp.default_url=/lab/tree/{place.notebook.name}", *options]
    command.append(f"--ServerApp.identity_provider_class={IDENTITY}")
    if os.geteuid() == 0:  # a container's usual user; the server listens on this machine only
        command.append("--allow-root")
    environment = {
        **os.environ,
        "INVESTIGATION_STORE": str(place.store),
        "JUPYTERLAB_SETTINGS_DIR": str(_quiet_settings(place)),
    }
    before = signal.signal(signal.SIGTERM, _interrupt)
    with place.lab_log.open("wb") as log:
        # A session of its own: Ctrl-C comes to us alone, and JupyterLab does not ask back.
        lab = subprocess.Popen(
            command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            output.note(
                f"JupyterLab at {_address(lab, place.notebook.name)} (Ctrl-C stops everything)"
            )
            lab.wait()
        except KeyboardInterrupt:
            return
        finally:
            signal.signal(signal.SIGTERM, before)
            _stop(lab)
    if lab.returncode:
        last = place.lab_log.read_text("utf-8", "replace").strip().splitlines()[-1:]
        raise Unavailable(
            f"JupyterLab ended: {' '.join(last) or f'exit code {lab.returncode}'}",
            hint=f"its log is {place.lab_log}",
            code="no_lab",
        )


def _quiet_settings(place: Workplace) -> Path:
    """JupyterLab's settings for the demo: no question about news before the incident.

    They are the demo's own, so nobody's settings are changed.
    """
    folder = place.store / "jupyter" / "settings"
    file = folder / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}), "utf-8")
    return folder


def _address(lab: subprocess.Popen[bytes], page: str) -> str:
    """Where the notebook is, as soon as the server says so; less when it has ended."""
    from jupyter_core.paths import jupyter_runtime_dir

    file = Path(jupyter_runtime_dir()) / f"jpserver-{lab.pid}.json"
    while lab.poll() is None:
        try:
            told = json.loads(file.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            time.sleep(0.1)
            continue
        token = f"?token={told['token']}" if told["token"] else ""
        return f"{told['url']}lab/tree/{page}{token}"
    return "no address"


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _stop(lab: subprocess.Popen[bytes]) -> None:
    if lab.poll() is not None:
        return
    lab.send_signal(signal.SIGTERM)
    try:
        lab.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        lab.kill()
        lab.wait()
