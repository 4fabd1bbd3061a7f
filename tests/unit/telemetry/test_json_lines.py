from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.store import Store
from workspace_ext.foundation.errors import BadInput

MAPPING = """
signal: logs
fields:
  time: {column: ts, unit: ms}
  body: message
  severity: level
  service: {column: k8s, json: app}
attributes: {user: user, tags: tags}
"""
LINES = """\
{"ts": 1700000000123, "message": "it broke", "level": "error", "tags": [1,"x"],"k8s":{"app":"cart"}}

{"ts": 1700000000124, "message": "torn
[1]
{"ts": "soon", "message": "no time"}
{"ts": 1700000000125, "message": "\\ud800"}
{"ts": 1700000000126, "user": 7}
"""


def test_keys_are_columns(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "app.ndjson"
    path.write_text(LINES)
    report = store.ingest(path, mapping=MAPPING)
    assert (report.format, report.rows, report.quarantined) == ("jsonl", {"logs": 2}, 4)
    assert store.rows(
        "SELECT time_ns, body, severity, service, attributes FROM logs ORDER BY time"
    ) == [
        (1700000000123000000, "it broke", "error", "cart", {"tags": '[1,"x"]'}),
        (1700000000126000000, None, None, None, {"user": "7"}),
    ]
    assert sorted(line for line, _ in store.quarantine()) == [3, 4, 5, 6]
    assert store.ingest(path, mapping=MAPPING).already


def test_without_a_mapping_it_says_so(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    path.write_text(LINES)
    with pytest.raises(BadInput, match="is jsonl and has no mapping"):
        store.ingest(path)
