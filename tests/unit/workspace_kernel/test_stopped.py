"""What an analyst sees when they stop a question."""

from __future__ import annotations

from typing import Any, cast

import pytest
from workspace_kernel import errors
from workspace_kernel.asking import Asker
from workspace_kernel.connection import Connection


class _Stopped:
    """A connection whose question is stopped while it waits for the answer."""

    uid = "u"

    def here(self) -> Any:
        return type("Here", (), {"ref": None})

    @property
    def client(self) -> Any:
        raise KeyboardInterrupt


def test_a_stopped_question_is_one_line() -> None:
    errors.install()
    try:
        with pytest.raises(KeyboardInterrupt, match="stopped") as told:
            Asker(cast("Connection", _Stopped())).sql("SELECT 1", {})
        (line,) = cast("Any", told.value)._render_traceback_()
    finally:
        errors.uninstall()
    assert "the question was stopped" in line
