"""From the metadata of an earlier schema to today's: one pure function for each step.

A step takes the metadata of a notebook and those of its cells, by uid, and gives both as the
next schema has them; it changes nothing that it was given. Whoever raises `METADATA_SCHEMA` adds
a step here and a golden notebook of the schema left behind, which stays under test for ever.
What the record knows is written anew by the projection; a step is for those who read a notebook
without its store.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from workspace_ext.foundation.errors import Conflict, Damaged
from workspace_ext.protocol.messages import METADATA_SCHEMA, NotebookProjection

Step = Callable[[NotebookProjection], NotebookProjection]

UPGRADES: Mapping[int, Step] = {}
"""By the schema that a step begins with; there has been one schema so far."""


def upgraded(
    metadata: NotebookProjection,
    *,
    upgrades: Mapping[int, Step] = UPGRADES,
    newest: int = METADATA_SCHEMA,
) -> NotebookProjection:
    """Metadata as today's schema has them.

    Args:
        metadata: Our metadata of a notebook and of its cells, of any schema.
        upgrades: All steps there are.
        newest: The schema they lead to.

    Raises:
        Conflict: A newer version wrote them: they can be kept, and not understood.
        Damaged: They name no schema there ever was.
    """
    schema = metadata["notebook"].get("schema")
    if isinstance(schema, float) and schema.is_integer():  # a shared document knows floats only
        schema = int(schema)
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise Damaged(
            f"the notebook's metadata name no schema: {schema!r}",
            hint="restore an earlier version: jupyter investigation history NOTEBOOK",
            code="no_schema",
        )
    if schema > newest:
        raise Conflict(
            f"the notebook's metadata are of schema {schema}, this version knows {newest}",
            hint="upgrade investigation-workspace; until then it is read-only",
            code="newer_metadata",
        )
    reached = copy.deepcopy(metadata)
    for number in range(schema, newest):
        next_one = upgrades[number](reached)
        notebook = {**next_one["notebook"], "schema": number + 1}
        reached = {"notebook": notebook, "cells": next_one["cells"]}
    return reached
