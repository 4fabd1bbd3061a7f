"""``jupyter investigation …`` as a person or a script uses it: in, out, error, exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.command_answers import check_answers
from tests.support.waiting import COMMAND_SECONDS

COMMAND_LINE = (sys.executable, "-c", "from workspace_ext.cli.main import run; run()")
"""What starts it in a process of its own, without an installation."""


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)


Command = Callable[..., Done]


def run_command(*arguments: object, prefix: Sequence[str] = (), **process: Any) -> Done:
    """Runs a command in a process of its own, to its end; ``prefix`` is what starts it."""
    ran = subprocess.run(
        [*prefix, *COMMAND_LINE, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
        **process,
    )
    check_answers(list(map(str, arguments)), ran.stdout)
    return Done(ran.returncode, ran.stdout, ran.stderr)
