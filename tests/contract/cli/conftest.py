"""The command line as a person or a script uses it: in, out, error, exit code."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.broker import broker, load_demo
from workspace_ext.cli.main import main


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


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs ``jupyter investigation …``."""

    def run(*arguments: object) -> Done:
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run


@pytest.fixture
def store(tmp_path: Path, command: Command) -> Path:
    """An empty workspace folder."""
    folder = tmp_path / "store"
    assert command("init", folder).code == 0
    return folder


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the sample's spans whose broker runs already: to be asked, not changed."""
    folder = tmp_path_factory.mktemp("served") / "store"
    with broker(folder) as client:
        load_demo(client, only="spans")
        yield folder
