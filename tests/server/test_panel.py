"""What the panel and the data panel ask of the server, and what they may say."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.server.test_routes import ALL, refused
from tests.support.jupyter import ANSWER_SECONDS, Jupyter, RefusedError
from tests.support.people import TOKENS
from workspace_ext.inquiry.metadata.notebook import read_uid
from workspace_ext.protocol.validation import validate

RECORD = "/investigation/record"
WINDOW = {"start": "2026-01-01T03:00:00Z", "end": "2026-01-01T04:00:00Z"}


@pytest.fixture
def made(plain: Jupyter, name: Callable[[], str]) -> dict[str, str]:
    """An investigation of alice's."""
    found: dict[str, str] = plain.request("POST", ALL, {"title": f"Panel {name()}"}, user="alice")
    return found


def test_an_investigation_begins_with_its_scope_agenda_and_first_cells(plain: Jupyter) -> None:
    wanted = {
        "title": "Cart {{scope}} is slow",
        "severity": "SEV2",
        "services": ["cart", "checkout"],
        "window": WINDOW,
        "baseline": {"start": "2026-01-01T02:00:00Z", "end": "2026-01-01T03:00:00Z"},
        "pin": 0,
    }
    validate("messages", wanted, definition="NewInvestigation")
    made = plain.request("POST", ALL, wanted, user="bob")
    state = plain.broker().state(made["uid"])
    validate("messages", state, definition="InvestigationState")
    assert (state["window"], state["services"], state["pin"]) == (WINDOW, wanted["services"], 0)
    agenda = state["agenda"]
    assert agenda is not None
    assert [item["minutes"] for item in agenda["items"]] == [5, 10, 20, 10, 5]

    notebook = plain.read(made["path"])
    sources = ["".join(cell["source"]) for cell in notebook["cells"]]
    assert sources[0].startswith("# Cart {{scope}} is slow\n")
    assert "| Lead | bob |" in sources[0]
    assert 'services=["cart", "checkout"]' in sources[2]
    assert '    window="2026-01-01T03:00:00Z/2026-01-01T04:00:00Z",' in sources[2]
    assert 'investigation.run("triage.overview")' in sources[4]
    assert set(notebook["metadata"]) == {"kernelspec", "language_info", "investigation"}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            compile("".join(cell["source"]), "cell", "exec")


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ({"window": {"start": WINDOW["end"], "end": WINDOW["start"]}}, "bad_window"),
        ({"window": "yesterday"}, "bad_window"),
        ({"services": [""]}, "bad_message"),
        ({"pin": 10**9}, "bad_pin"),
        ({"pin": "newest"}, "bad_message"),
        ({"colour": "red"}, "bad_input"),
    ],
)
def test_a_wrong_scope_makes_nothing(plain: Jupyter, scope: dict[str, Any], code: str) -> None:
    before = plain.files()
    status, error = refused(plain, "POST", ALL, {"title": "Wrong", **scope})
    assert (status, error["code"]) == (400, code)
    assert plain.files() == before


def test_what_is_said_in_the_panel_has_the_server_s_word_for_who(
    plain: Jupyter, made: dict[str, str]
) -> None:
    def say(kind: str, rationale: str = "", *, user: str = "bob", **data: Any) -> Any:
        body = {"path": made["path"], "type": kind, "data": data, "rationale": rationale}
        validate("messages", body, definition="RecordIn")
        return plain.request("POST", RECORD, {**body, "actor": "user:mallory"}, user=user)

    claim = next(iter(say("hypothesis.proposed", text="The pool is full")["hypotheses"].values()))
    assert (claim["by"], claim["state"]) == ("user:bob", "proposed")
    judged = say("hypothesis.changed", "it never fills", hypothesis=claim["id"], state="refuted")
    assert judged["hypotheses"][claim["id"]]["why"] == "it never fills"
    entries = plain.broker().entries(made["uid"])
    assert [e["data"]["state"] for e in entries if e["type"] == "hypothesis.changed"] == [
        "testing",
        "refuted",
    ]

    action = next(iter(say("action.added", text="Roll back", owner="carol")["actions"].values()))
    done = say("action.changed", user="alice", action=action["id"], done=True)["actions"]
    told = done[action["id"]]
    assert (told["owner"], told["done"], told["done_by"]) == ("carol", True, "user:alice")
    first = plain.broker().state(made["uid"])["agenda"]
    assert first is not None
    agenda = say("agenda.changed", current=first["items"][0]["id"])["agenda"]
    assert (agenda["by"], agenda["since"] is not None) == ("user:bob", True)

    body = {"path": made["path"], "type": "note.added", "data": {"text": "hm"}}
    assert refused(plain, "POST", RECORD, body, user="carol")[0] == 403


def test_what_is_said_again_is_on_record_once(plain: Jupyter, made: dict[str, str]) -> None:
    def say(user: str, said: object, kind: str = "note.added", **data: Any) -> Any:
        body = {"path": made["path"], "type": kind, "data": data, "rationale": "so", "id": said}
        return plain.request("POST", RECORD, body, user=user)

    id_ = "12345678-1234-1234-1234-123456789012"
    assert say("bob", id_, text="hm")["notes"]
    assert not say("bob", id_, text="hm").get("notes")  # its answer was lost, so it came again
    say("alice", id_, text="hm")  # somebody else's is another one
    say("bob", id_[::-1], text="hm")
    notes = plain.broker().state(made["uid"])["notes"]
    assert sorted(note["by"] for note in notes.values()) == ["user:alice", "user:bob", "user:bob"]

    claim = next(iter(say("bob", "1", "hypothesis.proposed", text="Full")["hypotheses"]))
    for _ in range(2):
        say("bob", "2", "hypothesis.changed", hypothesis=claim, state="refuted")
    assert plain.broker().state(made["uid"])["hypotheses"][claim]["state"] == "refuted"
    with pytest.raises(RefusedError) as refusal:
        say("bob", 3, text="hm")
    assert refusal.value.status == 400


