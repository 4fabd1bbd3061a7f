"""The formats there are: every adapter that an installed package names as an entry point.

There is no other list. Ours are in pyproject.toml like everybody's.
"""

from __future__ import annotations

import io
import logging
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint
from typing import IO, TYPE_CHECKING

from workspace_ext.foundation.entries import entry_points
from workspace_ext.foundation.errors import BadInput, InvestigationError
from workspace_ext.telemetry.ingest.adapter import (
    GROUP,
    NO,
    Adapter,
    Context,
    Head,
    too_many_records,
)

if TYPE_CHECKING:
    from workspace_ext.telemetry.ingest.model import Parsed

_log = logging.getLogger(__name__)

_BROKEN_STREAM = (OSError, EOFError, zlib.error)
_TO_END = (KeyboardInterrupt, SystemExit, GeneratorExit)


def formats() -> tuple[str, ...]:
    """The names of all formats; no adapter is imported."""
    return tuple(sorted(_entry_points()))


def find(name: str) -> Adapter:
    """The adapter of a format.

    Raises:
        BadInput: There is none of this name, or it cannot be loaded.
    """
    if name not in _entry_points():
        raise BadInput(
            f"{name!r} is not a format", hint=f"one of: {', '.join(formats())}", code="bad_format"
        )
    return _load(name)


def detect(head: Head) -> str:
    """The format of a file, from its beginning.

    Raises:
        BadInput: No adapter knows it, or several do.
    """
    certain = {name: _certainty(name, head) for name in formats()}
    most = max(certain.values())
    found = [name for name, certainty in certain.items() if certainty == most]
    if most == NO and not head.content:
        hint = "there is nothing in it to load: was it written to the end?"
        raise BadInput(f"{head.name} is empty", hint=hint, code="unknown_format")
    if most == NO:
        raise BadInput(
            f"{head.name} is in no format that is known here",
            hint=f"name it, if it is one of: {', '.join(formats())}",
            code="unknown_format",
        )
    if len(found) > 1:
        raise BadInput(
            f"{head.name} may be {' or '.join(found)}", hint="name its format", code="many_formats"
        )
    return found[0]


def read(name: str, stream: IO[bytes], context: Context) -> Iterator[Parsed]:
    """The records of a file in parts, within the limits.

    Raises:
        BadInput: Nothing in it can be read.
        OSError: The stream broke; also EOFError and zlib.error.
    """
    from workspace_ext.telemetry.ingest.limits import bounded

    adapter = find(name)
    try:
        for part in adapter.read(stream, context):
            yield bounded(part)
    except (InvestigationError, *_BROKEN_STREAM, *_TO_END):
        raise
    except BaseException as error:  # what is written in Rust panics with more than an Exception
        _log.exception("the adapter %s failed on %s", name, context.name)
        raise BadInput(
            f"{context.name}: the adapter {name} failed: {type(error).__name__}",
            hint="this is a fault of the adapter; the broker's log has the details",
            code="adapter_failed",
        ) from error


def decode(name: str, body: bytes, context: Context) -> Parsed:
    """The records of one request, within the limits.

    Raises:
        BadInput: Nothing in it can be read, or it has too many records.
    """
    from workspace_ext.telemetry.ingest.limits import MOST_RECORDS, with_many_names
    from workspace_ext.telemetry.ingest.model import joined

    parts: list[Parsed] = []
    records = 0
    for part in read(name, io.BytesIO(body), context):
        parts.append(part)
        records += part.records
        if records > MOST_RECORDS:
            raise too_many_records()
    return parts[0] if len(parts) == 1 else with_many_names(joined(parts))


def reads_together(name: str) -> bool:
    """Whether a format has a way to read several requests at once.

    Raises:
        BadInput: There is none of this name, or it cannot be loaded.
    """
    return find(name).together is not None


def decode_together(name: str, signal: str, bodies: Sequence[bytes]) -> list[Parsed | None]:
    """The records of several requests of one signal; None for one that `decode` must take."""
    from workspace_ext.telemetry.ingest.limits import bounded_each

    together = find(name).together
    try:
        found = together and together(bodies, signal)
        return [None] * len(bodies) if found is None else bounded_each(found)
    except _TO_END:
        raise
    except BaseException:
        _log.exception("the adapter %s failed on %s requests at once", name, len(bodies))
        return [None] * len(bodies)


def _entry_points() -> Mapping[str, EntryPoint]:
    return entry_points(GROUP)


@cache
def _load(name: str) -> Adapter:
    point = _entry_points()[name]
    try:
        adapter = point.load()
    except Exception as error:
        raise _unusable(name, point.value, str(error)) from error
    if not isinstance(adapter, Adapter):
        raise _unusable(name, point.value, "it is no Adapter")
    return adapter


def _unusable(name: str, value: str, why: str) -> BadInput:
    return BadInput(
        f"the adapter {name} ({value}) cannot be loaded: {why}",
        hint="update or remove the package that brings it",
        code="bad_adapter",
    )


def _certainty(name: str, head: Head) -> int:
    """A stranger's adapter that fails must not keep the others from being found."""
    try:
        return _load(name).recognise(head)
    except Exception as error:
        _log.warning("the adapter %s cannot tell its files: %s", name, error)
        return NO
