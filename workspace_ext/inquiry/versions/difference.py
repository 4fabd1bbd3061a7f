"""What differs between two notebooks, cell by cell, by nbdime.

nbdime compares outputs as text, which takes minutes for large ones. Our layouts know which
outputs differ before anything is compared: equal ones are left out, and of large ones only their
kind and size is compared.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workspace_ext.inquiry.versions.content import join
from workspace_ext.inquiry.versions.model import Content, Layout, changes
from workspace_ext.protocol.messages import METADATA_KEY

LARGE_OUTPUT = 20_000
"""From this many characters on, an output is told by kind, size and digest only."""


@dataclass(frozen=True)
class Difference:
    """What differs.

    Attributes:
        cells: What became of each cell; see `model.changes`.
        diff: As nbdime has it (JSON), over the notebooks without what is equal or large.
        text: The same for people.
    """

    cells: Mapping[str, str]
    diff: list[dict[str, Any]]
    text: str


def difference(
    before: Content, after: Content, *, names: tuple[str, str], color: bool = False
) -> Difference:
    """Compares two notebooks.

    Args:
        before: The older one.
        after: The newer one.
        names: What they are called in the text.
        color: Whether the text has colours, for a terminal.
    """
    told = changes(before.layout, after.layout)
    if not told:
        return Difference({}, [], "")
    import nbformat
    from nbdime import diff_notebooks
    from nbdime.prettyprint import PrettyPrintConfig, pretty_print_notebook_diff

    old, new = (
        nbformat.from_dict(_reduced(one, other.layout))  # type: ignore[no-untyped-call]
        for one, other in ((before, after), (after, before))
    )
    found = diff_notebooks(old, new)
    if not found:
        return Difference(told, [], "")
    out = io.StringIO()
    config = PrettyPrintConfig(out=out, use_color=color, use_git=False, use_diff=False)
    pretty_print_notebook_diff(*names, old, found, config)
    return Difference(told, json.loads(json.dumps(found)), out.getvalue())


def _reduced(content: Content, other: Layout) -> dict[str, Any]:
    """A notebook without outputs that the other has, too, or our metadata; large ones are named."""
    theirs = {cell.uid: cell for cell in other.cells}
    notebook = join(content.layout, content.parts)
    for cell, kept in zip(notebook["cells"], content.layout.cells, strict=True):
        if "outputs" not in cell:
            continue
        same = theirs.get(kept.uid)
        if same is not None and same.outputs == kept.outputs:
            cell.update(outputs=[], execution_count=None)
        else:
            cell["outputs"] = [
                _named(output, digest, content.parts[digest])
                for output, digest in zip(cell["outputs"], kept.outputs, strict=True)
            ]
    return notebook


def _named(output: dict[str, Any], digest: str, text: str) -> dict[str, Any]:
    if len(text) <= LARGE_OUTPUT:
        output.get("metadata", {}).pop(METADATA_KEY, None)
        return output
    kinds = ", ".join(output.get("data") or [output.get("name") or output["output_type"]])
    said = f"<{kinds}: {len(text) / 1000:,.0f} kB, {digest[:19]}…>"
    return {"output_type": "stream", "name": "stdout", "text": said}
