"""What a replay costs beyond plainly running the same notebook with nbclient."""

import tempfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.benchmarks.table import Row, alternate
from tests.support.archive import ALICE, WINDOW, cells_of, ingest
from tests.support.broker import broker
from tests.support.places import kernels_of_this_checkout
from workspace_ext.inquiry.archive.replay import replay
from workspace_ext.inquiry.headless.offline import launcher
from workspace_ext.inquiry.headless.runner import run_notebook

CELLS = {
    "import": "import math, time",
    **{f"work{n}": f"sum(math.sqrt(i + {n}) for i in range(1_500_000))" for n in range(12)},
    "ask": 'investigation.sql("SELECT service, count(*) AS n FROM spans GROUP BY 1 ORDER BY 1")',
}


def run() -> list[Row]:
    """The whole of a replay: unpack, fill a store, start a broker and a kernel, run, compare."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        kernels_of_this_checkout(patch)
        folder = Path(name)
        archive, notebook = folder / "a.investigation.zip", folder / "a.ipynb"
        with broker(folder / "store") as client:
            ingest(client, folder, first=0)
            uid = client.open_investigation("Cost", window=WINDOW, actor=str(ALICE))["uid"]
            nb = cells_of(uid, CELLS)
            run_notebook(nb, client, path=notebook, actor=ALICE)
            with archive.open("wb") as target:
                client.archive(uid, nb, target, actor=str(ALICE))
            patch.setenv("INVESTIGATION_STORE", str(folder / "store"))
            patch.setenv("INVESTIGATION_UID", uid)
            launcher()  # tried once for each process

            def plainly() -> None:
                plain: Any = NotebookClient(nbformat.from_dict(nb), kernel_name="investigation")
                plain.execute(cwd=name)

            def again() -> None:
                assert replay(archive, actor=ALICE).ok

            ours, reference = alternate(again, plainly, times=5)
    allowed = f"plain nbclient ({reference:.1f} s) plus 5 %"
    return [Row("replay of an archive", allowed, ours, 1.05 * reference, "difference", 1.0)]
