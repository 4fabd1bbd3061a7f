"""What differs between versions, and what stands behind an answer, as the browser asks for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.jupyter import Jupyter, RefusedError, begin
from tests.support.waiting import until
from workspace_ext.protocol.validation import validate

Name = Callable[[], str]


def test_the_difference_of_versions_and_of_what_is_open_now(plain: Jupyter, name: Name) -> None:
    path = name()
    uid = begin(plain, path, "1", "2")
    changed = plain.read(path)
    changed["cells"][1]["source"] = "20"
    plain.save(path, changed)
    until(lambda: len(plain.broker().versions(uid)) == 2, "both saves are versions")
    between = plain.request("GET", f"/investigation/diff?path={path}&old=1&new=2")
    validate("messages", between, definition="VersionDiff")
    (cell,) = between["cells"]
    assert (cell["uid"], cell["what"], between["unchanged"]) == ("c2", "source", 1)
    assert [(line["kind"], line["text"]) for line in cell["lines"]] == [
        ("removed", "2"),
        ("added", "20"),
    ]
    now = plain.request("GET", f"/investigation/diff?path={path}&old=2")
    assert (now["cells"], now["new"]) == ([], None)


@pytest.mark.parametrize("wrong", ["", "old=", "old=x", "old=1&new=-2", "old=99999999999"])
def test_a_difference_of_no_version(plain: Jupyter, wrong: str) -> None:
    path = "no-version.ipynb"
    begin(plain, path, "1")
    with pytest.raises(RefusedError) as refused:
        plain.request("GET", f"/investigation/diff?path={path}&{wrong}")
    assert refused.value.status == 400


@pytest.mark.parametrize(("query", "status"), [("", 400), ("&query=nobodys", 404)])
def test_provenance_of_no_query(plain: Jupyter, query: str, status: int) -> None:
    path = "no-query.ipynb"
    begin(plain, path, "1")
    with pytest.raises(RefusedError) as refused:
        plain.request("GET", f"/investigation/provenance?path={path}{query}")
    assert refused.value.status == status
