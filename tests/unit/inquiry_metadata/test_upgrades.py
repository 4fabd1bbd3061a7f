"""Metadata of every earlier schema become today's; those of a later one stay."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from workspace_ext.foundation.errors import Conflict, Damaged
from workspace_ext.inquiry.metadata.notebook import read_metadata, uids_of
from workspace_ext.inquiry.metadata.upgrades import UPGRADES, upgraded
from workspace_ext.protocol.messages import METADATA_SCHEMA, NotebookProjection
from workspace_ext.protocol.validation import validate

GOLDEN = Path(__file__).with_name("golden")


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("schema-*.ipynb")), ids=lambda path: path.stem)
def test_every_golden_notebook_becomes_todays(path: Path) -> None:
    notebook = json.loads(path.read_text("utf-8"))
    ours, cells = read_metadata(notebook), notebook["cells"]
    assert ours is not None
    held = zip(uids_of(cells), map(read_metadata, cells), strict=True)
    found: NotebookProjection = {
        "notebook": ours,
        "cells": {uid: of for uid, of in held if of is not None},
    }
    assert found["notebook"]["schema"] == int(path.stem.removeprefix("schema-"))
    before = copy.deepcopy(found)
    today = upgraded(found)
    assert found == before
    validate("metadata", today["notebook"], definition="notebook")
    for cell in today["cells"].values():
        validate("metadata", cell, definition="cell")
    assert set(today["cells"]) == set(before["cells"])
    assert upgraded(today) == today


def test_there_is_a_step_from_each_schema_to_the_next() -> None:
    assert sorted(UPGRADES) == list(range(1, METADATA_SCHEMA))


def test_steps_follow_each_other_and_change_nothing_that_they_were_given() -> None:
    def renamed(metadata: NotebookProjection) -> NotebookProjection:
        notebook = dict(metadata["notebook"])
        notebook["name"] = notebook.pop("title")
        return {"notebook": notebook, "cells": metadata["cells"]}

    def told(metadata: NotebookProjection) -> NotebookProjection:
        cells = {uid: {**cell, "by": "x"} for uid, cell in metadata["cells"].items()}
        return {"notebook": metadata["notebook"], "cells": cells}

    steps = {1: renamed, 2: told}
    old: NotebookProjection = {
        "notebook": {"schema": 1.0, "title": "t"},
        "cells": {"a": {"uid": "a"}},
    }
    before = copy.deepcopy(old)
    assert upgraded(old, upgrades=steps, newest=3) == {
        "notebook": {"schema": 3, "name": "t"},
        "cells": {"a": {"uid": "a", "by": "x"}},
    }
    assert old == before


def test_a_newer_schema_is_refused_with_what_to_do() -> None:
    with pytest.raises(Conflict, match=f"schema {METADATA_SCHEMA + 1}") as raised:
        upgraded({"notebook": {"schema": METADATA_SCHEMA + 1}, "cells": {}})
    assert "upgrade" in raised.value.hint


@pytest.mark.parametrize("schema", [None, 0, -1, 1.5, "1", True, []])
def test_what_names_no_schema_is_damaged(schema: Any) -> None:
    with pytest.raises(Damaged, match="no schema"):
        upgraded({"notebook": {"schema": schema}, "cells": {}})
