"""``jupyter investigation doctor``: what is installed, reachable, healthy."""

from __future__ import annotations

import sys
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from workspace_ext.cli.checkup import Check, check_store
from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output, plain

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

_COLOURS = {"OK": "green", "WARN": "yellow", "FAIL": "red"}


@click.command(
    cls=Command,
    answer="{ok, checks: [{name, level, ok, warn, found, hint}]}",
    example="jupyter investigation doctor --store .investigation",
)
@store_option
@pass_output
def command(output: Output, store: Path) -> int:
    """Look at the installation and, when there is one, at the workspace folder."""
    checks = [_python(), *_packages(), _kernelspec(), _front_end(), _server_extension()]
    checks += check_store(store)
    good = all(check.ok for check in checks)
    lines = []
    for check in checks:
        mark = f"[{_COLOURS[check.level]}]{check.level:4}[/]"
        hint = f"  → {check.hint}" if check.hint and check.level != "OK" else ""
        lines.append(f"{mark} {check.name}: {plain(check.found + hint)}")
    found = [{"level": check.level, **asdict(check)} for check in checks]
    output.show({"ok": good, "checks": found}, *lines)
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
