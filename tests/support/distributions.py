"""The distributions, built as a user's pip would build them: from the sources, no Node around."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.places import REPOSITORY

NOT_SOURCES = (
    ".git",
    ".venv",
    "venv",
    ".*_cache",
    "__pycache__",
    "build",
    "dist",
    "node_modules",
    "lib",
    "labextension",
)


@dataclass(frozen=True)
class Distributions:
    """What was built, where it was built, and what the build said."""

    sources: Path
    sdist: Path
    wheel: Path
    log: str


def run(command: list[str], *, cwd: Path, env: dict[str, str]) -> str:
    """Runs a command and returns all it said; its failure is the test's."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def build(where: Path) -> Distributions:
    """An sdist of a copy of the sources, and the wheel of that sdist."""
    sources = where / "sources"
    shutil.copytree(REPOSITORY, sources, ignore=shutil.ignore_patterns(*NOT_SOURCES))
    out = where / "dist"
    log = run(
        [sys.executable, "-m", "build", str(sources), "--outdir", str(out)],
        cwd=where,
        env={**os.environ, "PATH": str(_shell_only(where))},
    )
    return Distributions(sources, next(out.glob("*.tar.gz")), next(out.glob("*.whl")), log)


def _shell_only(where: Path) -> Path:
    """A folder for PATH that has what npm scripts need of a system, and no Node."""
    bare = where / "bin"
    bare.mkdir()
    shell = shutil.which("sh")
    assert shell, "a POSIX shell"
    (bare / "sh").symlink_to(shell)
    return bare
