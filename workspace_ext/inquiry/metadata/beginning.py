"""A new notebook from a notebook template: its texts filled in, its agenda taken out. Pure."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from workspace_ext.foundation.errors import BadInput
from workspace_ext.foundation.ids import new_id, stable_id
from workspace_ext.inquiry.metadata.projection import project
from workspace_ext.protocol.messages import METADATA_KEY, InvestigationState
from workspace_ext.protocol.teamwork import AgendaItem

TEMPLATE_KEY = "investigation_template"
"""Under it a notebook template keeps in its metadata what is not for the notebook: the agenda."""

_CELL_ID_LENGTH = 8
_BLANK = re.compile(r"\{\{(\w+)\}\}")


def from_template(
    template: dict[str, Any], state: InvestigationState
) -> tuple[dict[str, Any], list[AgendaItem]]:
    """A notebook for an investigation that was just opened, and its agenda.

    In the template's cells ``{{title}}``, ``{{severity}}``, ``{{services}}``, ``{{window}}``,
    ``{{owner}}`` and ``{{scope}}`` (the call that sets the scope) are filled in.

    Args:
        template: A notebook, as nbformat 4 has it.
        state: The investigation.

    Raises:
        BadInput: The template is no notebook of ours.
    """
    notebook = copy.deepcopy(template)
    try:
        about = notebook["metadata"].pop(TEMPLATE_KEY, {})
        agenda: list[AgendaItem] = [
            {
                "id": stable_id(state["uid"], "agenda", str(number))[:_CELL_ID_LENGTH],
                "title": str(item["title"]),
                "minutes": int(item["minutes"]),
            }
            for number, item in enumerate(about.get("agenda", ()))
        ]
        texts = _texts(state)
        for cell in notebook["cells"]:
            cell["source"] = _filled("".join(cell["source"]), texts)
            cell["id"] = new_id()[:_CELL_ID_LENGTH]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadInput(
            f"the notebook template cannot be used: {error!r}",
            hint="install investigation-workspace again",
            code="bad_notebook_template",
        ) from error
    notebook["metadata"][METADATA_KEY] = project(state)["notebook"]
    return notebook, agenda


def scope_call(state: InvestigationState) -> str:
    """The cell of code that sets the scope as it was chosen; to be changed there later."""
    lines = [
        f"    {name}={json.dumps(value['start'] + '/' + value['end'])},"
        for name, value in (("window", state["window"]), ("baseline", state["baseline"]))
        if value
    ]
    if state["services"]:
        lines.append(f"    services={json.dumps(state['services'], ensure_ascii=False)},")
    return "\n".join(["investigation.scope(", *lines, ")"]) if lines else "investigation.scope()"


def _texts(state: InvestigationState) -> dict[str, str]:
    window = state["window"]
    owner = next(iter(state["participants"]), "").removeprefix("user:")
    return {
        "title": state["title"],
        "severity": state["severity"] or "not set",
        "services": ", ".join(state["services"]) or "not narrowed down",
        "window": f"{window['start']} to {window['end']}" if window else "not set",
        "owner": owner,
        "scope": scope_call(state),
    }


def _filled(source: str, texts: dict[str, str]) -> str:
    return _BLANK.sub(lambda blank: texts.get(blank[1], blank[0]), source)
