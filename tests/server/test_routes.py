"""The browser's routes: what they answer, to whom, and how they refuse."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
import websocket

from tests.support.jupyter import ANSWER_SECONDS, Jupyter, RefusedError, notebook
from tests.support.waiting import until
from workspace_ext.inquiry.metadata.notebook import read_metadata
from workspace_ext.protocol.validation import validate

ALL = "/investigation/investigations"


def refused(server: Jupyter, method: str, path: str, body: object = None, **how: Any) -> Any:
    """The status and the error of a request that must be refused."""
    with pytest.raises(RefusedError) as caught:
        server.request(method, path, body, **how)
    validate("messages", caught.value.body, definition="ErrorBody")
    return caught.value.status, caught.value.body["error"]


def test_status_says_how_the_broker_is(plain: Jupyter, name: Callable[[], str]) -> None:
    plain.request("POST", ALL, {"title": "Is it there"})

    status = plain.request("GET", "/investigation/status")

    validate("messages", status, definition="Status")
    assert status == {"broker": "ready", "store": str(plain.store), "message": ""}


def test_a_new_investigation_is_a_notebook_ready_to_run(plain: Jupyter) -> None:
    plain.request("PUT", "/api/contents/incidents", {"type": "directory"})
    wanted = {"title": "Cart: 5xx & Größe?", "severity": "sev2", "directory": "incidents"}

    made = plain.request("POST", ALL, wanted, user="bob")
    again = plain.request("POST", ALL, wanted, user="bob")

    validate("messages", made, definition="NewNotebook")
    assert made["path"] == "incidents/cart-5xx-größe.ipynb"
    assert again["path"] == "incidents/cart-5xx-größe-1.ipynb"
    assert again["uid"] != made["uid"]
    content = plain.read(made["path"])
    stamp = read_metadata(content)
    validate("metadata", stamp, definition="notebook")
    assert stamp is not None
    assert (stamp["uid"], stamp["title"]) == (made["uid"], wanted["title"])
    assert content["metadata"]["kernelspec"]["name"] == "investigation"
    assert content["cells"][0]["source"][0] == f"# {wanted['title']}\n"
    state = plain.request("GET", f"/investigation/state?path={quote(made['path'])}")
    assert (state["notebook"], state["severity"]) == (made["path"], "sev2")
    assert state["participants"] == {"user:bob": "owner"}
    listed = plain.request("GET", ALL)
    assert {one["uid"] for one in (made, again)} <= {one["uid"] for one in listed}
    for one in listed:
        validate("messages", one, definition="InvestigationSummary")

    kernel = plain.kernel(made["path"])
    kernel.run("1", cell=content["cells"][1]["id"])
    steps = until(
        lambda: plain.broker().state(made["uid"])["steps"], "its first run is its first step"
    )
    assert len(steps) == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"title": ""}, 400, "bad_title"),
        ({"title": "   "}, 400, "bad_title"),
        ({"title": "x" * 201}, 400, "bad_title"),
        ({"title": 5}, 400, "bad_input"),
        ({"title": "ok", "directory": "nowhere"}, 400, "no_directory"),
        ({"title": "ok", "directory": "../outside"}, 404, "not_found"),
        ({"title": "ok", "severity": ["x"]}, 400, "bad_input"),
        ({"path": "nowhere.ipynb"}, 404, "no_notebook"),
        ({"path": None}, 400, "bad_input"),
        ([], 400, "bad_input"),
    ],
)
def test_a_bad_wish_is_one_clear_error_and_makes_nothing(
    plain: Jupyter, body: object, status: int, code: str
) -> None:
    before = plain.files()

    answered, error = refused(plain, "POST", ALL, body)

    assert (answered, error["code"]) == (status, code)
    assert error["hint"] or status == 404
    assert plain.files() == before


def test_a_body_that_is_no_json_is_refused(plain: Jupyter) -> None:
    request = urllib.request.Request(
        f"{plain.url}{ALL}", data=b"{", headers={"Authorization": "token token-of-alice"}
    )

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)

    assert caught.value.code == 400
    assert json.load(caught.value)["error"]["message"] == "the body is no JSON object"


def test_state_is_null_for_an_ordinary_notebook_and_an_error_for_none(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    plain.save(path, notebook("1", kernel="python3"))

    assert plain.request("GET", f"/investigation/state?path={path}") is None
    status, error = refused(plain, "GET", "/investigation/state?path=nowhere.ipynb")
    assert (status, error["code"]) == (404, "no_notebook")


@pytest.mark.parametrize("path", ["/investigation/status", ALL, "/investigation/state?path=x"])
def test_strangers_get_nothing(plain: Jupyter, path: str) -> None:
    assert refused(plain, "GET", path, user=None)[0] == 403
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        websocket.create_connection(
            f"{plain.url.replace('http', 'ws')}/investigation/stream?path=x", timeout=ANSWER_SECONDS
        )


def test_who_may_only_read_reads(plain: Jupyter, name: Callable[[], str]) -> None:
    made = plain.request("POST", ALL, {"title": "For readers"})

    state = plain.request("GET", f"/investigation/state?path={made['path']}", user="carol")
    stream = plain.socket(f"/investigation/stream?path={made['path']}", "carol")
    status, error = refused(plain, "POST", ALL, {"title": "No"}, user="carol")

    assert state["uid"] == made["uid"]
    assert json.loads(stream.recv())["data"]["uid"] == made["uid"]
    assert (status, error["code"]) == (403, "denied")
    stream.close()


def test_a_closed_notebook_that_is_adopted_says_so_itself(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    plain.save(path, notebook("1", kernel="python3"))

    adopted = plain.request("POST", ALL, {"path": path})

    stamp = until(lambda: read_metadata(plain.read(path)), "the file tells it")
    assert (stamp["uid"], stamp["title"]) == (adopted["uid"], path[:-6].replace("-", " "))


def test_the_stream_tells_everything_from_the_beginning(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    plain.save(path, notebook("1"))
    streams = [plain.socket(f"/investigation/stream?path={path}", who) for who in ("alice", "bob")]
    for stream, person in zip(streams, ("alice", "bob"), strict=True):
        told = json.loads(stream.recv())
        validate("messages", told, definition="StreamMessage")
        assert (told["type"], told["data"]) == ("state", None)
        assert (told["me"]["name"], told["me"]["role"]) == (person, "lead")

    kernel = plain.kernel(path)
    run = kernel.execute("1 + 1")

    for stream in streams:
        first = json.loads(stream.recv())
        assert first["type"] == "state"
        validate("messages", first, definition="StreamMessage")
        steps = dict(first["data"]["steps"])
        while steps.get(run, {}).get("status") != "ok":
            message = json.loads(stream.recv())
            validate("messages", message, definition="StreamMessage")
            assert message["type"] == "delta"
            steps |= message["data"].get("steps", {})
        assert steps[run]["by"] == "user:alice"
        stream.close()


def test_the_stream_of_no_notebook_says_so_and_ends(plain: Jupyter) -> None:
    stream = plain.socket("/investigation/stream?path=nowhere.ipynb")

    message = json.loads(stream.recv())

    assert (message["type"], message["data"]["code"]) == ("error", "no_notebook")
    assert stream.recv() == ""
    stream.close()


def test_the_stream_of_an_investigation_of_another_store_says_so(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    foreign = {"schema": 1, "uid": "of-another-store", "title": "t"}
    plain.save(path, notebook("1", investigation=foreign))
    plain.request("POST", ALL, {"title": "Makes the store"})
    stream = plain.socket(f"/investigation/stream?path={path}")

    message = json.loads(stream.recv())

    assert (message["type"], message["data"]["code"]) == ("error", "unknown_investigation")
    kernel = plain.kernel(path)
    assert kernel.run("40 + 2")["text"] == "42"
    assert plain.read(path)["metadata"]["investigation"] == foreign
    stream.close()
