"""Which notebooks belong to an investigation that their files do not name yet, kept on disk.

A server that is killed between the opening of an investigation and the next save of its notebook
would leave nothing that joins the two, and the next server would open another one. So there is a
small file for each such notebook until its own file says where it belongs.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from jupyter_server.utils import ApiPath, to_api_path, to_os_path

from workspace_ext.foundation.ids import stable_id
from workspace_ext.server.placement import has_store
from workspace_ext.server.view import View
from workspace_ext.storage.files import write_whole

_log = logging.getLogger(__name__)


class _Kept(NamedTuple):
    """One notebook, by where its file is."""

    file: str
    uid: str
    cells: list[str]


class Unstamped:
    """What outlives a server. Nothing here ever raises: without it only a crash costs something.

    Args:
        folder: Where it is kept; made when it is needed. Several servers may share it.
        root: The folder that the paths of notebooks begin in.
        store: The folder of the store that knows the investigations.
    """

    def __init__(self, folder: Path, root: str, store: Path) -> None:
        self._folder = folder
        self._root = root
        self._store = store

    def left(self) -> dict[str, str]:
        """What earlier servers left: the investigation of each notebook, by its path.

        A file that is gone, names an investigation itself, or is another notebook by now, as it
        has none of the cells, goes before what was kept, which is forgotten; so is all that was
        kept of a store that is gone.
        """
        found = {}
        stands = has_store(self._store)
        for kept in self._all():
            file = Path(kept.file)
            if not file.is_relative_to(self._root):
                continue  # of a server that begins in another folder
            if stands and _is_still(file, kept.cells):
                found[str(to_api_path(kept.file, self._root)).strip("/")] = kept.uid
            else:
                self._drop(kept.file)
        return found

    def keep(self, path: str, uid: str, cells: Iterable[str]) -> bool:
        """Keeps which investigation a notebook with these cells belongs to, if the disk takes it.

        Returns:
            Whether it did.
        """
        try:
            self._write(_Kept(self._file(path), uid, list(cells)))
        except OSError as error:
            _log.warning("a crash before %s is saved would begin it anew: %s", path, error)
            return False
        return True

    def forget(self, path: str) -> None:
        """The notebook's file says it itself now, or is gone."""
        self._drop(self._file(path))

    def moved(self, old: str, new: str) -> None:
        """A file, or a folder of files, has another name now."""
        before, after = Path(self._file(old)), Path(self._file(new))
        try:
            for kept in self._all():
                file = Path(kept.file)
                if file.is_relative_to(before):
                    self._write(kept._replace(file=str(after / file.relative_to(before))))
                    self._drop(kept.file)
        except OSError as error:
            _log.warning("a crash before %s is saved would begin it anew: %s", new, error)

    def _all(self) -> Iterator[_Kept]:
        for place in sorted(self._folder.glob("*.json")):
            try:
                yield _Kept(**json.loads(place.read_bytes()))
            except (OSError, ValueError, TypeError) as error:
                _log.warning("%s tells nothing: %s", place, error)

    def _write(self, kept: _Kept) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(self._place(kept.file), json.dumps(kept._asdict()), mode=0o600)

    def _drop(self, file: str) -> None:
        try:
            self._place(file).unlink(missing_ok=True)
        except OSError as error:
            _log.warning("what was kept of %s cannot be removed: %s", file, error)

    def _file(self, path: str) -> str:
        return str(to_os_path(ApiPath(path), self._root))

    def _place(self, file: str) -> Path:
        return self._folder / f"{stable_id(file)}.json"


def _is_still(file: Path, cells: list[str]) -> bool:
    """Whether a file is the notebook with these cells, and does not say itself what it is."""
    try:
        view = View.of(json.loads(file.read_bytes()))
    except FileNotFoundError:
        return False
    except (OSError, ValueError, AttributeError, TypeError):
        return True  # damaged, maybe by the same crash
    if view.uid is not None or view.newer:
        return False
    return not (cells and view.cells) or not view.cells.keys().isdisjoint(cells)
