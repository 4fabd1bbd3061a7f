"""What an adapter is: bytes in, records of the signals and rejects out; no file, no network.

A module makes one `Adapter` and a package names it as an entry point of the group
``investigation_workspace.adapters``; the entry point's name is the format's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import IO, TYPE_CHECKING

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest.limits import LINE_BYTES, MOST_RECORDS, WHOLE_BYTES

if TYPE_CHECKING:
    from workspace_ext.telemetry.ingest import mapping as mappings
    from workspace_ext.telemetry.ingest.model import Parsed, Together
    from workspace_ext.telemetry.ingest.rows import Rows

GROUP = "investigation_workspace.adapters"

NO, BY_NAME, BY_SHAPE, SURE = range(4)
"""How certain an adapter is that a file is its own."""


@dataclass(frozen=True)
class Context:
    """What is known of the bytes besides themselves.

    Attributes:
        now_ns: When they were received; for records that have no time.
        name: Of the file or the request, for errors.
        headers: Of a request, with names in lower case.
        signal: What is in them, when the sender's address told: spans, logs or metrics.
        mapping: Which column is what, for formats that need one.
    """

    now_ns: int
    name: str = "request"
    headers: Mapping[str, str] = field(default_factory=dict)
    signal: str = ""
    mapping: mappings.Mapping | None = None

    @property
    def content_type(self) -> str:
        """The header, in lower case; empty when there is none."""
        return self.headers.get("content-type", "").lower()


@dataclass(frozen=True)
class Head:
    """The beginning of a file, to find out its format.

    Attributes:
        content: Its first bytes, decompressed.
        name: Its name.
        mapped: Whether it comes with a mapping.
    """

    content: bytes
    name: str = ""
    mapped: bool = False

    @cached_property
    def start(self) -> bytes:
        """The content without byte order mark and leading white space."""
        return self.content.removeprefix(b"\xef\xbb\xbf").lstrip()

    @cached_property
    def is_text(self) -> bool:
        """Whether the first bytes can be text."""
        return is_text(self.content)

    @cached_property
    def suffixes(self) -> set[str]:
        """Of the name, in lower case."""
        return {suffix.lower() for suffix in PurePath(self.name).suffixes}

    @cached_property
    def first_line_is_object(self) -> bool:
        """Whether the first line is a JSON object."""
        try:
            return isinstance(json.loads(self.start.split(b"\n", 1)[0]), dict)
        except (ValueError, RecursionError):
            return False


def is_text(content: bytes) -> bool:
    """Whether bytes can be text: no control characters but those of lines and tabs."""
    return b"\0" not in content and all(byte >= 32 or byte in b"\t\r\n" for byte in content[:512])


Read = Callable[[IO[bytes], Context], "Iterator[Parsed]"]
ReadTogether = Callable[[Sequence[bytes], str], "Together | None"]


def _never(_head: Head) -> int:
    return NO


@dataclass(frozen=True)
class Adapter:
    """One format.

    Attributes:
        title: What it is, for people.
        read: Takes the bytes and gives the records in parts. `whole` and `by_lines` make one of a
            simpler function. It raises `BadInput` when nothing can be read, and nothing else.
        recognise: How certain it is that a file is in this format: `NO`, `BY_NAME`, `BY_SHAPE`
            or `SURE`.
        needs_mapping: Whether somebody must say which column is what.
        version: Of what it makes of the same bytes; kept with each batch.
        together: Takes the bodies of several requests of one signal at once, where that is cheaper
            than one by one; gives the same as `read`, or leaves to it what is unusual. None when
            it cannot do that signal.
    """

    title: str
    read: Read
    recognise: Callable[[Head], int] = _never
    needs_mapping: bool = False
    version: int = 1
    together: ReadTogether | None = None


def whole(decode: Callable[[Rows, bytes, Context], None]) -> Read:
    """An adapter's `read` that takes all bytes at once; `decode` adds to the rows."""

    def read(stream: IO[bytes], context: Context) -> Iterator[Parsed]:
        from workspace_ext.telemetry.ingest.rows import Rows

        rows = Rows()
        decode(rows, everything(stream, context), context)
        yield rows.hand_on()

    return read


def by_lines(decode: Callable[[Rows, int, bytes, Context], None]) -> Read:
    """An adapter's `read` for a format with a record a line; `decode` adds a line's rows.

    Its `BadRecord` costs that line only; empty lines are skipped.
    """

    def read(stream: IO[bytes], context: Context) -> Iterator[Parsed]:
        from workspace_ext.telemetry.ingest.rows import Rows

        rows = Rows()
        for number, line in lines(stream):
            rows.size += len(line)
            if len(line) > LINE_BYTES:
                rows.reject(number, f"longer than {LINE_BYTES >> 20} MiB", line[:64])
            elif text := line.strip():
                with rows.guard(number, text):
                    decode(rows, number, text, context)
            if rows.full:
                yield rows.hand_on()
        yield rows.hand_on()

    return read


def everything(stream: IO[bytes], context: Context) -> bytes:
    """All bytes of what must be read at once.

    Raises:
        BadInput: There are too many.
    """
    content = stream.read(WHOLE_BYTES + 1)
    if len(content) > WHOLE_BYTES:
        raise too_large(context.name, WHOLE_BYTES)
    return content


def lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines with their numbers; of one that is too long, the beginning only."""
    number = 0
    while line := stream.readline(LINE_BYTES + 1):
        number += 1
        rest = line
        while len(rest) > LINE_BYTES and not rest.endswith(b"\n"):
            rest = stream.readline(LINE_BYTES + 1)
        yield number, line


def too_large(name: str, limit: int) -> BadInput:
    """The error for bytes that must be read at once, and are too many."""
    return BadInput(
        f"{name} is larger than {limit >> 20} MiB",
        hint="send or save it in smaller parts",
        code="too_large",
    )


def too_many_records() -> BadInput:
    """The error for more records than may be taken at once, however small they are."""
    return BadInput(
        f"the request has more than {MOST_RECORDS:,} records",
        hint="send or save fewer records at once",
        code="too_large",
    )
