"""Retention with its record: what went stands in the ledger; the policy is applied by itself."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

from workspace_ext.broker import tracing
from workspace_ext.broker.services import Services
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.clock import now_ns, to_rfc3339
from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.foundation.ids import new_id
from workspace_ext.ledger.model import Event
from workspace_ext.ledger.service import STORE_STREAM
from workspace_ext.telemetry.retention.model import Policy

_log = logging.getLogger(__name__)

_EVERY_NS = 3600 * 10**9
_ITSELF = Actor("service", "jupyter-investigation")


def remove(
    services: Services, policy: Policy, actor: Actor, *, kept: bool = False
) -> dict[str, Any]:
    """Removes what a policy says and records it; returns what was done.

    Args:
        services: The store's services.
        policy: The policy.
        actor: Who wants it.
        kept: Whether it is the store's own policy.
    """
    with tracing.span("retention", itself=kept) as work:
        done = services.retention.apply(policy, actor, kept=kept)
        if done["run"] is not None:
            _record(services, done["run"])
        work.tell(rows=sum(done["rows"].values()), upto_batch=done["upto_batch"])
        return done


def keep_policy(services: Services, policy: Policy | None, actor: Actor) -> None:
    """Makes a policy the store's own, or ends it, and records that."""
    services.retention.set_policy(policy)
    data = {"policy": None if policy is None else policy.to_dict()}
    services.ledger.append(STORE_STREAM, Event("retention.set", data, actor, new_id()))


def describe(services: Services) -> dict[str, Any]:
    """The store's policy, when it was applied last, and what the last run removed."""
    policy, applied_ns = services.retention.policy()
    return {
        "policy": None if policy is None else policy.to_dict(),
        "applied_at": None if applied_ns is None else to_rfc3339(applied_ns),
        "last": _told(services.retention.removals()),
    }


class Keeper:
    """Applies the store's policy every hour, and ends old tokens; a thread of its own.

    Args:
        services: The store's services.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Looks now: the policy is another."""
        self._wake.set()

    def close(self) -> None:
        """Ends it; what is begun goes on at the next start."""
        self._stopping = True
        self._services.retention.stop()
        self._wake.set()
        self._thread.join()

    def _keep(self) -> None:
        try:
            _record(self._services, None)  # of a broker that was killed before it could
        except InvestigationError as error:
            _log.warning("the last removal cannot be recorded: %s", error.message)
        while not self._stopping:
            self._wake.wait(self._turn())
            self._wake.clear()

    def _settle_kernels(self) -> None:
        try:
            self._services.kernels.settle()
        except InvestigationError as error:
            _log.warning("which kernels asked lately cannot be noted: %s", error.message)

    def _turn(self) -> float:
        """Applies the policy when it is time; the seconds until the next look."""
        self._settle_kernels()
        try:
            policy, applied_ns = self._services.retention.policy()
            if policy is not None:
                left_ns = (applied_ns or 0) + _EVERY_NS - now_ns()
                if 0 < left_ns <= _EVERY_NS:  # else a clock was wrong when it was noted
                    return left_ns / 1e9
                done = remove(self._services, policy, _ITSELF, kept=True)
                if done["rows"]:
                    _log.info("retention removed %s: %s", done["rows"], done["reason"])
        except InvestigationError as error:
            _log.error("retention failed, and is tried again: %s", error.message)
        except Exception:  # the edge of a thread: the next hour may be better
            _log.exception("retention failed, and is tried again")
        return _EVERY_NS / 1e9


def _record(services: Services, run: str | None) -> None:
    removed = services.retention.removals(run)
    if removed is None:
        return
    event = Event(
        "data.removed",
        _told(removed) or {},
        Actor.parse(removed["actor"]),
        id=f"removal-{removed['run']}",
    )
    with services.ledger.batch() as batch:
        if batch.find(STORE_STREAM, event.id) is None:
            batch.append(STORE_STREAM, event)


def _told(removed: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if removed is None:
        return None
    return {
        "run": removed["run"],
        "actor": removed["actor"],
        "reason": removed["reason"],
        "upto_batch": removed["upto_batch"],
        "removed": {
            signal: {
                "rows": of["rows"],
                "from": to_rfc3339(of["from_us"] * 1000),
                "upto": to_rfc3339(of["upto_us"] * 1000),
            }
            for signal, of in removed["removed"].items()
        },
    }
