"""Versions of notebooks that are saved without a server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.actor import Actor
from workspace_ext.inquiry.versions.content import split
from workspace_ext.inquiry.versions.sending import OUTSIDE, UNKNOWN, placed, version_in


def keep(
    client: BrokerClient,
    uid: str,
    path: Path,
    notebook: Mapping[str, Any],
    actor: Actor,
    *,
    reason: str = "",
) -> None:
    """Keeps a notebook that was just saved; one that did not change adds nothing.

    Raises:
        InvestigationError: Why the broker does not take it.
    """
    named = placed(path, Path(client.health()["store"]))
    sent = version_in(split(notebook), path=named, actors=[actor], reason=reason)
    client.save_version(uid, sent)


def keep_as_found(client: BrokerClient, uid: str, path: Path, notebook: Mapping[str, Any]) -> None:
    """Keeps what somebody made of a file outside of us, before we change it."""
    keep(client, uid, path, notebook, UNKNOWN, reason=OUTSIDE)
