"""What is recorded of what people run, with real kernels and JupyterLab's own protocol."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.jupyter import Jupyter, notebook
from tests.support.waiting import until
from workspace_ext.foundation.canonical import digest_json, digest_text

STAMP = "get_ipython().kernel.get_parent('shell')"


def uid_of(server: Jupyter, path: str) -> str:
    def find() -> list[dict[str, Any]]:
        return [one for one in server.broker().investigations() if one["notebook"] == path]

    (found,) = until(find, f"an investigation of {path}")
    return str(found["uid"])


def steps(server: Jupyter, path: str, count: int) -> list[dict[str, Any]]:
    """The steps recorded for a notebook, once there are so many, and all have ended."""
    uid = uid_of(server, path)

    def ended() -> list[dict[str, Any]]:
        found: list[Any] = list(server.broker().state(uid)["steps"].values())
        return found if len(found) >= count and all(step["ended"] for step in found) else []

    found: list[dict[str, Any]] = until(ended, f"{count} steps of {path}")
    assert len(found) == count
    return found


def test_the_first_run_opens_an_investigation_and_is_its_first_step(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    plain.save(path, notebook("1 + 1"))

    kernel = plain.kernel(path)
    done = kernel.run("1 + 1")

    (step,) = steps(plain, path, 1)
    state = plain.broker().state(uid_of(plain, path))
    assert state["title"] == path.removesuffix(".ipynb").replace("-", " ")
    assert state["participants"] == {"user:alice": "lead"}
    assert (step["id"], step["cell"], step["by"]) == (done["run"], "c1", "user:alice")
    assert (step["status"], step["kernel"]) == ("ok", kernel.id)
    assert step["source_digest"] == digest_text("1 + 1")


def test_the_kernel_is_told_who_and_what_by_the_server_alone(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    plain.save(path, notebook("x"))
    kernel = plain.kernel(path, user="bob")

    done = kernel.run(
        f"import json; print(json.dumps([{STAMP}['header']['username'], {STAMP}['metadata']]))",
        username="alice",
        metadata={"investigation": {"uid": "forged", "cell": "forged", "user": "alice"}},
    )

    username, metadata = json.loads(done["text"])
    assert username == "bob"
    assert metadata["investigation"] == {
        "uid": uid_of(plain, path),
        "cell": "c1",
        "user": "bob",
    }


@pytest.mark.parametrize("trick", ["control channel", "escaped type"])
def test_tricks_to_run_code_unseen_are_seen(
    plain: Jupyter, name: Callable[[], str], trick: str
) -> None:
    path = f"{trick.replace(' ', '-')}-{name()}"
    plain.save(path, notebook("x"))
    kernel = plain.kernel(path, user="bob")
    if trick == "control channel":
        run = kernel.execute("x = 42", channel="control", username="alice")
    else:
        header = (
            b'{"msg_id": "MSG_ID", "msg_type": "execute\\u005frequest", "username": "alice",'
            b' "session": "s", "date": "2026-01-01T00:00:00Z", "version": "5.4"}'
        )
        run = kernel.execute("x = 42", header=header)
    kernel.wait(run)
    assert kernel.run("x")["text"] == "42"

    step = next(step for step in steps(plain, path, 2) if step["id"] == run)

    assert (step["by"], step["status"]) == ("user:bob", "ok")


def test_odd_metadata_stops_no_run(plain: Jupyter, name: Callable[[], str]) -> None:
    path = name()
    plain.save(path, notebook("x"))
    kernel = plain.kernel(path)
    odd = {"half": "\ud800", "number": float("nan"), "cellId": ["no", "text"]}

    done = kernel.run("40 + 2", metadata=odd)

    assert done["text"] == "42"
    (step,) = steps(plain, path, 1)
    assert step["id"] == done["run"]


def test_errors_and_what_they_abort_are_told_apart(plain: Jupyter, name: Callable[[], str]) -> None:
    path = name()
    plain.save(path, notebook("a", "b", "c"))
    kernel = plain.kernel(path)
    bad = "import time; time.sleep(1); 1 / 0"  # what is to be aborted has come by then
    runs = [kernel.execute("1"), kernel.execute(bad, cell="c2"), kernel.execute("2", cell="c3")]
    kernel.wait(runs[-1])

    found = {step["id"]: step for step in steps(plain, path, 3)}

    assert [found[run]["status"] for run in runs] == ["ok", "error", "aborted"]
    assert found[runs[1]]["error"] == "ZeroDivisionError: division by zero"
    starts = [found[run]["started"] for run in runs]
    assert starts == sorted(starts)


def test_two_people_on_one_kernel_are_two_people(plain: Jupyter, name: Callable[[], str]) -> None:
    path = name()
    plain.save(path, notebook("a", "b"))
    alice = plain.kernel(path)
    bob = plain.connect(alice.id, "bob")
    first, second = alice.run("1"), bob.run("2", cell="c2")

    by = {step["id"]: step["by"] for step in steps(plain, path, 2)}

    assert by == {first["run"]: "user:alice", second["run"]: "user:bob"}


def test_a_run_whose_browser_left_is_recorded_to_its_end(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    plain.save(path, notebook("a", "b"))
    kernel = plain.kernel(path)
    kernel.run("import time")
    good = kernel.execute("time.sleep(0.5)")
    bad = kernel.execute("time.sleep(0.5); nonsense", cell="c2")
    kernel.close()

    found = {step["id"]: step for step in steps(plain, path, 3)}

    assert found[good]["status"] == "ok"
    assert found[bad]["status"] == "error"
    assert "NameError" in found[bad]["error"]


def test_the_front_ends_own_requests_open_and_record_nothing(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    plain.save(path, notebook("a"))
    kernel = plain.kernel(path)
    for content in ({"silent": True, "store_history": False}, {"store_history": False}):
        kernel.run("1", content=content)

    assert not [one for one in plain.broker().investigations() if one["notebook"] == path]


def test_a_restart_ends_what_was_running_and_waiting(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    plain.save(path, notebook("a", "b"))
    kernel = plain.kernel(path)
    kernel.run("import time")
    running, waiting = kernel.execute("time.sleep(60)"), kernel.execute("1", cell="c2")
    uid = uid_of(plain, path)
    until(lambda: running in plain.broker().state(uid)["steps"], "the run is recorded")

    plain.request("POST", f"/api/kernels/{kernel.id}/restart")
    again = plain.connect(kernel.id)
    after = again.run("40 + 2")

    found = {step["id"]: step for step in steps(plain, path, 4)}
    assert [found[run]["status"] for run in (running, waiting)] == ["aborted", "aborted"]
    assert found[running]["error"] == "the kernel was restarted"
    assert (found[after["run"]]["status"], after["text"]) == ("ok", "42")


def test_a_kernel_that_dies_ends_its_run(plain: Jupyter, name: Callable[[], str]) -> None:
    path = name()
    plain.save(path, notebook("a"))
    kernel = plain.kernel(path)
    kernel.execute("import os; os._exit(1)")

    (step,) = steps(plain, path, 1)

    assert (step["status"], step["error"]) == ("aborted", "the kernel died and was started again")


def test_the_older_json_protocol_is_recorded_as_well(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    plain.save(path, notebook("a"))
    kernel_id = plain.session(path)["kernel"]["id"]
    kernel = plain.connect(kernel_id, "bob", v1=False)
    done = kernel.run(f"print({STAMP}['header']['username'])")

    (step,) = steps(plain, path, 1)

    assert (step["id"], step["by"], done["text"].strip()) == (done["run"], "user:bob", "bob")


def test_a_query_is_joined_to_its_run_and_its_person(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    plain.save(path, notebook("a"))
    kernel = plain.kernel(path, user="alice")
    bob = plain.connect(kernel.id, "bob")

    done = bob.run("investigation.sql('SELECT count(*) AS n FROM spans'); None")

    assert done["status"] == "ok", done
    (step,) = steps(plain, path, 1)
    uid = uid_of(plain, path)
    (query,) = plain.broker().state(uid)["queries"].values()
    assert (query["run"], query["cell"], step["queries"]) == (done["run"], "c1", [query["id"]])
    (entry,) = [one for one in plain.broker().entries(uid) if one["type"] == "query.answered"]
    assert (entry["actor"], entry["on_behalf_of"]) == (f"kernel:{kernel.id}", "user:bob")


def test_an_ordinary_notebook_is_left_alone_until_it_is_adopted(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    content = notebook("1", kernel="python3")
    content["cells"][0]["metadata"]["investigation"] = {"uid": "from elsewhere"}
    plain.save(path, content)
    before = (plain.root / path).read_bytes()
    kernel = plain.kernel(path, kernel="python3")

    done = kernel.run(f"print({STAMP}['metadata'].get('investigation'))")
    plain.save(path, content)

    assert done["text"].strip() == "None"
    assert (plain.root / path).read_bytes() == before
    assert not [one for one in plain.broker().investigations() if one["notebook"] == path]

    adopted = plain.request("POST", "/investigation/investigations", {"path": path}, user="bob")
    done = kernel.run("2")

    (step,) = steps(plain, path, 1)
    assert (step["id"], adopted) == (done["run"], {"path": path, "uid": uid_of(plain, path)})
    assert plain.request("POST", "/investigation/investigations", {"path": path}) == adopted


def test_every_kernel_gets_access_and_none_the_path_of_the_store(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    plain.save(path, notebook("1", kernel="python3"))
    kernel = plain.kernel(path, kernel="python3")

    done = kernel.run(
        "import os; print(sorted(n for n in os.environ if n.startswith('INVESTIGATION_')))"
    )

    assert done["text"].strip() == "['INVESTIGATION_BROKER', 'INVESTIGATION_TOKEN']"


def test_browsers_that_open_a_notebook_at_once_get_one_kernel(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    plain.save(path, notebook("1"))
    kernels: list[str] = []
    people = ["alice", "bob", "alice", "bob"]
    threads = [
        threading.Thread(
            target=lambda user=user: kernels.append(plain.session(path, user=user)["kernel"]["id"])
        )
        for user in people
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(kernels) == len(people)
    assert len(set(kernels)) == 1


def test_what_text_cells_say_is_recorded_with_each_save(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    content = notebook("print('a'); print('b')", "1 / 0")
    text = {"cell_type": "markdown", "id": "t1", "metadata": {}}
    content["cells"].append({**text, "source": "**Hypothesis:** it is slow\nPrediction: waits"})
    plain.save(path, content)
    kernel = plain.kernel(path)
    kernel.run("print('a'); print('b')")  # from here on it is an investigation
    uid, broker = uid_of(plain, path), plain.broker()
    for _ in range(3):
        plain.save(path, content)
    until(lambda: broker.state(uid)["hypotheses"], "the claim is recorded")
    content["cells"][-1] = {**text, "source": "**Finding:** it is slow"}
    plain.save(path, content)
    until(lambda: broker.state(uid)["notes"], "the finding is recorded")
    kernel.run("print('a'); print('b')")  # by now the server hears all that the kernel says

    state = broker.state(uid)
    (claim,) = state["hypotheses"].values()
    assert (claim["text"], claim["prediction"], claim["cell"]) == ("it is slow", "waits", "t1")
    assert claim["by"] == "user:alice"
    kinds = [entry["type"] for entry in broker.entries(uid)]
    assert (kinds.count("hypothesis.proposed"), kinds.count("finding.added")) == (1, 1)
    _, step = steps(plain, path, 2)
    shown = [{"output_type": "stream", "name": "stdout", "text": "a\nb\n"}]
    assert step["outputs_digest"] == digest_json(shown)
    assert step["duration_ms"] >= 0
