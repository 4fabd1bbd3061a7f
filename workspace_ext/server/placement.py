"""Where the server's own state lies: never between a user's notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir
from traitlets.config import Config, Configurable

from workspace_ext.foundation.canonical import digest_text

_STORE_MARKER = "store.json"
_HISTORY = "shared-history.db"


def has_store(folder: Path) -> bool:
    """Whether there is a store in a folder."""
    return (folder / _STORE_MARKER).is_file()


def state_folder(store: Path) -> Path:
    """Where files of shared editing go: into the store, or, while there is none, elsewhere.

    A store is made by its broker, in an empty folder; until then nothing may lie in it. What was
    begun elsewhere stays there: in another place every open notebook would have no history.
    """
    if has_store(store) and not (data_folder(store) / _HISTORY).exists():
        return store / "jupyter"
    return data_folder(store)


def data_folder(store: Path) -> Path:
    """The user's own place for what belongs to a store and must not depend on it."""
    name = digest_text(str(store))[-16:]
    return Path(jupyter_data_dir()) / "investigation" / name


def state_config(folder: Path) -> Config:
    """The settings that keep shared editing from littering the working folder."""
    return Config(
        {
            "HistoryStore": {"db_path": str(folder / _HISTORY)},
            "SQLiteYStore": {"db_path": str(folder / "shared-editing.db")},
            "BaseFileIdManager": {"db_path": str(folder / "file-ids.db")},
            "YDocExtension": {
                "session_store_path": str(folder / "sessions.json"),
                "ystore_class": "workspace_ext.server.history.HistoryStore",
            },
        }
    )


def place_state(folder: Path, configurables: Iterable[Configurable]) -> None:
    """Puts the state of the server's other extensions into a folder.

    What the user's own configuration says stays as it is, also when it names a subclass.

    Args:
        folder: Where to; made when it is not there.
        configurables: The server and the extensions that were linked before ours.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    wanted = state_config(folder)
    for configurable in configurables:
        missing = Config()
        for section, traits in wanted.items():
            for name, value in traits.items():
                if not _said(configurable.config, section, name):
                    missing[section][name] = value
        configurable.update_config(missing)


def _said(config: Config, section: str, name: str) -> bool:
    sections = {section, *_SUBCLASSES.get(section, ())}
    return any(name in config[one] for one in sections if one in config)


_SUBCLASSES = {
    "BaseFileIdManager": ("ArbitraryFileIdManager", "LocalFileIdManager"),
}
