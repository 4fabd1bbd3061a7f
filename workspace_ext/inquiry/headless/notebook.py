"""A notebook file: read with clear errors, saved whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workspace_ext.foundation.errors import BadInput, NotFound, Unavailable
from workspace_ext.foundation.ids import stable_id
from workspace_ext.storage.files import write_whole

_FIRST_WITH_IDS = 5
"""The minor version of format 4 in which cells have ids."""


def read_notebook(path: Path) -> Any:
    """The notebook in a file, in the present format.

    Raises:
        NotFound: There is no such file.
        BadInput: It cannot be read, or holds no notebook.
    """
    import nbformat

    hint = "give a .ipynb file"
    try:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(notebook)
        without_ids = notebook.nbformat_minor < _FIRST_WITH_IDS
        notebook = nbformat.v4.upgrade(notebook)  # type: ignore[no-untyped-call]
        for place, cell in enumerate(notebook.cells if without_ids else ()):
            # Those of nbformat are others each time.
            cell.id = stable_id("cell", path.name, str(place), cell.source)
    except FileNotFoundError as error:
        raise NotFound(f"there is no notebook {path}", hint="check the path") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    except nbformat.ValidationError as error:
        raise BadInput(f"{path} is not a valid notebook: {error.message}", hint=hint) from error
    except Exception as error:  # an edge: each kind of wrong file fails in a way of its own
        raise BadInput(f"{path} is not a notebook", hint=hint, code="no_notebook") from error
    return notebook


def write_notebook(path: Path, notebook: Any) -> None:
    """Saves a notebook; whoever reads the file meanwhile sees the old one or the new one.

    Raises:
        Unavailable: It cannot be written.
    """
    import nbformat

    text: str = nbformat.writes(notebook, version=4)  # type: ignore[no-untyped-call]
    try:
        write_whole(path, text if text.endswith("\n") else f"{text}\n")
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror}", hint="choose another --output"
        ) from error
