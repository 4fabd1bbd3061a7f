"""``jupyter investigation doctor``: what is installed, reachable, healthy."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output
from workspace_ext.foundation.errors import InvestigationError, NotFound

PACKAGES = (
    "investigation-workspace",
    "jupyterlab",
    "jupyter-server",
    "jupyter-collaboration",
    "ipykernel",
    "duckdb",
    "pyarrow",
    "pandas",
)
LEAST_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True)
class Check:
    """One thing looked at; ``hint`` says what to do when it is not good."""

    name: str
    ok: bool
    found: str
    hint: str = ""


@click.command(cls=Command, example="jupyter investigation doctor --store .investigation")
@store_option
@pass_output
def command(output: Output, store: Path) -> int:
    """Look at the installation and, when there is one, at the workspace folder."""
    from rich.markup import escape

    checks = [_python(), *_packages(), _kernelspec(), _front_end(), _server_extension()]
    checks += _store(store)
    good = all(check.ok for check in checks)
    lines = []
    for check in checks:
        mark = "[green]ok  [/]" if check.ok else "[red]FAIL[/]"
        hint = f"  → {check.hint}" if check.hint and not check.ok else ""
        lines.append(f"{mark} {check.name}: {escape(check.found + hint)}")
    output.show({"ok": good, "checks": [asdict(check) for check in checks]}, *lines)
    return 0 if good else 1


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", sys.version_info >= (3, 11), found, "install Python 3.11 or newer")


def _packages() -> list[Check]:
    checks = []
    for name in PACKAGES:
        try:
            checks.append(Check(name, ok=True, found=version(name)))
        except PackageNotFoundError:
            checks.append(Check(name, False, "not installed", f"pip install {name}"))
    return checks


def _kernelspec() -> Check:
    from jupyter_client.kernelspec import KernelSpecManager

    found = KernelSpecManager().find_kernel_specs().get("investigation")
    hint = "pip install investigation-workspace into this environment"
    return Check("kernel Investigation (Python)", found is not None, found or "not found", hint)


def _front_end() -> Check:
    from jupyter_core.paths import jupyter_path

    for folder in jupyter_path("labextensions"):
        if (Path(folder) / "investigation-workspace" / "package.json").is_file():
            return Check("JupyterLab extension", ok=True, found=folder)
    hint = "pip install investigation-workspace into this environment"
    return Check("JupyterLab extension", False, "not found", hint)


def _server_extension() -> Check:
    from jupyter_core.paths import jupyter_config_path
    from jupyter_server.extension.config import ExtensionConfigManager

    manager = ExtensionConfigManager(read_config_path=jupyter_config_path())
    extensions = manager.get_jpserver_extensions()  # type: ignore[no-untyped-call]
    enabled = bool(extensions.get("workspace_ext"))
    hint = "jupyter server extension enable workspace_ext"
    return Check("Jupyter server extension", enabled, "enabled" if enabled else "off", hint)


def _store(store: Path) -> list[Check]:
    from workspace_ext.client.discovery import connect
    from workspace_ext.storage.folder import StoreFolder

    try:
        StoreFolder.open(store)
    except NotFound:
        return [Check("workspace folder", ok=True, found=f"none at {store} (nothing to check)")]
    except InvestigationError as error:
        return [Check("workspace folder", False, error.message, error.hint)]
    free = shutil.disk_usage(store).free
    checks = [
        Check(
            "free disk",
            free >= LEAST_FREE_BYTES,
            f"{free / 1e9:.1f} GB",
            "make room: a full disk stops ingest",
        )
    ]
    try:
        with connect(store) as client:
            checks.append(_try("broker", lambda: str(client.address)))
            checks.append(_try("telemetry", lambda: _overview(client.catalog())))
            verified = client.verify()
            checks.append(
                Check(
                    "ledger",
                    bool(verified["ok"]),
                    f"{verified['entries']} entries",
                    "jupyter investigation verify names what was changed",
                )
            )
    except InvestigationError as error:
        checks.append(Check("broker", False, error.message, error.hint))
    return checks


def _try(name: str, ask: Callable[[], str]) -> Check:
    try:
        return Check(name, ok=True, found=ask())
    except InvestigationError as error:
        return Check(name, False, error.message, error.hint)


def _overview(catalog: dict[str, object]) -> str:
    return f"data up to batch {catalog.get('pin')}"