def test_a_new_investigation_that_is_wished_again_is_one(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    title = f"Wished {name()}"

    def wish(user: str, wished: object) -> Any:
        return plain.request("POST", ALL, {"title": title, "id": wished}, user=user)

    id_ = "abcdef12-1234-1234-1234-123456789012"
    made = wish("bob", id_)
    assert wish("bob", id_) == made  # its answer was lost, so it came again
    others = [wish("alice", id_), wish("bob", id_[::-1]), wish("bob", "")]
    assert len({one["uid"] for one in (made, *others)}) == 4
    assert len({one["path"] for one in (made, *others)}) == 4

    (plain.root / made["path"]).unlink()  # as if the server had ended before it was written
    assert wish("bob", id_) == made
    assert read_uid(plain.read(made["path"])) == made["uid"]
    types = [entry["type"] for entry in plain.broker().entries(made["uid"])]
    assert (types.count("investigation.opened"), types.count("agenda.changed")) == (1, 1)

    plain.request("PATCH", f"/api/contents/{made['path']}", {"path": "wished-moved.ipynb"})
    assert wish("bob", id_) == {"path": "wished-moved.ipynb", "uid": made["uid"]}
    with pytest.raises(RefusedError) as refusal:
        wish("bob", 3)
    assert refusal.value.status == 400


def test_who_logs_in_again_comes_to_a_page_that_says_so(plain: Jupyter) -> None:
    asked = urllib.request.Request(f"{plain.url}/investigation/welcome")
    with urllib.request.urlopen(asked) as answer:
        assert "/login?next=%2Finvestigation%2Fwelcome" in answer.url
    asked.add_header("Authorization", f"token {plain.tokens['alice']}")
    with urllib.request.urlopen(asked) as answer:
        assert "You are logged in as" in answer.read().decode()


def test_the_pin_is_moved_for_a_reason_and_from_where_it_is(
    plain: Jupyter, made: dict[str, str]
) -> None:
    _load_sample(plain, "alice")
    pin = plain.broker().state(made["uid"])["pin"]
    newest = plain.broker().catalog()["pin"]
    body = {"path": made["path"], "type": "investigation.pinned"}
    move = {**body, "data": {"pin": newest, "from": pin}}
    assert refused(plain, "POST", RECORD, move)[1]["code"] == "no_rationale"
    why = {"rationale": "the deploy is in now"}
    moved = plain.request("POST", RECORD, {**move, **why}, user="bob")
    if newest != pin:  # where another test loaded the sample first, it moves to where it is
        assert moved["pinned"]["why"] == "the deploy is in now"
        status, error = refused(plain, "POST", RECORD, {**move, **why}, user="alice")
        assert (status, error["code"]) == (409, "pin_moved")
        assert "bob moved the pin" in error["message"]
        assert "the deploy is in now" in error["message"]


def test_wrong_words_are_named(plain: Jupyter, made: dict[str, str]) -> None:
    at = {"path": made["path"]}
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"path": "", "type": "note.added", "data": {}}, "no path"),
        ({**at, "type": "run.started", "data": {}}, "nothing that is said"),
        ({**at, "data": {}}, "nothing that is said"),
        ({**at, "type": "note.added", "data": []}, "data must be"),
        ({**at, "type": "note.added", "data": {"text": ""}}, "text"),
        ({**at, "type": "action.changed", "data": {"action": "x", "done": True}}, "no action 'x'"),
        ({**at, "type": "agenda.changed", "data": {"current": "x"}}, "no item 'x'"),
        (
            {
                **at,
                "type": "hypothesis.changed",
                "data": {"hypothesis": "h", "state": "refuted"},
                "rationale": "so",
            },
            "no hypothesis 'h'",
        ),
    )
    for body, message in wrong:
        status, error = refused(plain, "POST", RECORD, body)
        assert status in (400, 404)
        assert message in error["message"]


def test_the_sample_incident_and_what_is_in_the_store(plain: Jupyter) -> None:
    lines = _load_sample(plain, "alice")
    assert lines[-1]["loaded"]["severity"] == "high"
    validate("messages", lines[-1]["loaded"], definition="NewInvestigation")
    told = [line["done"] for line in lines[:-1]]
    assert told == sorted(told)

    catalogue = plain.request("GET", "/investigation/catalog", user="carol")
    validate("messages", catalogue, definition="Catalogue")
    assert "ts-basic-service" in catalogue["services"]
    overview = plain.request("GET", "/investigation/data", user="carol")
    validate("messages", overview, definition="DataOverview")
    assert overview["signals"]["spans"]["rows"] > 0
    assert plain.request("GET", "/investigation/quality", user="carol")["window"]
    rules = plain.request("GET", "/investigation/rules", user="carol")
    validate("messages", rules, definition="Rules")
    assert "refuted" in rules["reachable"]["proposed"]
    for one in plain.request("GET", "/investigation/happenings?pin=1"):
        validate("messages", one, definition="Happening")
    assert refused(plain, "GET", "/investigation/happenings?pin=x")[0] == 400
    assert refused(plain, "GET", "/investigation/happenings?window=now")[1]["code"] == "bad_window"
    assert refused(plain, "POST", "/investigation/sample", {}, user="carol")[0] == 403


def _load_sample(server: Jupyter, user: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"token {TOKENS[user]}"}
    request = urllib.request.Request(
        f"{server.url}/investigation/sample", data=b"{}", headers=headers, method="POST"
    )
    with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:
        return [json.loads(line) for line in response]
