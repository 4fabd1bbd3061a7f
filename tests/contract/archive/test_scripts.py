"""Scripts beside the notebook: an archive carries the text that cells used, wherever it replays."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.archive import ALICE, cells_of, rewritten, several
from tests.support.broker import broker
from tests.support.validators import bag_problems, crate_problems, extracted
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.canonical import digest_text
from workspace_ext.inquiry.archive.auditor import PAYLOAD
from workspace_ext.inquiry.archive.container import CRATE, beside, script_path
from workspace_ext.inquiry.archive.model import ReplayReport
from workspace_ext.inquiry.archive.reader import Archive
from workspace_ext.inquiry.archive.replay import replay
from workspace_ext.inquiry.archive.texts import Texts
from workspace_ext.inquiry.headless.runner import run_notebook
from workspace_ext.protocol.events import event
from workspace_ext.storage.folder import StoreFolder

TOKEN = "mF9B5f41JqMAbcdefgh0123"
HELPERS = "from lib.common import BASE\n\n\ndef double(n):\n    return 2 * n + BASE\n"
NINEFOLD = HELPERS.replace("2 * n", "9 * n")  # as long as before: only its time tells them apart
SINCE = HELPERS.replace("2 * n", "7 * n")
SECRET = f'header = "Bearer {TOKEN}"\n'
OUTER = "outer = 1\n"
FILES = {
    "helpers.py": HELPERS,
    "lib/common.py": "BASE = 1\n",
    "plain.py": "made_here = 7\n",
    "large.py": f"large = 1\n#{'x' * 1_000_000}\n",
    "secret.py": SECRET,
}
CELLS = {
    "import": "import helpers\nhelpers.double(4)",
    "use": "helpers.double(5)",
    "run": "%run plain.py",
    "made": "made_here",
    "outer": "1 + 1",
    "large": "import large\nlarge.large",
}
ELSEWHERE = (
    *("../x.py", "/x.py", "a/../../x.py", "a/./x.py", "a//x.py", "..", "", "x.txt"),
    *("C:/x.py", "..\\x.py", "a.py/x.py", "a\0.py", "\ud800.py", f"{'x' * 300}.py"),
    "a/" * 600 + "x.py",
)
LATER_CELLS = {
    "again": "import importlib, helpers\nimportlib.reload(helpers)\nhelpers.double(4)",
    "secret": "import secret\nprint(secret.header[-4:], len(secret.header))",
}


@dataclass(frozen=True)
class Made:
    """An archive, made twice, and what went into it."""

    path: Path
    again: Path
    folder: Path
    used: dict[str, list[str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, _kernels: None) -> Made:
    folder = tmp_path_factory.mktemp("beside")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    paths = [folder / "one.zip", folder / "two.zip"]
    with broker(folder / "store") as client:
        uid = client.open_investigation("Shared code", actor=str(ALICE))["uid"]
        nb, more = cells_of(uid, CELLS), cells_of(uid, LATER_CELLS)
        run_notebook(nb, client, path=folder / "shared.ipynb", actor=ALICE)
        (folder / "helpers.py").write_text(NINEFOLD, "utf-8")
        run_notebook(more, client, path=folder / "shared.ipynb", actor=ALICE)
        (folder / "helpers.py").write_text(SINCE, "utf-8")
        nb.cells += more.cells
        _say_that_it_read_outside(client, uid)
        client.review_script("plain.py", digest_text(FILES["plain.py"]), actor="user:bob")
        steps = client.state(uid)["steps"].values()
        cells = {nb.cells[n].id: step for n, step in enumerate(steps)}
        used = {cell: [file["name"] for file in step["files"]] for cell, step in cells.items()}
        for path in paths:
            with path.open("wb") as file:
                client.archive(uid, nb, file, actor=str(ALICE))
    return Made(*paths, folder, used)


def _say_that_it_read_outside(client: BrokerClient, uid: str) -> None:
    step = list(client.state(uid)["steps"].values())[4]
    data = {"name": "../outer.py", "size": len(OUTER), "digest": digest_text(OUTER)}
    data |= {"run": step["id"], "cell": step["cell"]}
    read = event("file.read", "../outer.py", data, attached={digest_text(OUTER): OUTER})
    client.report(uid, [read])


@pytest.fixture(scope="module")
def report(made: Made, tmp_path_factory: pytest.TempPathFactory) -> ReplayReport:
    """Replayed where none of the files are."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copy(made.path, elsewhere / "moved.zip")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(elsewhere)
        return replay(elsewhere / "moved.zip", actor=ALICE)


@pytest.fixture
def archive(made: Made) -> Iterator[Archive]:
    with Archive(made.path) as archive:
        yield archive


