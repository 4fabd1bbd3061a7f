"""Review: who may do what when, what an approval binds to, and when it lapses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.versions import ALICE, BOB, Shelf, shelf, told
from workspace_ext.access.tokens import Tokens
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import BadInput, Conflict, Denied, NotFound
from workspace_ext.inquiry.templates.library import TemplateLibrary
from workspace_ext.practice.review.service import ReviewService
from workspace_ext.practice.review.store import MIGRATIONS
from workspace_ext.practice.review.templates import TemplateReviews

CAROL = Actor("user", "carol")


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Shelf]:
    with shelf(tmp_path / "store") as made:
        yield made


@pytest.fixture
def reviews(kept: Shelf) -> ReviewService:
    from workspace_ext.storage.records import RecordsEngine

    RecordsEngine(kept.folder, {"review": MIGRATIONS}).close()
    return service(kept)


def service(kept: Shelf) -> ReviewService:
    library = TemplateLibrary([kept.folder.templates])
    templates = TemplateReviews(kept.ledger, library, kept.folder.path / "none")
    return ReviewService(kept.records, kept.investigations, kept.versions, templates)


def notebook(**sources: str) -> dict[str, Any]:
    cells = [
        {"id": name, "cell_type": "markdown", "metadata": {}, "source": source}
        for name, source in sources.items()
    ]
    return {"metadata": {}, "nbformat": 4, "nbformat_minor": 5, "cells": cells}


def say(kept: Shelf, kind: str, actor: Actor = ALICE, why: str = "", **data: Any) -> None:
    tokens = Tokens(kept.folder.secret)
    event = told(kind, data.get("hypothesis", "x"), data, actor)
    event["rationale"] = why
    kept.investigations.report(kept.uid, [event], tokens.principal(tokens.service_token))


def test_from_draft_to_archived_each_step_with_who_and_why(
    kept: Shelf, reviews: ReviewService
) -> None:
    version = kept.save(notebook(a="1"))
    assert reviews.review(kept.uid)["label"] == "draft"
    assert reviews.act(kept.uid, "request", ALICE)["state"] == "in_review"
    sent_back = reviews.act(kept.uid, "changes", BOB, reason="which baseline?")
    assert (sent_back["state"], sent_back["actions"]) == (
        "changes_requested",
        ["request", "archive"],
    )
    reviews.act(kept.uid, "request", ALICE, reason="added")
    approved = reviews.act(kept.uid, "approve", BOB, reason="I see the same")
    assert (approved["label"], approved["lapse"]) == ("approved", None)
    step = approved["steps"][-1]
    assert (step["by"], step["reason"]) == ("user:bob", "I see the same")
    assert (step["revision"], step["digest"]) == (version.revision, version.digest)
    assert step["head"] == kept.ledger.entries(kept.uid)[step["seq"] - 1]["hash"]
    archived = reviews.act(kept.uid, "archive", CAROL)
    assert (archived["state"], len(archived["steps"])) == ("archived", 5)
    assert [e["type"] for e in kept.ledger.entries(kept.uid)].count("review.changed") == 5
    assert kept.ledger.verify(kept.uid).ok


def test_what_may_not_follow_is_refused_and_the_ways_are_named(
    kept: Shelf, reviews: ReviewService
) -> None:
    kept.save(notebook(a="1"))
    with pytest.raises(BadInput, match="review is draft cannot be approved") as refused:
        reviews.act(kept.uid, "approve", BOB)
    assert refused.value.hint == "from draft one can: request (in review)"
    with pytest.raises(BadInput, match="knows no 'aprove'") as unknown:
        reviews.act(kept.uid, "aprove", BOB)
    assert "approve" in unknown.value.hint
    reviews.act(kept.uid, "request", ALICE)
    with pytest.raises(BadInput, match="without a reason"):
        reviews.act(kept.uid, "changes", BOB, reason=" ")
    with pytest.raises(NotFound):
        reviews.act("nowhere", "request", ALICE)
    assert len(reviews.review(kept.uid)["steps"]) == 1


def test_nobody_reviews_what_they_ran_edited_or_reported(
    kept: Shelf, reviews: ReviewService
) -> None:
    editor, runner, reporter = (Actor("user", name) for name in ("ed", "ron", "rita"))
    kept.save(notebook(a="1"), editor)
    kept.run("a", "1", runner)
    say(kept, "finding.added", reporter, text="the pool is full")
    review = reviews.act(kept.uid, "request", ALICE)
    assert review["authors"] == ["user:alice", "user:ed", "user:rita", "user:ron"]
    for author in (ALICE, editor, runner, reporter):
        with pytest.raises(Denied, match="cannot review it"):
            reviews.act(kept.uid, "approve", author)
    for nobody in (Actor("user", "unknown"), Actor("kernel", "k"), Actor("service", "s")):
        with pytest.raises(Denied):
            reviews.act(kept.uid, "approve", nobody)
    reviews.comment(kept.uid, "why so?", BOB, cell="a")  # makes nobody an author
    assert reviews.act(kept.uid, "approve", BOB)["state"] == "approved"


def test_an_approval_binds_to_one_version_and_lapses_with_the_next_change(
    kept: Shelf, reviews: ReviewService
) -> None:
    seen = kept.save(notebook(a="1"))
    reviews.act(kept.uid, "request", ALICE)
    newer = kept.save(notebook(a="2"))
    with pytest.raises(Conflict, match="saved meanwhile"):
        reviews.act(kept.uid, "approve", BOB, digest=seen.digest)
    reviews.act(kept.uid, "approve", BOB, digest=newer.digest)
    kept.save(notebook(a="2"))  # nothing new
    reviews.comment(kept.uid, "well done", CAROL, cell="a")
    assert reviews.review(kept.uid)["label"] == "approved"
    kept.save(notebook(a="3"))
    lapsed = reviews.review(kept.uid)
    assert lapsed["label"].startswith("approved, lapsed: version 3 was saved by alice at ")
    with pytest.raises(BadInput, match="lapsed cannot be archived"):
        reviews.act(kept.uid, "archive", BOB)
    assert reviews.act(kept.uid, "approve", BOB)["label"] == "approved"
    kept.run("a", "3")
    assert "cell a was run by alice" in reviews.review(kept.uid)["label"]
    reviews.act(kept.uid, "approve", BOB)
    say(kept, "hypothesis.proposed", hypothesis="h", text="the pool is full")
    assert "a hypothesis was proposed" in reviews.review(kept.uid)["label"]


def test_nothing_saved_cannot_be_approved(kept: Shelf, reviews: ReviewService) -> None:
    reviews.act(kept.uid, "request", ALICE)
    with pytest.raises(BadInput, match="no version of the notebook"):
        reviews.act(kept.uid, "approve", BOB)


def test_comments_are_threads_that_are_resolved_and_opened_again(
    kept: Shelf, reviews: ReviewService
) -> None:
    kept.save(notebook(a="1"))
    say(kept, "hypothesis.proposed", hypothesis="h", text="the pool is full")
    first = reviews.comment(kept.uid, " which pool? ", BOB, hypothesis="h", comment="c1")
    assert reviews.comment(kept.uid, "which pool?", BOB, hypothesis="h", comment="c1") == first
    thread = reviews.comment(kept.uid, "that of the cart", ALICE, thread=first["id"])
    assert [c["text"] for c in thread["comments"]] == ["which pool?", "that of the cart"]
    assert (thread["hypothesis"], thread["cell"]) == ("h", None)
    assert reviews.settle(kept.uid, "c1", ALICE, resolved=True)["resolved_by"] == "user:alice"
    assert reviews.settle(kept.uid, "c1", BOB, resolved=True)["resolved_by"] == "user:alice"
    assert reviews.settle(kept.uid, "c1", BOB, resolved=False)["resolved_by"] is None
    kinds = [entry["type"] for entry in kept.ledger.entries(kept.uid)]
    assert (kinds.count("comment.added"), kinds.count("comment.settled")) == (2, 2)
    assert service(kept).review(kept.uid) == reviews.review(kept.uid)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({}, "has one place"),
        ({"cell": "a", "hypothesis": "h"}, "has one place"),
        ({"cell": "gone"}, "no saved cell 'gone'"),
        ({"hypothesis": "gone"}, "no hypothesis 'gone'"),
        ({"thread": "gone"}, "no thread of comments 'gone'"),
    ],
)
def test_a_comment_needs_a_place_that_is_there(
    kept: Shelf, reviews: ReviewService, place: dict[str, str], message: str
) -> None:
    kept.save(notebook(a="1"))
    with pytest.raises(BadInput, match=message):
        reviews.comment(kept.uid, "hm", BOB, **place)
    with pytest.raises(BadInput, match="text"):
        reviews.comment(kept.uid, "  ", BOB, cell="a")
    with pytest.raises(BadInput, match="text"):
        reviews.comment(kept.uid, "x" * 20_001, BOB, cell="a")
    assert reviews.review(kept.uid)["threads"] == {}


def test_what_changed_since_i_last_looked(kept: Shelf, reviews: ReviewService) -> None:
    kept.save(notebook(a="1"))
    everything = reviews.changes(kept.uid, BOB)
    assert everything["since"] is None
    assert everything["changes"]
    assert reviews.changes(kept.uid, BOB)["changes"] == []
    kept.save(notebook(a="2", b="3"), CAROL)
    kept.run("a", "2")
    kept.run("a", "2", CAROL)
    say(kept, "hypothesis.proposed", hypothesis="h", text="the pool is full")
    say(kept, "decision.made", text="roll back", because="it is quick")
    reviews.comment(kept.uid, "why?", CAROL, hypothesis="h")
    reviews.act(kept.uid, "request", ALICE, reason="please")
    new = reviews.changes(kept.uid, BOB)
    told = {(c["kind"], c["subject"]): c for c in new["changes"]}
    assert told["cell", "a"]["what"] == "edited"
    assert (told["cell", "b"]["what"], told["cell", "b"]["by"]) == ("added", ["user:carol"])
    assert told["run", "a"]["what"] == "ran 2 times, last: ok"
    assert told["run", "a"]["by"] == ["user:alice", "user:carol"]
    said = [c["what"] for c in new["changes"]]
    assert "proposed: the pool is full" in said
    assert "roll back" in said
    assert "on the hypothesis “the pool is full”: why?" in said
    assert "request (version 2): please" in said
    assert reviews.changes(kept.uid, BOB)["changes"] == []
    again = reviews.changes(kept.uid, BOB, since="2020-01-01T00:00:00Z")
    assert len(again["changes"]) > len(new["changes"])
    with pytest.raises(BadInput):
        reviews.changes(kept.uid, BOB, since="yesterday")
