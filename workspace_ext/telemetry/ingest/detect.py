"""Finding out a file's format from its first bytes and its name."""

from __future__ import annotations

import json
import re
from pathlib import Path

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest.model import FORMATS, Format
from workspace_ext.telemetry.ingest.source import opening_bytes

_PEEK = 1 << 16
_OTLP_KEYS = re.compile(rb'"(resourceSpans|resourceLogs|resourceMetrics)"')
_SAMPLE = re.compile(
    rb"[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^\n]*\})?[ \t]+[-+0-9.eEnNaAiIfF]+([ \t]+-?\d+)?[ \t]*\r?"
)
_COMMENT = re.compile(rb"# (HELP|TYPE|UNIT|EOF)\b")


def detect(path: Path, name: str) -> Format:
    """The format of a file.

    Raises:
        BadInput: It is none that is known, or cannot be read.
    """
    head = opening_bytes(path, name, _PEEK)
    found = _by_content(head) or _by_name(name, head)
    if found is None:
        if not path.stat().st_size:
            raise BadInput(f"{name} is empty", hint="look at what wrote it", code="empty_file")
        raise BadInput(
            f"{name} is in no format that is known here",
            hint=f"name it, if it is one of: {', '.join(FORMATS)}",
            code="unknown_format",
        )
    return found


def _by_content(head: bytes) -> Format | None:
    if head[:4] == b"PAR1":
        return "parquet"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] == b"{" and _OTLP_KEYS.search(head):
        return "otlp-json"
    if _framed(head) or (head[:1] == b"\n" and not _is_text(head)):
        return "otlp-proto"
    lines = [line for line in start.split(b"\n")[:20] if line.strip()]
    if lines and all(
        _COMMENT.match(line) or _SAMPLE.fullmatch(line) for line in lines[:-1] or lines
    ):
        return "prometheus"
    return None


def _framed(head: bytes) -> bool:
    """Whether it starts with a length and a message whose first field is number 1."""
    return len(head) > 5 and head[0] < 0x0A and head[4:5] == b"\n" and not _is_text(head[:4])


def _is_text(content: bytes) -> bool:
    return b"\0" not in content and all(byte >= 32 or byte in b"\t\r\n" for byte in content[:512])


def _by_name(name: str, head: bytes) -> Format | None:
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    if {".csv", ".tsv"} & set(suffixes) and _is_text(head):
        return "csv"
    if {".json", ".jsonl"} & set(suffixes) and _first_is_json(head):
        return "otlp-json"
    return None


def _first_is_json(head: bytes) -> bool:
    try:
        return isinstance(json.loads(head.split(b"\n", 1)[0]), dict)
    except ValueError:
        return False
