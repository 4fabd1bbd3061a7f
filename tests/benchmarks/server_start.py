"""How much later ``jupyter lab`` answers with the extension than without."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.benchmarks.table import Row, alternate

TIMES = 5
MOST_SECONDS = 60.0


def start_and_stop(*, with_extension: bool) -> None:
    """Starts a server, waits for its first answer, stops it; only the start is worth timing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        enabled = f"--ServerApp.jpserver_extensions=workspace_ext={with_extension}"
        command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"]
        command += ["--ServerApp.port=0", "--IdentityProvider.token=", enabled]
        environment = {**os.environ, "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
        process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL)
        try:
            _wait_for_answer(folder / "runtime")
        finally:
            process.kill()  # at once: stopping in good order is not what is timed
            process.wait()


def _wait_for_answer(runtime: Path) -> None:
    deadline = time.monotonic() + MOST_SECONDS
    while time.monotonic() < deadline:
        for path in runtime.glob("jpserver-*.json"):
            try:
                url = json.loads(path.read_text())["url"]
                with urlopen(f"{url}api/status") as answer:
                    answer.read()
                return
            except (OSError, URLError, ValueError, KeyError):
                pass
        time.sleep(0.005)
    raise TimeoutError("the server did not answer")


def run() -> list[Row]:
    """The difference in start-up time."""
    ours, bare = alternate(
        lambda: start_and_stop(with_extension=True),
        lambda: start_and_stop(with_extension=False),
        times=TIMES,
    )
    what = "start of `jupyter lab` until it answers"
    return [Row(what, "without the extension", ours, bare, "difference", 0.5)]
