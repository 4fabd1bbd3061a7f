"""The composition root: the only place that marries the services of one store."""

from __future__ import annotations

from dataclasses import dataclass

from workspace_ext.access.tokens import Tokens
from workspace_ext.storage.folder import StoreFolder


@dataclass(frozen=True)
class Services:
    """Everything the routes are over."""

    folder: StoreFolder
    tokens: Tokens

    @classmethod
    def open(cls, folder: StoreFolder) -> Services:
        """Opens the store's databases; the folder must be held.

        Raises:
            Damaged: A database is not what was written.
            Unavailable: It cannot be read or written.
        """
        return cls(folder=folder, tokens=Tokens(folder.secret))

    def close(self) -> None:
        """Writes everything down and closes the databases."""
