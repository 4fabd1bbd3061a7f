"""A Jupyter server that nobody investigates on pays nothing for us."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = {"duckdb", "pandas", "pyarrow", "sqlalchemy", "altair", "jsonschema", "numpy", "pycrdt"}

SCRIPT = """
import json, sys
import jupyter_server.serverapp  # brings jsonschema along by itself
from jupyter_server.services.kernels import kernelmanager, websocket
before = set(sys.modules)
import workspace_ext.app
added = {name.split(".")[0] for name in set(sys.modules) - before}
print(json.dumps([sorted(added), sorted(name.split(".")[0] for name in sys.modules)]))
"""


def test_the_extension_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    added, everything = (set(names) for names in json.loads(done.stdout))

    assert not added & HEAVY
    assert not everything & (HEAVY - {"jsonschema"})
