"""What users install: wheel and sdist carry everything, and no Node is needed on the way."""

import json
import os
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from tests.support.distributions import Distributions, run
from workspace_ext import __version__

NAME = "investigation-workspace"
LABEXTENSION = f"share/jupyter/labextensions/{NAME}"
DATA = f"investigation_workspace-{__version__}.data/data"


@pytest.fixture(scope="session")
def in_wheel(distributions: Distributions) -> set[str]:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        return set(wheel.namelist())


@pytest.fixture(scope="session")
def in_sdist(distributions: Distributions) -> set[str]:
    with tarfile.open(distributions.sdist) as sdist:
        return {str(PurePosixPath(*PurePosixPath(n).parts[1:])) for n in sdist.getnames()}


@pytest.mark.parametrize(
    "path",
    [
        f"{DATA}/{LABEXTENSION}/package.json",
        f"{DATA}/{LABEXTENSION}/install.json",
        f"{DATA}/etc/jupyter/jupyter_server_config.d/workspace_ext.json",
        f"{DATA}/share/jupyter/kernels/investigation/kernel.json",
        "workspace_ext/app.py",
        "workspace_ext/labextension/package.json",
        "workspace_ext/protocol/schemas/messages.schema.json",
        "workspace_ext/templates/queries/triage/overview.sql",
        "workspace_ext/templates/incidents/trainticket/incident.yaml",
        "workspace_ext/templates/notebooks/investigation.ipynb",
        "workspace_ext/templates/notebooks/trainticket.ipynb",
        "workspace_kernel/__init__.py",
        f"investigation_workspace-{__version__}.dist-info/licenses/LICENSE",
    ],
)
def test_wheel_carries(in_wheel: set[str], path: str) -> None:
    assert path in in_wheel


def test_wheel_carries_the_built_front_end(in_wheel: set[str]) -> None:
    static = [name for name in in_wheel if name.startswith(f"{DATA}/{LABEXTENSION}/static/")]

    assert any("remoteEntry." in name for name in static)
    assert not any(name.endswith(".map") for name in static)


def test_wheel_carries_nothing_else(in_wheel: set[str]) -> None:
    tops = {PurePosixPath(name).parts[0] for name in in_wheel}
    known = {"workspace_ext", "workspace_kernel"}

    assert {top for top in tops if not top.startswith("investigation_workspace-")} == known
    assert not [name for name in in_wheel if name.startswith("workspace_ext/ui/")]


def test_sdist_carries_sources_and_built_front_end(in_sdist: set[str]) -> None:
    wanted = {
        "pyproject.toml",
        "LICENSE",
        "workspace_ext/labextension/package.json",
        "workspace_ext/ui/package-lock.json",
        "workspace_ext/ui/src/index.ts",
        "templates/queries/triage/overview.sql",
        "kernels/investigation/kernel.json",
        "kernels/workspace_kernel/__init__.py",
    }

    assert wanted <= in_sdist
    assert not [n for n in in_sdist if "node_modules" in n or n.startswith("workspace_ext/ui/lib")]


def test_wheel_of_an_sdist_needs_no_node(distributions: Distributions) -> None:
    of_sdist, of_wheel = distributions.log.split("Building wheel from sdist")

    assert "npm_builder" in of_sdist
    assert "Skipping build" in of_wheel
    assert "npm_builder" not in of_wheel


def test_versions_and_names_agree(distributions: Distributions) -> None:
    package = distributions.sources / "workspace_ext" / "ui" / "package.json"
    front_end = json.loads(package.read_text("utf-8"))

    assert (NAME, __version__) == (front_end["name"], front_end["version"])


def test_jupyter_lists_what_pip_installed(distributions: Distributions, tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--ignore-installed"]
    command = [*pip, "--prefix", str(tmp_path), str(distributions.wheel)]
    run(command, cwd=tmp_path, env=dict(os.environ))
    env = {
        **os.environ,
        "PYTHONPATH": str(next(tmp_path.glob("lib/python*/site-packages"))),
        "JUPYTER_PATH": str(tmp_path / "share" / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "etc" / "jupyter"),
    }

    def jupyter(*command: str) -> str:
        return run([sys.executable, "-m", "jupyter", *command], env=env, cwd=tmp_path)

    front_end = jupyter("labextension", "list").split(str(tmp_path), 1)[1]
    assert f"{NAME} v{__version__}" in front_end
    ours = next(line for line in front_end.splitlines() if NAME in line)
    assert "enabled" in ours
    assert "OK" in ours

    kernels = json.loads(jupyter("kernelspec", "list", "--json"))["kernelspecs"]
    assert kernels["investigation"]["resource_dir"].startswith(str(tmp_path))
    server = jupyter("server", "extension", "list").split(str(tmp_path), 1)[1]
    ours = server.split("Config dir:")[0]
    assert "workspace_ext" in ours
    assert "enabled" in ours
    assert f"{__version__} " in ours
    script = next(tmp_path.glob("bin/jupyter-investigation"))
    assert "workspace_ext.cli.main" in script.read_text("utf-8")
