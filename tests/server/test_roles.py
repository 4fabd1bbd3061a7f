"""Read-only at every door: what a viewer gets, and what raw clients do not get past."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import websocket
from pycrdt import Awareness, Doc, create_awareness_message

from tests.support.editor import Editor
from tests.support.jupyter import Jupyter, Kernel, RefusedError, jupyter, notebook
from tests.support.waiting import until
from workspace_ext.access.people import FILE_NAME, People

PATH = "joint.ipynb"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """Alice responds, Lea leads, Vera may only look; one notebook is open and its kernel runs."""
    where = tmp_path_factory.mktemp("roles")
    people = People(where / "home" / "config" / FILE_NAME)
    tokens = {"alice": people.add("alice"), "lea": people.add("lea", role="lead")}
    tokens["vera"] = people.add("vera", role="viewer")
    with jupyter(where, rtc=True, tokens=tokens) as running:
        running.save(PATH, notebook("x = 1", "x"))
        yield running


@pytest.fixture(scope="module")
def alice(server: Jupyter) -> Iterator[Editor]:
    editor = Editor(server, PATH)
    yield editor
    editor.close()


@pytest.fixture(scope="module")
def kernel(server: Jupyter) -> Kernel:
    return server.kernel(PATH)


def refused(server: Jupyter, method: str, path: str, body: object = None) -> str:
    """The reason that Vera is given."""
    with pytest.raises(RefusedError) as caught:
        server.request(method, path, body, user="vera")
    assert caught.value.status == 403, (method, path, caught.value.body)
    said = caught.value.body
    if not isinstance(said, dict):
        return str(said)  # a page
    return str(said["error"]["message"] if "error" in said else said["message"])


def test_she_is_told_who_she_is_and_sees_the_live_notebook(server: Jupyter, alice: Editor) -> None:
    stream = server.socket(f"/investigation/stream?path={PATH}", "vera")
    me = json.loads(stream.recv())["me"]
    stream.close()
    assert (me["name"], me["role"], me["may"]) == ("vera", "viewer", ["read", "comment"])
    model = server.request("GET", f"/api/contents/{PATH}", user="vera")
    assert model["writable"] is False
    assert server.request("GET", f"/api/contents/{PATH}")["writable"] is True

    vera = Editor(server, PATH, "vera")
    alice.type(0, "  # seen live")
    until(lambda: "seen live" in vera.read()["cells"][0]["source"], "vera sees it")
    vera.close()


def test_nothing_she_sends_changes_the_shared_document(server: Jupyter, alice: Editor) -> None:
    vera = Editor(server, PATH, "vera")
    before = alice.read()

    vera.type(0, "  # by vera")  # an update
    vera.type(1, "  # by vera too")
    everything = vera.whole()
    vera.tell(b"\x00\x01" + everything)  # the second step of a sync
    vera.tell(b"\x80\x00\x02" + everything)  # a first byte that is longer than need be
    vera.tell(b"\x00\x82\x00" + everything)
    vera.tell(b"\x02\x04save\x01")
    vera.tell(b"\x7d" + everything)
    vera.tell(b"")
    alice.type(1, "  # after her")

    until(lambda: "after her" in vera.read()["cells"][1]["source"], "she still hears")
    now = alice.read()
    assert now["cells"][0] == before["cells"][0]
    assert "vera" not in json.dumps(now)
    until(lambda: "after her" in (server.root / PATH).read_text(), "it is saved")
    assert "vera" not in (server.root / PATH).read_text()
    assert server.request("GET", f"/api/contents/{PATH}?content=0")["name"] == PATH
    vera.close()


def test_files_and_settings_stay_as_they_are(server: Jupyter, alice: Editor) -> None:
    before = server.files()
    room = f"json:notebook:{alice.session['fileId']}"
    contents = f"/api/contents/{PATH}"
    doors = [
        ("PUT", contents, {"type": "notebook", "format": "json", "content": notebook("1")}),
        ("PUT", "/api/contents/new.txt", {"type": "file", "format": "text", "content": "x"}),
        ("PATCH", contents, {"path": "moved.ipynb"}),
        ("DELETE", contents, None),
        ("POST", "/api/contents", {"copy_from": PATH}),
        ("POST", "/api/contents", {"type": "notebook"}),
        ("POST", f"{contents}/checkpoints", {}),
        ("POST", f"{contents}/trust", {}),
        ("PUT", f"/api/collaboration/fork/{room}", {"synchronize": True}),
        ("DELETE", "/api/collaboration/fork/any?merge=true", None),
        ("PUT", f"/api/collaboration/undo_redo/{room}?action=undo&steps=1&forkRoom=any", None),
        ("PUT", "/api/config/notebook", {"x": 1}),
        ("PATCH", "/api/config/notebook", {"x": 1}),
        ("POST", "/api/events", {"schema_id": "x", "version": "1", "data": {}}),
        ("POST", "/api/shutdown", {}),
        ("POST", "/nbconvert/html", notebook("1")),
        ("PATCH", "/api/me", {"name": "Alice"}),
    ]

    for method, path, body in doors:
        assert "you are a viewer here" in refused(server, method, path, body), path

    assert server.files() == before


def test_kernels_and_terminals_are_not_hers(server: Jupyter, kernel: Kernel) -> None:
    session = server.session(PATH)
    spec = {"name": "investigation"}
    doors: list[tuple[str, str, Any]] = [
        ("POST", "/api/kernels", spec),
        ("POST", f"/api/kernels/{kernel.id}/interrupt", {}),
        ("POST", f"/api/kernels/{kernel.id}/restart", {}),
        ("DELETE", f"/api/kernels/{kernel.id}", None),
        ("PATCH", f"/api/sessions/{session['id']}", {"path": "other.ipynb"}),
        ("DELETE", f"/api/sessions/{session['id']}", None),
        ("POST", "/api/sessions", {"path": "no.ipynb", "type": "notebook", "kernel": spec}),
        ("POST", "/api/sessions", {"path": PATH, "notebook": {"path": "no.ipynb"}, "kernel": spec}),
        ("POST", "/api/sessions", [PATH]),
        ("POST", "/api/terminals", {}),
    ]

    for method, path, body in doors:
        assert "you are a viewer here" in refused(server, method, path, body), path
    for path in ("/terminals/websocket/1", "/lsp/ws/pylsp"):
        with pytest.raises(websocket.WebSocketBadStatusException, match=r"40[34]"):
            server.socket(path, "vera")

    joined = server.session(PATH, user="vera")
    assert joined["kernel"]["id"] == kernel.id
    assert kernel.run("40 + 2", cell="c2")["text"] == "42"


@pytest.mark.parametrize("v1", [True, False])
def test_the_kernel_hears_nothing_of_her(server: Jupyter, kernel: Kernel, v1: bool) -> None:
    kernel.run("x = 1")
    hers = server.connect(kernel.id, "vera", v1=v1)
    hers.send("kernel_info_request", {})
    kinds = [hers.receive()[1]["msg_type"]]
    while "kernel_info_reply" not in kinds:
        kinds.append(hers.receive()[1]["msg_type"])
    code = {"code": "x = 666", "silent": False, "expression": "x = 666"}
    for channel in ("shell", "control", "stdin"):
        for kind in ("execute_request", "debug_request", "complete_request", "shutdown_request"):
            hers.send(kind, code, channel=channel)
        hers.send("input_reply", {"value": "x = 666"}, channel=channel)
        hers.send("comm_open", {"comm_id": "1", "target_name": "x", "data": {}}, channel=channel)
    if v1:
        hers.send("any", code, header=b'{"msg_id": "MSG_ID", "msg_type": "execute\\u005frequest"}')

    said = hers.wait(hers.execute("x = 666"))

    assert (said["status"], said["ename"]) == ("error", "ReadOnly")
    assert "you are a viewer here" in said["evalue"]
    assert kernel.run("x")["text"] == "1"
    seen = hers.receive()
    while seen[1]["msg_type"] != "execute_result":
        seen = hers.receive()
    assert seen[3]["data"]["text/plain"] == "1"  # what others run, she sees
    hers.close()


def test_she_takes_nothing_that_waits_for_the_page_of_another(
    server: Jupyter, kernel: Kernel
) -> None:
    page = server.connect(kernel.id)
    page.close()
    hers = server.connect(kernel.id, "vera", session=page.session)
    back = server.connect(kernel.id, session=page.session)
    assert back.run("1 + 1")["text"] == "2"
    hers.close()
    back.close()


def test_of_our_own_routes_she_may_only_comment(server: Jupyter, kernel: Kernel) -> None:
    kernel.run("x = 1", cell="c1")
    made = server.request("POST", "/investigation/investigations", {"path": PATH})
    doors = [
        ("/investigation/investigations", {"title": "Hers"}),
        ("/investigation/investigations", {"path": PATH}),
        ("/investigation/review", {"path": PATH, "action": "request"}),
        ("/investigation/review", {"path": PATH, "action": "approve"}),
        ("/investigation/restore", {"path": PATH, "revision": 1}),
    ]
    for path, body in doors:
        assert "you are a viewer here" in refused(server, "POST", path, body), path
    for path in ("status", "investigations", f"state?path={PATH}", f"versions?path={PATH}"):
        server.request("GET", f"/investigation/{path}", user="vera")

    steps = until(lambda: server.broker().state(made["uid"])["steps"], "a run is recorded")
    cell = next(iter(steps.values()))["cell"]
    thread = server.request(
        "POST", "/investigation/comments", {"path": PATH, "text": "Why?", "cell": cell}, user="vera"
    )
    assert thread["comments"][0]["by"] == "user:vera"
    server.request(
        "POST",
        "/investigation/threads",
        {"path": PATH, "thread": thread["id"], "resolved": True},
        user="vera",
    )


def test_a_lead_gives_roles_and_archives_and_nobody_else(server: Jupyter) -> None:
    door = "/investigation/people"
    for user in ("alice", "vera"):
        with pytest.raises(RefusedError, match="403"):
            server.request("POST", door, {"name": "vera", "role": "lead"}, user=user)
    for body, code in (
        ({"name": "lea", "role": "viewer"}, "own_role"),
        ({"name": "nobody", "role": "viewer"}, "no_person"),
        ({"name": "vera", "role": "king"}, "bad_input"),
        ({"role": "viewer"}, "bad_input"),
    ):
        with pytest.raises(RefusedError) as caught:
            server.request("POST", door, body, user="lea")
        assert caught.value.body["error"]["code"] == code
    told = {one["name"]: one["role"] for one in server.request("GET", door, user="vera")}
    assert (told["lea"], told["vera"]) == ("lead", "viewer")

    archive = {"path": PATH, "action": "archive"}
    with pytest.raises(RefusedError, match="only a lead may archive a review"):
        server.request("POST", "/investigation/review", archive)
    with pytest.raises(RefusedError, match="cannot be archived"):  # but she might
        server.request("POST", "/investigation/review", archive, user="lea")


def test_the_record_and_the_others_see_with_which_role_somebody_acts(
    server: Jupyter, alice: Editor, kernel: Kernel
) -> None:
    kernel.run("1")

    def of_it() -> list[Any]:
        return [one for one in server.broker().investigations() if one["notebook"] == PATH]

    (found,) = until(of_it, "its first run opened it")
    say = {"path": PATH, "type": "note.added", "data": {"text": "I lead"}}
    server.request("POST", "/investigation/record", say, user="lea")

    def known() -> dict[str, str]:
        return server.broker().state(found["uid"])["participants"]

    wanted = {"user:alice": "responder", "user:lea": "lead", "user:vera": "viewer"}
    until(lambda: wanted.items() <= known().items(), "all roles are on record")

    vera = Editor(server, PATH, "vera")
    forged = Awareness(Doc())
    forged.set_local_state({"user": {"username": "lea", "role": "lead"}})
    vera.tell(create_awareness_message(forged.encode_awareness_update([forged.client_id])))
    until(lambda: forged.client_id in alice.present(), "alice sees somebody")
    shown = alice.present()[forged.client_id]["user"]
    assert (shown["username"], shown["role"]) == ("vera", "viewer")
    vera.close()


def test_who_becomes_a_viewer_is_one_at_once(server: Jupyter) -> None:
    people = People(server.home / "config" / FILE_NAME)
    server.tokens["max"] = people.add("max")
    editor = Editor(server, PATH, "max")
    editor.type(0, "  # max was here")
    until(lambda: "max was here" in (server.root / PATH).read_text(), "max may edit")

    server.request("POST", "/investigation/people", {"name": "max", "role": "viewer"}, user="lea")
    editor.type(0, "  # and again")

    other = Editor(server, PATH)
    other.type(0, "  # done")
    until(lambda: "# done" in (server.root / PATH).read_text(), "it is saved")
    assert "and again" not in (server.root / PATH).read_text()
    with pytest.raises(RefusedError, match="403"):
        server.request("POST", "/api/kernels", {}, user="max")
    for one in (editor, other):
        one.close()


def test_two_browsers_of_nobody_in_particular_approve_nothing(tmp_path: Any) -> None:
    with jupyter(tmp_path, rtc=False, tokens={"alice": "for-all"}, config=ONE_TOKEN) as server:
        server.save("own.ipynb", notebook("1"))
        kernel = server.kernel("own.ipynb")
        kernel.run("1")
        stream = server.socket("/investigation/stream?path=own.ipynb")
        told = json.loads(stream.recv())
        stream.close()
        assert told["me"]["role"] == "lead"  # nobody gave roles
        assert not {"approve", "people"} & set(told["me"]["may"])
        with pytest.raises(RefusedError, match="no people of its own"):
            server.request("POST", "/investigation/people", {"name": "x", "role": "lead"})
        server.request("POST", "/investigation/review", {"path": "own.ipynb", "action": "request"})
        with pytest.raises(RefusedError) as caught:
            server.request(
                "POST", "/investigation/review", {"path": "own.ipynb", "action": "approve"}
            )
    said = caught.value.body["error"]
    assert "does not know who you are" in said["message"]
    assert "jupyter investigation people add" in said["hint"]


ONE_TOKEN = 'c.IdentityProvider.token = "for-all"'
