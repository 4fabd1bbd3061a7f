"""Review and comments through the server: who somebody is, the server knows."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.server.test_routes import ALL, refused
from tests.support.jupyter import Jupyter
from tests.support.waiting import until
from workspace_ext.protocol.validation import validate

REVIEW, COMMENTS = "/investigation/review", "/investigation/comments"


@pytest.fixture
def path(plain: Jupyter, name: Callable[[], str]) -> str:
    """A notebook that alice began and ran."""
    made = plain.request("POST", ALL, {"title": f"Reviewed {name()}"}, user="alice")
    cell = plain.read(made["path"])["cells"][1]["id"]
    plain.kernel(made["path"]).run("1", cell=cell)

    def ended() -> bool:
        steps = plain.broker().state(made["uid"])["steps"].values()
        return [step["status"] for step in steps] == ["ok"]

    until(ended, "its run is recorded to its end")
    until(lambda: plain.broker().versions(made["uid"]), "its file is a version")
    return str(made["path"])


def test_an_author_cannot_review_whatever_the_browser_says(plain: Jupyter, path: str) -> None:
    at = {"path": path}
    review = plain.request("POST", REVIEW, {**at, "action": "request"}, user="alice")
    validate("messages", review, definition="Review")
    assert (review["state"], review["authors"]) == ("in_review", ["user:alice"])
    approve = {**at, "action": "approve", "digest": review["digest"]}
    status, error = refused(plain, "POST", REVIEW, {**approve, "actor": "user:bob"}, user="alice")
    assert (status, error["code"]) == (403, "own_work")
    status, error = refused(plain, "POST", REVIEW, approve, user="carol")
    assert status == 403
    approved = plain.request("POST", REVIEW, approve, user="bob")
    assert approved["steps"][-1]["by"] == "user:bob"
    seen = plain.request("GET", f"{REVIEW}?path={quote(path)}", user="carol")
    assert seen["state"] == "approved"


def test_who_may_only_read_may_comment(plain: Jupyter, path: str) -> None:
    at = {"path": path}
    cell = next(iter(plain.broker().state(_uid(plain, path))["steps"].values()))["cell"]
    thread = plain.request("POST", COMMENTS, {**at, "cell": cell, "text": "why?"}, user="carol")
    validate("messages", thread, definition="Thread")
    assert thread["comments"][0]["by"] == "user:carol"
    answer = {**at, "thread": thread["id"], "text": "because", "actor": "user:bob"}
    assert (
        plain.request("POST", COMMENTS, answer, user="alice")["comments"][1]["by"] == "user:alice"
    )
    settle = {**at, "thread": thread["id"], "resolved": True}
    settled = plain.request("POST", "/investigation/threads", settle, user="carol")
    assert settled["resolved_by"] == "user:carol"
    changes = plain.request("POST", "/investigation/changes", at, user="carol")
    validate("messages", changes, definition="Changes")
    assert {"run", "comment"} <= {change["kind"] for change in changes["changes"]}
    again = plain.request("POST", "/investigation/changes", at, user="carol")
    assert again["changes"] == []


def test_wrong_requests_are_named(plain: Jupyter, path: str) -> None:
    wrong = (
        (REVIEW, {"action": "request"}, "no path"),
        (REVIEW, {"path": path, "action": 3}, "action must be a text"),
        (REVIEW, {"path": path, "action": "aprove"}, "knows no 'aprove'"),
        (COMMENTS, {"path": path, "text": "hm"}, "one place"),
        (COMMENTS, {"path": path, "text": "hm", "cell": "gone"}, "no saved cell"),
        ("/investigation/threads", {"path": path, "thread": "t", "resolved": 1}, "true or false"),
        ("/investigation/threads", {"path": path, "thread": "t", "resolved": True}, "no thread"),
    )
    for route, body, message in wrong:
        status, error = refused(plain, "POST", route, body, user="bob")
        assert status in (400, 404)
        assert message in error["message"]
    status, _ = refused(plain, "GET", f"{REVIEW}?path=nowhere.ipynb")
    assert status == 404


def _uid(plain: Jupyter, path: str) -> str:
    uid = plain.request("GET", f"/investigation/state?path={quote(path)}")["uid"]
    assert isinstance(uid, str)
    return uid
