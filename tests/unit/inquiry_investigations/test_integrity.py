"""Many writers make one record, and whatever was edited beside it is found."""

import threading

import pytest

from tests.unit.inquiry_investigations.conftest import Desk, record
from workspace_ext.foundation.errors import Damaged


def test_many_threads_make_one_chain(desk: Desk) -> None:
    def work(number: int) -> None:
        for _ in range(10):
            desk.service.record_query(desk.uid, record(kept=b"%d" % number), desk.kernel())
            desk.say("note.added", text=str(number))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert desk.state["seq"] == 81
    assert len(desk.state["queries"]) == 40
    assert desk.service.verify(desk.uid).ok


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE queries SET body = replace(body, 'SELECT 1', 'SELECT 2')", "was changed"),
        ("DELETE FROM queries", "is missing"),
        ("UPDATE kept_results SET content = x'00'", "kept result"),
        ("DELETE FROM kept_results", "kept result"),
        (
            "INSERT INTO queries SELECT 99, 'forged', investigation, kept, '' FROM queries",
            "forged",
        ),
    ],
)
def test_edit_beside_the_ledger_is_found(desk: Desk, statement: str, says: str) -> None:
    desk.service.record_query(desk.uid, record(kept=b"arrow"), desk.kernel())
    assert desk.service.verify().ok
    with desk.records.begin() as connection:
        connection.exec_driver_sql(statement)
    report = desk.service.verify()
    assert [problem.stream for problem in report.problems] == [desk.uid]
    assert says in report.problems[0].what


def test_head_in_a_saved_notebook_finds_a_cut_tail(desk: Desk) -> None:
    desk.say("hypothesis.proposed", hypothesis="h1", text="pool", prediction="waits")
    saved = desk.service.projection(desk.uid)["notebook"]["ledger"]
    head = (saved["seq"], saved["head"])
    assert desk.service.verify(desk.uid, head=head).ok
    with desk.records.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER ledger_entries_stay")
        for table in ("ledger_entries", "ledger_payloads"):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE seq = 2")
    assert desk.service.verify(desk.uid).ok
    assert "tail was cut" in desk.service.verify(desk.uid, head=head).problems[0].what


@pytest.mark.parametrize("content", ["x'00'", "CAST('{}' AS BLOB)", "CAST('[]' AS BLOB)"])
def test_damaged_payload_is_told_as_such(desk: Desk, content: str) -> None:
    with desk.records.begin() as connection:
        connection.exec_driver_sql(f"UPDATE ledger_payloads SET content = {content}")
    desk.reopen()
    with pytest.raises(Damaged) as raised:
        desk.service.state(desk.uid)
    assert "verify" in raised.value.hint
    assert not desk.service.verify(desk.uid).ok
