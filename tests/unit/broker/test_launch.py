"""What a broker says when it starts, as its starter reads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workspace_ext.client import launch
from workspace_ext.foundation.errors import Unavailable


def says(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """A process in the broker's place that says this, and ends."""

    def spawn(*_: object) -> subprocess.Popen[bytes]:
        code = "".join(f"print({line!r});" for line in lines)
        return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)

    monkeypatch.setattr(launch, "_spawn", spawn)


def test_what_a_library_writes_before_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, "", "100%", '{"ready": {"address": "http://127.0.0.1:1"}}')
    started = launch.BrokerProcess.start(tmp_path, linger=1)
    started.wait()
    assert started.address == "http://127.0.0.1:1"


def test_no_answer_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, "", "[]")
    with pytest.raises(Unavailable, match="did not start"):
        launch.BrokerProcess.start(tmp_path, linger=1)
