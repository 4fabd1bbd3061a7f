"""Versions: kept once, small, told of in the ledger, and found again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Connection

from tests.support.versions import ALICE, BOB, Shelf, edits, large_notebook
from workspace_ext.foundation.errors import BadInput, Conflict, NotFound
from workspace_ext.inquiry.investigations import audit
from workspace_ext.inquiry.versions.content import split
from workspace_ext.inquiry.versions.sending import UNKNOWN, version_in


def notebook(**sources: str) -> dict[str, Any]:
    cells = [
        {
            "id": name,
            "cell_type": "code",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for name, source in sources.items()
    ]
    return {"metadata": {}, "nbformat": 4, "nbformat_minor": 5, "cells": cells}


def content(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(cell["id"], cell["source"]) for cell in found["cells"]]


def test_a_save_is_a_version_and_the_same_content_again_is_none(kept: Shelf) -> None:
    first, new = kept.keep(notebook(a="1"))
    assert (first.revision, first.parent, first.actors, new) == (1, 0, ("user:alice",), True)
    assert first.changes == {"a": "added"}
    again, new = kept.keep(notebook(a="1"), BOB)
    assert (again.revision, again.digest, new) == (1, first.digest, False)
    second = kept.save(notebook(a="2", b="3"), BOB, reason="a better question")
    assert (second.revision, second.parent) == (2, 1)
    assert second.changes == {"a": "source", "b": "added"}
    assert [version.revision for version in kept.versions.history(kept.uid)] == [2, 1]
    assert content(kept.versions.get(kept.uid, 1)[1]) == [("a", "1")]
    assert content(kept.versions.get(kept.uid)[1]) == [("a", "2"), ("b", "3")]


def test_our_own_metadata_make_no_version(kept: Shelf) -> None:
    """They are a projection of the record: each run would be a version of its own."""
    one = notebook(a="1")
    first = kept.save(one)
    one["metadata"]["investigation"] = {"schema": 1, "uid": kept.uid, "ledger": {"seq": 9}}
    one["cells"][0]["metadata"]["investigation"] = {"uid": "a", "last": {"seq": 9}}
    assert not kept.keep(one)[1]
    restored = kept.versions.get(kept.uid, first.revision)[1]
    assert restored["metadata"]["investigation"] == {"schema": 1, "uid": kept.uid}


def test_the_ledger_tells_of_each_version_and_the_version_of_the_ledger(kept: Shelf) -> None:
    before = kept.ledger.head(kept.uid)
    made = kept.save(notebook(a="1"), BOB, reason="why")
    entry = kept.ledger.entries(kept.uid)[-1]
    assert (made.seq, made.head) == before
    assert (entry["type"], entry["actor"], entry["rationale"]) == (
        "notebook.saved",
        "user:bob",
        "why",
    )
    assert entry["data"] is not None
    assert (entry["data"]["digest"], entry["data"]["revision"]) == (made.digest, 1)
    assert kept.ledger.verify(kept.uid).ok
    assert kept.investigations.state(kept.uid)["seq"] == before[0], "the state stays"


def test_a_report_that_comes_twice_counts_once(kept: Shelf) -> None:
    one = version_in(split(notebook(a="1")), path="n.ipynb", actors=[ALICE])
    two = version_in(split(notebook(a="2")), path="n.ipynb", actors=[ALICE])
    made = [kept.versions.save(kept.uid, sent)[0].revision for sent in (one, two, one, two)]
    assert made == [1, 2, 1, 2]
    assert len(kept.versions.history(kept.uid)) == 2


def test_only_what_is_new_need_be_sent(kept: Shelf) -> None:
    one, two = split(notebook(a="1", b="2")), split(notebook(a="1", b="3"))
    kept.versions.save(kept.uid, version_in(one, path="n", actors=[ALICE]))
    small = version_in(two, path="n", actors=[ALICE], known=one.layout)
    assert list(small["parts"].values()) == ["3"]
    kept.versions.save(kept.uid, small)
    assert content(kept.versions.get(kept.uid)[1]) == [("a", "1"), ("b", "3")]
    three = split(notebook(a="4", b="5"))
    with pytest.raises(Conflict, match="2 parts"):
        kept.versions.save(
            kept.uid, version_in(three, path="n", actors=[ALICE], known=three.layout)
        )
    assert len(kept.versions.history(kept.uid)) == 2


def test_two_files_of_one_investigation_have_a_line_each(kept: Shelf) -> None:
    kept.save(notebook(a="1"), path="one.ipynb")
    kept.save(notebook(a="2"), path="copy.ipynb")
    third = kept.save(notebook(a="3"), path="one.ipynb")
    assert third.parent == 1
    assert [(found["path"], found["revision"]) for found in kept.versions.notebooks()] == [
        ("one.ipynb", 3),
        ("copy.ipynb", 2),
    ]


def test_who_changed_a_cell_when_and_why(kept: Shelf) -> None:
    kept.save(notebook(a="1", b="1"))
    kept.save(notebook(a="2", b="2"), ALICE, BOB, by={"a": [BOB]}, reason="two at once")
    kept.save(notebook(b="2"), UNKNOWN)
    told = kept.versions.cell(kept.uid, "a")
    assert [(line["what"], line["actors"], line["reason"]) for line in told] == [
        ("removed", ["user:unknown"], ""),
        ("source", ["user:bob"], "two at once"),
        ("added", ["user:alice"], ""),
    ]
    assert kept.versions.cell(kept.uid, "b")[0]["actors"] == ["user:alice", "user:bob"]
    with pytest.raises(NotFound, match="no saved cell 'z'"):
        kept.versions.cell(kept.uid, "z")


def test_blame_names_the_last_change_and_the_last_run(kept: Shelf) -> None:
    kept.save(notebook(a="\n  first line\nsecond", b="1"))
    kept.run("a", "\n  first line\nsecond", BOB)
    ran = notebook(a="\n  first line\nsecond", b="2")
    ran["cells"][0]["execution_count"] = 1
    kept.save(ran, BOB)
    a, b = kept.versions.blame(kept.uid)
    assert a["text"] == "first line"
    assert a["changed"] is not None
    assert a["run"] is not None
    assert (a["changed"]["actors"], a["run"]["by"]) == (["user:alice"], "user:bob")
    assert b["changed"] is not None
    assert (b["changed"]["actors"], b["run"]) == (["user:bob"], None)


def test_nothing_saved_yet(kept: Shelf) -> None:
    assert kept.versions.history(kept.uid) == []
    assert kept.versions.blame(kept.uid) == []
    for ask in (lambda: kept.versions.get(kept.uid), lambda: kept.versions.recover(kept.uid)):
        with pytest.raises(NotFound):
            ask()
    with pytest.raises(NotFound, match="no version 7"):
        kept.versions.get(kept.uid, 7)
    with pytest.raises(NotFound, match="no investigation"):
        kept.versions.history("nowhere")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"actors": []}, "actors"),
        ({"actors": ["alice"]}, "not an actor"),
        ({"time": "yesterday"}, "yesterday"),
        ({"path": ""}, "path"),
        ({"parts": {"sha256:" + "0" * 64: "x"}}, "another text"),
        ({"manifest": {"notebook": "md5", "cells": []}}, "manifest"),
        ({"more": 1}, "more"),
    ],
)
def test_a_wrong_message_is_refused_whole(kept: Shelf, change: dict[str, Any], what: str) -> None:
    sent: Any = {**version_in(split(notebook(a="1")), path="n", actors=[ALICE]), **change}
    with pytest.raises(BadInput, match=what):
        kept.versions.save(kept.uid, sent)
    assert kept.versions.history(kept.uid) == []


def test_two_cells_of_one_uid_are_refused(kept: Shelf) -> None:
    sent = version_in(split(notebook(a="1")), path="n", actors=[ALICE])
    sent["manifest"]["cells"] *= 2
    with pytest.raises(BadInput, match="one uid"):
        kept.versions.save(kept.uid, sent)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE blobs SET content = x'00' WHERE id = 1", "a part of version 1 was changed"),
        ("DELETE FROM versions WHERE revision = 2", "version 2 is missing"),
        ("UPDATE versions SET layout = x'00' WHERE revision = 2", "version 2 was changed"),
        (
            "UPDATE versions SET layout = (SELECT layout FROM versions WHERE revision = 1)",
            "version 2 was changed",
        ),
        (
            """INSERT INTO versions SELECT investigation, 9, path, at, actors, reason, digest, seq,
            head, parent, layout FROM versions WHERE revision = 1""",
            "version 9 is kept, but no entry tells of it",
        ),
    ],
)
def test_verify_finds_what_was_changed(kept: Shelf, damage: str, said: str) -> None:
    kept.save(notebook(a="1"))
    kept.save(notebook(a="2"))
    assert kept.investigations.verify(kept.uid).ok
    with kept.records.begin() as connection:
        for trigger in ("versions_stay", "versions_unchanged"):
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        connection.exec_driver_sql(damage)
    report = kept.investigations.verify()
    assert not report.ok
    assert said in [problem.what for problem in report.problems]


def test_what_is_saved_while_it_verifies_is_no_damage(
    kept: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.save(notebook(a="1"))
    look = audit.blobs.changed

    def saved_meanwhile(connection: Connection) -> frozenset[str]:
        found = look(connection)
        kept.save(notebook(a="2"))
        return found

    monkeypatch.setattr(audit.blobs, "changed", saved_meanwhile)
    report = kept.investigations.verify()
    assert report.ok, report.problems


def test_versions_are_never_changed_or_deleted(kept: Shelf) -> None:
    kept.save(notebook(a="1"))
    for statement in ("DELETE FROM versions", "UPDATE versions SET reason = 'x'"):
        with pytest.raises(Conflict, match="never"), kept.records.begin() as connection:
            connection.exec_driver_sql(statement)


def test_500_versions_of_a_large_notebook_stay_small(kept: Shelf) -> None:
    """60 cells, 0.7 MB: the bound is 2 MB; full copies are 350 MB, and the first alone is 0.3."""
    start = large_notebook()
    assert 0.68e6 < len(json.dumps(start)) < 0.75e6
    kept.save(start)
    for at in edits(start, 499):
        kept.save(at)
    kept.records.close()
    size = kept.folder.records.stat().st_size
    print(f"500 versions: {size / 1e6:.2f} MB")
    assert size <= 2e6