def test_each_run_finds_the_text_that_it_used(report: ReplayReport, made: Made) -> None:
    found = {cell.uid: cell for cell in report.cells}
    same = ("import", "use", "run", "made", "again")
    assert {uid: (found[uid].verdict, found[uid].reason) for uid in same} == dict.fromkeys(
        same, ("same", "")
    ) | {"run": ("skipped", "ran as it did then; asks for no data")}
    assert made.used == {
        "import": ["helpers.py", "lib/common.py"],
        "use": ["helpers.py"],
        "run": ["plain.py"],
        "made": [],
        "outer": ["../outer.py"],
        "large": ["large.py"],
        "again": ["helpers.py", "lib/common.py"],
        "secret": ["secret.py"],
    }


def test_the_text_is_the_one_used_and_not_the_file_of_today(archive: Archive) -> None:
    for text in (HELPERS, NINEFOLD, FILES["lib/common.py"], FILES["plain.py"]):
        assert archive.read(script_path(digest_text(text))) == text.encode()
    assert not archive.has(script_path(digest_text(SINCE)))


def test_a_script_that_is_not_in_it_is_named(report: ReplayReport, archive: Archive) -> None:
    assert archive.manifest.missing == {
        script_path(digest_text(text)): f"script {name}: its text was not kept when it was used"
        for name, text in (("../outer.py", OUTER), ("large.py", FILES["large.py"]))
    }
    found = {cell.uid: (cell.verdict, cell.reason) for cell in report.cells}
    for uid, name in (("outer", "../outer.py"), ("large", "large.py")):
        assert found[uid] == ("data missing", f"the archive has no sound script {name}")


def test_a_secret_of_a_script_stays_and_its_cells_are_not_compared(
    report: ReplayReport, archive: Archive
) -> None:
    path = script_path(digest_text(SECRET))
    left = archive.read(path).decode()
    assert TOKEN not in left
    assert "[redacted:bearer_token:" in left
    assert archive.manifest.redacted.scripts == (path,)
    cell = report.cells[-1]
    assert (cell.uid, cell.verdict) == ("secret", "skipped")
    assert "redacted" in cell.reason


def test_what_nobody_reviewed_is_told(report: ReplayReport) -> None:
    at = digest_text(HELPERS)[:15]
    assert f"script helpers.py is not reviewed (digest {at})" in report.warnings
    assert not any("plain.py" in said for said in report.warnings)


def test_the_crate_describes_scripts_and_the_same_state_gives_the_same_bytes(
    made: Made, archive: Archive, tmp_path: Path
) -> None:
    assert made.path.read_bytes() == made.again.read_bytes()
    bag = extracted(made.path, tmp_path / "bag")
    assert bag_problems(bag) == ""
    assert crate_problems(bag, tmp_path / "cache") == []
    graph = {entity["@id"]: entity for entity in archive.read_json(CRATE)["@graph"]}
    path = script_path(digest_text(HELPERS))
    assert (graph[path]["name"], graph[path]["encodingFormat"]) == ("helpers.py", "text/x-python")
    runs = [entity for at, entity in graph.items() if at.startswith("#run-")]
    assert sum({"@id": path} in several(run.get("object")) for run in runs) == 2
    assert path.replace("/", "%2F") in archive.read("prov.json").decode()


def test_another_text_is_found_by_verify(made: Made, tmp_path: Path) -> None:
    part = PAYLOAD + script_path(digest_text(HELPERS))
    other = rewritten(made.path, tmp_path / "o.zip", lambda parts: parts.update({part: b"x = 1"}))
    with Archive(other) as archive:
        assert [said.split()[0] for said in archive.verify()] == [part]


def test_a_name_that_leads_elsewhere_is_refused(archive: Archive, tmp_path: Path) -> None:
    digest = digest_text(HELPERS)
    files = [{"name": name, "size": 1, "digest": digest} for name in ELSEWHERE]
    step: Any = {"files": files, "queries": []}
    store = StoreFolder.create(tmp_path / "store", sealed=True)
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    before = set(tmp_path.rglob("*"))
    Texts(archive, {}, store, [step], folder).before(step)
    assert set(tmp_path.rglob("*")) == before
    assert {beside(name) for name in ELSEWHERE} == {None}
    files.append({"name": "lib/x.py", "size": 1, "digest": digest})
    Texts(archive, {}, store, [step], folder).before(step)
    assert (folder / "lib" / "x.py").read_text("utf-8") == HELPERS


def test_names_in_the_folder_are_places() -> None:
    for name in ("x.py", "lib/x.py", "..x.py", "größe.py", "my helpers.py"):
        assert beside(name) == Path(name)
