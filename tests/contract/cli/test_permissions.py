"""A workspace folder that belongs to somebody else, or may not be written."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import Command, run_command

ORDINARY = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
"""What makes of root a user whom permissions hold."""

ASK = ("query", "--sql", "SELECT 1 AS a")


@pytest.fixture
def closed(store: Path, command: Command) -> Iterator[Path]:
    """A store that was used, whose files can be closed; opened again for whoever tidies up."""
    assert command(*ASK, "--store", store).code == 0
    yield store
    for path in (store, *store.iterdir()):
        path.chmod(0o700 if path.is_dir() else 0o600)


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        (".", 0o500),
        ("logs", 0o500),
        ("spill", 0o500),
        ("journal", 0o000),
        ("store.json", 0o000),
        ("secret.key", 0o000),
        ("telemetry.duckdb", 0o000),
        ("records.sqlite", 0o400),
    ],
)
def test_what_may_not_be_used_is_named_with_whose_it_is(closed: Path, name: str, mode: int) -> None:
    path = closed / name
    path.chmod(mode)
    done = run_command(*ASK, "--store", closed, "--json", prefix=ORDINARY)
    assert done.code == 3, done
    error = json.loads(done.err)["error"]
    assert error["code"] == "not_permitted", error
    assert error["message"] == f"{path} may not be used by this user"
    assert f"it belongs to {path.owner()}" in error["hint"]


def test_the_doctor_sees_a_secret_that_others_may_read(store: Path, command: Command) -> None:
    (store / "secret.key").chmod(0o640)

    def secrets() -> dict[str, str]:
        checks = command("doctor", "--store", store, "--json").json["checks"]
        return next(each for each in checks if each["name"] == "secrets")

    assert (secrets()["level"], secrets()["found"]) == ("WARN", "others may read secret.key")
    (store / "secret.key").chmod(0o600)
    assert secrets()["level"] == "OK"
