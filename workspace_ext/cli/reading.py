"""How commands read what stands in files."""

from __future__ import annotations

from pathlib import Path

from workspace_ext.foundation.errors import BadInput, NotFound


def read_text(path: Path, what: str) -> str:
    """A text file.

    Raises:
        NotFound: There is none.
        BadInput: It cannot be read as text.
    """
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise NotFound(f"there is no {what} {path}", hint="check the path") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read {what} {path}: {error}", hint="give a text file") from error


def read_mapping(path: Path, given: Path | None) -> str | None:
    """The mapping for a file: the given one, else the one that lies beside it, else none."""
    if given is not None:
        return read_text(given, "mapping")
    beside = path.with_name(f"{path.name.split('.')[0]}.mapping.yaml")
    return read_text(beside, "mapping") if beside.is_file() else None
