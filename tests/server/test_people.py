"""Several people on one server: the people file, from the command line to the websockets."""

from __future__ import annotations

import http.cookiejar
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import websocket
from pycrdt import Awareness, Doc, create_awareness_message

from tests.support.editor import Editor
from tests.support.jupyter import ANSWER_SECONDS, Jupyter, RefusedError, jupyter, notebook
from tests.support.waiting import until
from workspace_ext.access.people import FILE_NAME, People


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A server with a people file, and a shared token that must not count."""
    where = tmp_path_factory.mktemp("people")
    people = People(where / "home" / "config" / FILE_NAME)
    tokens = {name: people.add(name, display_name=f"{name.title()} X") for name in ("alice", "bob")}
    config = 'c.IdentityProvider.token = "for-all"'
    with jupyter(where, rtc=True, tokens=tokens, config=config) as running:
        yield running


def people_of(server: Jupyter) -> People:
    return People(server.home / "config" / FILE_NAME)


def status(server: Jupyter, token: str) -> int:
    request = urllib.request.Request(
        f"{server.url}/api/contents", headers={"Authorization": f"token {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def browser(server: Jupyter) -> urllib.request.OpenerDirector:
    """Keeps cookies, and comes with no token of its own."""
    jar = http.cookiejar.CookieJar()
    return urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))


def test_everybody_is_who_their_token_says_and_nobody_else(server: Jupyter) -> None:
    alice = server.request("GET", "/api/me")["identity"]

    assert (alice["username"], alice["display_name"], alice["initials"]) == (
        "alice",
        "Alice X",
        "AX",
    )
    wrong = ["", "for-all", "alice", "alice.", ".", "alice.wrong", "nobody.wrong", "é.\x7f"]
    crossed = f"bob.{server.tokens['alice'].rpartition('.')[2]}"
    assert [status(server, token) for token in (*wrong[1:-1], crossed)] == [403] * 7
    with pytest.raises(RefusedError, match="403"):
        server.request("GET", "/api/contents", user=None)
    assert "jupyter investigation people" in server.log.read_text()


def xsrf_of(opener: urllib.request.OpenerDirector, server: Jupyter) -> str:
    page = opener.open(f"{server.url}/login", timeout=ANSWER_SECONDS).read().decode()
    return str(page.split('name="_xsrf" value="')[1].split('"')[0])


def test_a_link_and_the_login_page_log_a_browser_in_by_cookie(server: Jupyter) -> None:
    by_link = browser(server)
    link = f"{server.url}/api/me?{urlencode({'token': server.tokens['bob']})}"
    by_link.open(link, timeout=ANSWER_SECONDS).close()
    me = json.loads(by_link.open(f"{server.url}/api/me", timeout=ANSWER_SECONDS).read())
    assert me["identity"]["username"] == "bob"

    by_form = browser(server)
    form = {
        "_xsrf": xsrf_of(by_form, server),
        "password": server.tokens["alice"],
        "next": "/api/me",
    }
    sent = by_form.open(f"{server.url}/login", urlencode(form).encode(), timeout=ANSWER_SECONDS)
    assert json.loads(sent.read())["identity"]["username"] == "alice"

    wrong = browser(server)
    form = {"_xsrf": xsrf_of(wrong, server), "password": "for-all"}
    with pytest.raises(urllib.error.HTTPError, match="401"):
        wrong.open(f"{server.url}/login", urlencode(form).encode(), timeout=ANSWER_SECONDS)


@pytest.mark.parametrize("field", ["name", "display_name", "username", "initials", "color"])
def test_nobody_renames_themselves(server: Jupyter, field: str) -> None:
    before = server.request("GET", "/api/me")

    with pytest.raises(RefusedError) as refused:
        server.request("PATCH", "/api/me", {field: "Bob X"})

    assert refused.value.status == 400
    assert server.request("GET", "/api/me") == before
    assert before["permissions"]["updatable_fields"] == []


def test_the_runs_of_two_people_are_recorded_under_their_own_names(server: Jupyter) -> None:
    server.save("two.ipynb", notebook("1", "2"))
    alice = server.kernel("two.ipynb")
    bob = server.connect(alice.id, "bob")
    first, second = alice.run("1"), bob.run("2", cell="c2")  # both lie about who sends it

    def steps() -> dict[str, str]:
        found = [i for i in server.broker().investigations() if i["notebook"] == "two.ipynb"]
        all_steps = server.broker().state(found[0]["uid"])["steps"] if found else {}
        return {one["id"]: one["by"] for one in all_steps.values()}

    until(lambda: len(steps()) == 2, "both runs are recorded")
    assert steps() == {first["run"]: "user:alice", second["run"]: "user:bob"}


def test_who_is_shown_as_present_is_the_servers_word(server: Jupyter) -> None:
    server.save("seen.ipynb", notebook("1"))
    alice, bob = Editor(server, "seen.ipynb"), Editor(server, "seen.ipynb", "bob")
    mine, forged = Awareness(Doc()), Awareness(Doc())
    for awareness, name in ((mine, "alice"), (forged, "root")):
        awareness.set_local_state({"user": {"username": name, "name": name, "color": "red"}})

    bob.tell(create_awareness_message(mine.encode_awareness_update([mine.client_id])))
    bob.tell(b"\x01\xff\xff")  # no message at all
    until(lambda: mine.client_id in alice.present(), "alice sees somebody")

    shown = alice.present()[mine.client_id]["user"]
    assert (shown["username"], shown["name"], shown["display_name"]) == ("bob", "Bob X", "Bob X")
    assert shown["color"] == "red"
    mine.set_local_state({"user": {"username": "bob"}, "cursor": "moved by alice"})
    alice.tell(create_awareness_message(mine.encode_awareness_update([mine.client_id])))
    alice.tell(create_awareness_message(forged.encode_awareness_update([forged.client_id])))
    until(lambda: forged.client_id in bob.present(), "bob sees somebody")
    assert bob.present()[forged.client_id]["user"]["username"] == "alice"
    his = bob.present()[mine.client_id]  # nobody moves somebody else's cursor
    assert (his["user"]["username"], "cursor" in his) == ("bob", False)
    for editor in (alice, bob):
        editor.close()


def test_somebody_who_is_removed_is_out_at_once(server: Jupyter) -> None:
    people = people_of(server)
    server.tokens["eve"] = people.add("eve")
    assert status(server, server.tokens["eve"]) == 200  # a server that runs learns of her
    server.save("gone.ipynb", notebook("1"))
    kernel = server.kernel("gone.ipynb", user="eve")
    kernel.run("x = 1")
    editor = Editor(server, "gone.ipynb", "eve")
    stream = server.socket("/investigation/stream?path=gone.ipynb", "eve")
    events = server.socket("/api/events/subscribe", "eve")
    opener = browser(server)
    opener.open(f"{server.url}/api/me?token={server.tokens['eve']}", timeout=ANSWER_SECONDS).close()
    stays = server.connect(kernel.id, "alice")

    people.remove("eve")

    assert status(server, server.tokens["eve"]) == 403
    with pytest.raises(urllib.error.HTTPError, match="403"):
        opener.open(f"{server.url}/api/me", timeout=ANSWER_SECONDS)
    for closes in (stream.recv, events.recv, kernel.receive):
        until(lambda closes=closes: ended(closes), "the websocket is closed")
    until(lambda: not editor.listens(), "the shared document is closed")
    assert stays.run("x")["text"] == "1"
    server.tokens["eve"] = people.add("eve")  # somebody else of that name
    with pytest.raises(urllib.error.HTTPError, match="403"):
        opener.open(f"{server.url}/api/me", timeout=ANSWER_SECONDS)


def test_a_people_file_that_is_none_lets_nobody_in(server: Jupyter) -> None:
    file = people_of(server).path
    before = file.read_bytes()
    try:
        for broken in (b"", b"[]", b'{"schema": 2, "people": {}}', b'{"schema": 1, "people": [1]}'):
            file.write_bytes(broken)
            assert status(server, server.tokens["alice"]) == 403
    finally:
        file.write_bytes(before)
    assert status(server, server.tokens["alice"]) == 200


def test_behind_jupyterhub_or_another_provider_the_file_is_not_used(tmp_path: Path) -> None:
    home = tmp_path / "home"
    People(home / "config" / FILE_NAME).add("alice")
    hub = {"JUPYTERHUB_API_TOKEN": "t", "JUPYTERHUB_SERVICE_PREFIX": "/user/alice/"}
    with jupyter(tmp_path, home=home) as other:  # its own table of people
        assert other.request("GET", "/api/me")["identity"]["display_name"] == "Alice"
    shared = 'c.IdentityProvider.token = "for-all"'
    tokens = {"alice": "for-all"}
    with jupyter(tmp_path / "hub", home=home, tokens=tokens, config=shared, env=hub) as server:
        assert server.request("GET", "/api/me")["identity"]["username"] != "alice"
        assert "JupyterHub tells who is who" in server.log.read_text()


def ended(receive: object) -> bool:
    try:
        receive()  # type: ignore[operator]
    except TimeoutError:
        return False
    except (websocket.WebSocketException, OSError):
        return True
    except (ValueError, TypeError):
        return True  # the close frame, which is no message
    return False
