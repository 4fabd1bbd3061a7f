"""The catalog from the shell."""

from pathlib import Path

from tests.support.command_line import Command


def test_batches_and_lineage(command: Command, served: Path) -> None:
    found = command("catalog", "batches", "--store", served, "--json").json["batches"]
    assert [each["name"] for each in found] == ["spans.parquet"]
    assert "spans.parquet" in command("catalog", "batches", "--store", served).out

    asked = command("query", "--store", served, "--sql", "SELECT count(*) FROM spans", "--json")
    query = asked.json["answer"]["query"]
    walked = command("catalog", "lineage", query, "--store", served, "--json").json
    assert [each["batch_id"] for each in walked["batches"]] == [found[0]["batch_id"]]
    shown = command("catalog", "lineage", query, "--store", served).out
    assert "spans.parquet" in shown
    assert "all up to the pin" in shown


def test_an_unknown_query_is_one_line_and_a_hint(command: Command, served: Path) -> None:
    done = command("catalog", "lineage", "nowhere", "--store", served)
    assert (done.code, done.out) == (2, "")
    assert "no query 'nowhere'" in done.err
    assert "Hint" in done.err


def test_quality_warns_and_counts(command: Command, served: Path) -> None:
    found = command("catalog", "quality", "--store", served, "--json").json
    assert {each["signal"] for each in found["signals"]} == {"spans"}
    shown = command("catalog", "quality", "--store", served, "--service", "ts-order-service")
    assert "ts-order-service" in shown.out
    assert "ts-auth-service" not in shown.out
    assert command("catalog", "quality", "--store", served, "--window", "now").code == 2


def test_services_and_what_they_send(command: Command, served: Path) -> None:
    found = command("catalog", "services", "--store", served, "--json").json["services"]
    assert all(list(each["signals"]) == ["spans"] for each in found)
    assert "ts-order-service" in command("catalog", "services", "--store", served).out
