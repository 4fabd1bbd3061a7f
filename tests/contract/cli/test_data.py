"""init, ingest, query, doctor, on a real store with its real broker."""

import json
import shlex
from pathlib import Path

import pytest

from tests.support.command_line import Command
from workspace_ext.client.discovery import BROKER_FILE
from workspace_ext.telemetry.ingest.incident import incident_folder

INCIDENT = incident_folder("trainticket")
METRICS = """
# TYPE checkout_seconds gauge
checkout_seconds{service="cart"} 1.5 1700000000000
checkout_seconds{service="cart"} oops 1700000001000
"""


def test_init_makes_a_store_and_leaves_one_as_it_is(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert command("init", folder, "--json").json == {"store": str(folder), "created": True}
    assert command("init", folder, "--json").json["created"] is False
    assert not (folder / BROKER_FILE).exists(), "the broker that init started has left"


def test_init_does_not_mix_with_other_files(command: Command, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = command("init", tmp_path)
    assert done.code == 2
    assert "not empty" in done.err


def test_ingest_counts_what_it_puts_aside_and_knows_a_file_again(
    command: Command, store: Path, tmp_path: Path
) -> None:
    file = tmp_path / "metrics.prom"
    file.write_text(METRICS)
    first = command("ingest", "--store", store, file, "--json")
    assert first.code == 0, first.err
    (report,) = first.json["files"]
    assert (report["rows"]["metrics"], report["quarantined"]) == (1, 1)
    (again,) = command("ingest", "--store", store, file, "--json").json["files"]
    assert again["already"] is True


def test_ingest_goes_on_after_a_file_that_cannot_be_read(
    command: Command, store: Path, tmp_path: Path
) -> None:
    good = tmp_path / "metrics.prom"
    good.write_text(METRICS)
    done = command("ingest", "--store", store, tmp_path / "absent", good, "--json")
    assert done.code == 2
    absent, read = done.json["files"]
    assert "absent" in absent["error"]["message"]
    assert read["rows"]["metrics"] == 1


def test_a_file_that_cannot_be_read_is_one_line_and_a_hint(
    command: Command, store: Path, tmp_path: Path
) -> None:
    for wrong in (tmp_path / "absent", tmp_path):
        done = command("ingest", "--store", store, wrong)
        assert (done.code, done.out) == (2, "")
        assert done.err.count("\n") == 2


def test_a_wide_table_leaves_columns_out_and_says_so(
    command: Command, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    columns = ", ".join(f"{n} AS a_rather_long_name_{n}" for n in range(9))
    done = command("query", "--store", served, "--sql", f"SELECT {columns}")
    assert "a_rather_long_name_0" in done.out
    assert "more columns" in done.out
    assert max(map(len, done.out.splitlines()[1:6])) <= 80


def test_query_prints_rows_and_verdict(command: Command, store: Path) -> None:
    spans = INCIDENT / "spans.parquet"
    assert command("ingest", "--store", store, spans).code == 0
    window = "window=2023-01-30T11:59:00Z/2023-01-30T12:02:00Z"
    asked = ("query", "triage.overview", "--store", store, "-p", window)
    answer = command(*asked, "--json").json
    assert answer["answer"]["rows"] == len(answer["rows"]) > 0
    assert answer["answer"]["verdict"]["reason"] in command(*asked).out.replace("\n", " ")


def test_free_sql_binds_values_and_writes_parquet(
    command: Command, served: Path, tmp_path: Path
) -> None:
    import pyarrow.parquet as pq

    sql = "SELECT service, count(*) AS n FROM spans WHERE service = $service GROUP BY ALL"
    file = tmp_path / "rows.parquet"
    done = command(
        *("query", "--store", served, "--sql", sql, "-p", "service=ts-basic-service"),
        *("--output", "parquet", "--file", file),
    )
    assert done.code == 0, done.err
    assert pq.read_table(file).column("service").to_pylist() == ["ts-basic-service"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["triage.overvew"], "triage.overview"),
        (["triage.overview", "-p", "windw=x/y"], "window"),
        (["triage.overview"], "window"),
        (["latency.shift", "-p", "oops"], "name=value"),
        (["--sql", "DROP TABLE spans"], "SELECT"),
        (["--sql", "SELECT * FROM read_csv('/etc/passwd')"], "read_csv"),
        ([], "--sql"),
        (["triage.overview", "--sql", "SELECT 1"], "--sql"),
        (["--sql", "SELECT 1", "--output", "parquet"], "--file"),
    ],
)
def test_a_wrong_query_says_what_to_do(
    command: Command, served: Path, arguments: list[str], said: str
) -> None:
    done = command("query", "--store", served, *arguments)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") <= 2


@pytest.mark.parametrize("form", ["table", "csv", "json", "parquet"])
def test_rows_go_into_a_file_or_it_is_said_why_not(
    command: Command, served: Path, tmp_path: Path, form: str
) -> None:
    asked = ("query", "--store", served, "--sql", "SELECT 1 AS one", "--output", form, "--file")
    assert command(*asked, tmp_path / "rows").code == 0
    assert b"one" in (tmp_path / "rows").read_bytes()

    done = command(*asked, tmp_path / "absent" / "rows")
    assert done.code == 3
    assert "cannot write" in done.err


def test_the_next_command_can_be_copied_whatever_the_folder_is_called(
    command: Command, tmp_path: Path
) -> None:
    odd = tmp_path / "a b [bold]'ü'"
    made = command("init", odd)
    assert str(odd) in shlex.split(made.out.splitlines()[-1])
    missing = command("catalog", "services", "--store", odd / "none")
    assert missing.code == 2
    assert str(odd / "none") in shlex.split(missing.err.partition("Hint: ")[2])


def test_rows_in_a_file_are_those_of_its_form_and_nothing_is_rounded(
    command: Command, served: Path, tmp_path: Path
) -> None:
    import pyarrow.parquet as pq

    time_ns = 1674982800000000001
    sql = f"SELECT * FROM (VALUES ({time_ns}, 'nan'::DOUBLE), (NULL, 1)) AS t(n, x) ORDER BY n"
    asked = ("query", "--store", served, "--sql", sql)
    assert command(*asked, "--output", "csv").out == f"n,x\n{time_ns},nan\n,1.0\n"
    for name in ("r.csv", "r.json", "r.parquet"):
        done = command(*asked, "--file", tmp_path / name, "--json")
        assert done.code == 0, done.err
        assert set(done.json) == {"answer", "file"}
    assert (tmp_path / "r.csv").read_text() == f"n,x\n{time_ns},nan\n,1.0\n"
    rows = json.loads((tmp_path / "r.json").read_text())
    assert rows == [{"n": time_ns, "x": None}, {"n": None, "x": 1.0}]
    assert pq.read_table(tmp_path / "r.parquet").column("n").to_pylist() == [time_ns, None]


def test_brackets_in_a_name_are_no_markup(command: Command, store: Path, tmp_path: Path) -> None:
    odd = tmp_path / "[b].prom"
    done = command("ingest", "--store", store, odd)
    assert done.code == 2
    assert "[b]" in done.err

    odd.write_text(METRICS)
    done = command("ingest", "--store", store, odd)
    assert done.code == 0, done.err
    assert "[b]" in done.out


def test_a_store_that_is_not_there_says_how_to_make_one(command: Command, tmp_path: Path) -> None:
    done = command("query", "triage.overview", "--store", tmp_path / "absent")
    assert done.code == 2
    assert "jupyter investigation init" in done.err


def test_a_damaged_store_is_told_in_one_line(command: Command, store: Path) -> None:
    (store / "telemetry.duckdb").write_bytes(b"not a database" * 1000)
    done = command("query", "--store", store, "--sql", "SELECT 1")
    assert done.code == 1
    assert "telemetry.duckdb" in done.err
    assert "Traceback" not in done.err


def test_doctor_looks_at_installation_and_store(command: Command, store: Path) -> None:
    checks = {
        check["name"]: check
        for check in command("doctor", "--store", store, "--json").json["checks"]
    }
    assert checks["duckdb"]["ok"]
    assert checks["broker"]["ok"]
    assert checks["ledger"]["ok"]


def test_doctor_warns_of_a_folder_that_is_no_store(command: Command, tmp_path: Path) -> None:
    done = command("doctor", "--store", tmp_path / "misspelt", "--json")
    (folder,) = [one for one in done.json["checks"] if one["name"] == "workspace folder"]
    assert (done.code, folder["level"]) == (0, "WARN")
    assert "--store" in folder["hint"]


def test_doctor_says_no_for_a_store_that_is_damaged(command: Command, store: Path) -> None:
    (store / "records.sqlite").write_bytes(b"x" * 4096)
    done = command("doctor", "--store", store, "--json")
    assert done.code == 1
    assert done.json["ok"] is False


def test_verify_of_a_store_counts_its_entries(command: Command, store: Path) -> None:
    done = command("verify", "--store", store, "--json")
    assert (done.code, done.json) == (0, {"ok": True, "problems": []})
