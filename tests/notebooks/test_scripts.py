"""Scripts that cells use, and what a kernel runs with: in the record, and marked until reviewed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebooks.conftest import Run
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.canonical import digest_bytes
from workspace_ext.foundation.environment import describe_environment
from workspace_ext.foundation.errors import BadInput, Denied

HELPERS = "def double(n):\n    return 2 * n\n"
PLAIN = "made_here = 7\n"


def test_scripts_are_known_wherever_they_are_used_and_marked_until_reviewed(
    run: Run, client: BrokerClient, tmp_path: Path
) -> None:
    (tmp_path / "helpers.py").write_text(HELPERS, "utf-8")
    (tmp_path / "plain.py").write_text(PLAIN, "utf-8")
    cells = [
        "import json, helpers",
        "1 + 1",
        "from helpers import double\nassert double(2) == 4",
        "%run plain.py",
        "json.dumps(made_here)",
        "double(3)",
    ]
    _, report = run(*cells)
    assert report.ok
    uid = report.investigation
    steps = client.state(uid)["steps"].values()
    used = {step["cell"]: [file["name"] for file in step["files"]] for step in steps}
    script, plain = ["helpers.py"], ["plain.py"]
    assert list(used.values()) == [script, [], script, plain, [], script]

    digest = digest_bytes(HELPERS.encode())
    first = client.review(uid)["scripts"]
    assert [(each["name"], each["by"]) for each in first] == [
        ("helpers.py", None),
        ("plain.py", None),
    ]
    assert first[0]["digest"] == digest
    assert len(first[0]["cells"]) == 3
    assert "script `helpers.py` is not reviewed" in client.postmortem(uid)
    client.review_script("helpers.py", digest, reason="short", actor="user:bob")
    assert [each["by"] for each in client.review(uid)["scripts"]] == ["user:bob", None]
    assert "script `helpers.py`" not in client.postmortem(uid)
    with pytest.raises(BadInput, match="no script"):
        client.review_script("helpers.txt", digest, actor="user:bob")
    with pytest.raises(Denied, match="no person"):
        client.review_script("helpers.py", digest, actor="service:nobody")

    told = client.environment(uid)
    assert told is not None
    assert told["packages"] == describe_environment()["packages"]
    assert 'lock-version = "1.0"' in told["lock"]
