"""Behind a real JupyterHub: it says who is who, and its groups say who may do what."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.editor import Editor
from tests.support.hub import HubServer, hub
from tests.support.jupyter import RefusedError, notebook
from tests.support.notebook_page import NotebookPage
from tests.support.waiting import until
from workspace_ext.access.people import FILE_NAME, People

GROUPS = {
    "investigation-leads": ["lea"],
    "investigation-viewers": ["lea", "vera"],
    "others": ["bob"],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    where = tmp_path_factory.mktemp("hub")
    People(where / "ada" / "config" / FILE_NAME).add("eve")  # does not count here
    with hub(where, "ada", GROUPS, ["ada", "bob", "lea", "vera"]) as running:
        running.save("joint.ipynb", notebook("1"), user="ada")
        yield running


@pytest.mark.parametrize(("name", "role"), [("ada", "lead"), ("bob", "responder"), ("lea", "lead")])
def test_the_hub_says_who_is_who_and_their_role(server: HubServer, name: str, role: str) -> None:
    stream = server.socket("/investigation/stream?path=joint.ipynb", name)
    me = json.loads(stream.recv())["me"]
    stream.close()
    assert (me["name"], me["role"]) == (name, role)
    assert "edit" in me["may"]
    with pytest.raises(RefusedError, match="400"):
        server.request("PATCH", "/api/me", {"name": "Somebody else"}, user=name)


def test_a_viewer_of_the_hub_changes_nothing(server: HubServer) -> None:
    ada, vera = Editor(server, "joint.ipynb", "ada"), Editor(server, "joint.ipynb", "vera")
    vera.type(0, " # by vera")
    vera.settle()
    ada.type(0, " # by ada")
    until(lambda: "by ada" in vera.read()["cells"][0]["source"], "vera sees it")
    assert "by vera" not in ada.read()["cells"][0]["source"]
    for method, path in (("PUT", "/api/contents/x.txt"), ("POST", "/api/kernels")):
        with pytest.raises(RefusedError, match="you are a viewer here"):
            server.request(method, path, {}, user="vera")
    ada.close()
    vera.close()


def test_a_token_of_another_kind_opens_nothing(server: HubServer) -> None:
    server.tokens["eve"] = People(server.home / "config" / FILE_NAME).add("eve2")
    with pytest.raises(RefusedError, match="403"):
        server.request("GET", "/api/contents", user="eve")


@pytest.mark.browser
def test_who_logs_in_at_the_hub_is_named_by_it_in_the_record(server: HubServer, page: Page) -> None:
    server.save("browser.ipynb", notebook("6 * 7"), user="ada")
    page.goto(f"{server.url}/lab/tree/browser.ipynb?reset")
    page.get_by_label("Username").fill("lea")
    page.get_by_label("Password").fill("none")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Authorize").click()  # it is ada's server
    opened = NotebookPage(page)
    opened.wait_for_kernel()
    opened.run(0)
    opened.show_panel()
    expect(opened.steps.first).to_contain_text("lea")
    expect(opened.panel).to_contain_text("lea (you, lead)")

    (found,) = [i for i in server.broker().investigations() if i["notebook"] == "browser.ipynb"]
    state = server.broker().state(found["uid"])
    assert state["participants"] == {"user:lea": "lead"}
    assert [step["by"] for step in state["steps"].values()] == ["user:lea"]


def test_who_is_removed_at_the_hub_loses_what_they_have_open(server: HubServer) -> None:
    bob, lea = Editor(server, "joint.ipynb", "bob"), Editor(server, "joint.ipynb", "lea")

    server.hub.request("DELETE", "/users/bob")

    until(lambda: not bob.listens(), "bob's connection is closed")
    with pytest.raises(RefusedError, match="403"):
        server.request("GET", "/api/contents", user="bob")
    assert lea.listens()
    lea.close()
