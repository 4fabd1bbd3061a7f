"""The ledger over a real database."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import BadInput, Conflict, Unavailable
from workspace_ext.ledger.model import Event, genesis
from workspace_ext.ledger.service import Ledger
from workspace_ext.ledger.store import MIGRATIONS
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.storage.records import RecordsEngine

ALICE = Actor("user", "alice")


def event(number: int, **data: object) -> Event:
    return Event("note.added", {"n": number, **data}, ALICE, id=f"e{number}")


@pytest.fixture
def records(tmp_path: Path) -> Iterator[RecordsEngine]:
    engine = RecordsEngine(StoreFolder.create(tmp_path / "store"), {"ledger": MIGRATIONS})
    yield engine
    engine.close()


@pytest.fixture
def ledger(records: RecordsEngine) -> Ledger:
    return Ledger(records, clock=lambda: 1_674_982_800_000_000_000)


def tamper(records: RecordsEngine, *statements: str) -> None:
    """As somebody with the file in hand would."""
    with records.begin() as connection:
        for name in ("ledger_entries_stay", "ledger_entries_unchanged"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_streams_have_chains_of_their_own(ledger: Ledger) -> None:
    assert ledger.head("a") == (0, genesis("a"))
    first = ledger.append("a", event(1))
    ledger.append("b", event(1))
    second = ledger.append("a", event(2))
    assert (second["seq"], second["prev"]) == (2, first["hash"])
    assert ledger.head("a") == (2, second["hash"])
    assert ledger.entries("a") == [first, second]
    assert ledger.entries("a", after=1) == [second]
    assert ledger.entries("a", limit=1) == [first]
    assert first["recorded_time"] == "2023-01-29T09:00:00Z"
    report = ledger.verify()
    assert (report.ok, report.entries, set(report.heads)) == (True, 3, {"a", "b"})


def test_same_id_counts_once_in_a_stream(ledger: Ledger) -> None:
    first = ledger.append("a", event(1))
    assert ledger.append("a", event(1, other="content")) == first
    assert ledger.head("a")[0] == 1


def test_batch_is_kept_whole_or_not_at_all(ledger: Ledger) -> None:
    ledger.append("a", event(1))

    def half() -> None:
        with ledger.batch() as batch:
            batch.append("a", event(2))
            batch.append("a", event(3, wrong=object()))

    with pytest.raises(BadInput):
        half()
    assert ledger.head("a")[0] == 1
    assert ledger.append("a", event(4))["seq"] == 2
    assert ledger.verify().ok


def test_entries_longer_than_a_page_are_read_in_order(ledger: Ledger) -> None:
    with ledger.batch() as batch:
        for number in range(2500):
            batch.append("a", event(number))
    assert [entry["seq"] for entry in ledger.entries("a", after=10)] == list(range(11, 2501))
    assert len(ledger.entries("a", limit=1500)) == 1500
    assert ledger.verify().entries == 2500


def test_the_database_refuses_to_change_entries(records: RecordsEngine, ledger: Ledger) -> None:
    ledger.append("a", event(1))
    for statement in ("UPDATE ledger_entries SET actor = 'user:eve'", "DELETE FROM ledger_entries"):
        with pytest.raises(Conflict, match="never"), records.begin() as connection:
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    ("statement", "seq", "says"),
    [
        ("UPDATE ledger_entries SET actor='user:eve' WHERE seq=2", 2, "the header was changed"),
        ("UPDATE ledger_payloads SET content=x'7b7d' WHERE seq=2", 2, "the payload was changed"),
        ("UPDATE ledger_payloads SET content='{}' WHERE seq=2", 2, "is not readable"),
        ("DELETE FROM ledger_entries WHERE seq=2", 3, "entry 2 is missing"),
        ("DELETE FROM ledger_entries WHERE seq=1", 2, "entry 1 is missing"),
        ("DELETE FROM ledger_entries WHERE seq=3", 3, "its entry is missing"),
        ("UPDATE ledger_entries SET seq=seq+10 WHERE seq=3", 13, "entries 3 to 12 are missing"),
    ],
)
def test_tampering_is_found_and_named(
    records: RecordsEngine, ledger: Ledger, statement: str, seq: int, says: str
) -> None:
    for number in (1, 2, 3):
        ledger.append("a", event(number))
    tamper(records, statement)
    report = ledger.verify("a")
    assert (seq, True) in [(found.seq, says in found.what) for found in report.problems]
    assert {found.stream for found in report.problems} == {"a"}
    assert not report.to_dict()["ok"]


def test_two_entries_that_changed_places_are_found(records: RecordsEngine, ledger: Ledger) -> None:
    for number in (1, 2, 3):
        ledger.append("a", event(number))
    swap = ("UPDATE {0} SET seq=99 WHERE seq=1", "UPDATE {0} SET seq=1 WHERE seq=2")
    back = "UPDATE {0} SET seq=2 WHERE seq=99"
    tables = ("ledger_entries", "ledger_payloads")
    tamper(records, *(text.format(table) for table in tables for text in (*swap, back)))
    assert {found.seq for found in ledger.verify().problems} == {1, 2, 3}


def test_cut_tail_is_found_with_the_head_a_notebook_carries(
    records: RecordsEngine, ledger: Ledger
) -> None:
    for number in (1, 2, 3):
        ledger.append("a", event(number))
    head = ledger.head("a")
    cut = ("DELETE FROM ledger_entries WHERE seq=3", "DELETE FROM ledger_payloads WHERE seq=3")
    tamper(records, *cut)
    assert ledger.verify("a").ok
    (problem,) = ledger.verify("a", head=head).problems
    assert "the tail was cut" in problem.what


def test_after_a_full_disk_the_chain_goes_on(
    records: RecordsEngine, ledger: Ledger, tmp_path: Path
) -> None:
    ledger.append("a", event(1))
    with records.begin() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Unavailable, match="no space") as raised:
        ledger.append("a", event(2, text=os.urandom(200_000).hex()))
    assert raised.value.hint
    with records.begin() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert ledger.append("a", event(3))["seq"] == 2
    assert ledger.verify().ok
