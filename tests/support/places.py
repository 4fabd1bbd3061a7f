"""Where the checkout lies, and real incident data that does not ship with it."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
DATA = Path(os.environ.get("INVESTIGATION_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
NO_DATA = "the shared incident data is not on this machine (INVESTIGATION_TEST_DATA)"


def shared_data(*parts: str) -> Path:
    """A file or folder of the data; the test is skipped where there is none."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{NO_DATA}: {'/'.join(parts)}")
    return path


def kernels_of_this_checkout(patch: pytest.MonkeyPatch) -> None:
    """Makes our kernel known without an installation."""
    known = os.environ.get("JUPYTER_PATH")
    patch.setenv("JUPYTER_PATH", f"{REPOSITORY}{os.pathsep}{known}" if known else str(REPOSITORY))
