"""What the broker tells a worker before the rows of a step."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class StepJob:
    """One run of a step.

    Attributes:
        step: Its name.
        template: Whose it is, for messages.
        params: The value of every parameter.
        returns: The columns that must come out.
        rows: How many rows it may give.
    """

    step: str
    template: str
    params: Mapping[str, Any]
    returns: pa.Schema
    rows: int

    def to_line(self) -> bytes:
        """The form that travels: values as Arrow has them, so that a time stays a time."""
        import pyarrow as pa

        values = pa.RecordBatch.from_pylist([dict(self.params)]) if self.params else None
        sent = {
            "step": self.step,
            "template": self.template,
            "schema": _text(values.schema.serialize()) if values else None,
            "values": _text(values.serialize()) if values else None,
            "returns": _text(self.returns.serialize()),
            "rows": self.rows,
        }
        return json.dumps(sent).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> StepJob:
        """From `to_line`."""
        import pyarrow as pa

        sent = json.loads(line)
        params: dict[str, Any] = {}
        if sent["schema"]:
            schema = pa.ipc.read_schema(pa.py_buffer(b64decode(sent["schema"])))
            batch = pa.ipc.read_record_batch(pa.py_buffer(b64decode(sent["values"])), schema)
            params = batch.to_pylist()[0]
        returns = pa.ipc.read_schema(pa.py_buffer(b64decode(sent["returns"])))
        return cls(sent["step"], sent["template"], params, returns, sent["rows"])


def _text(buffer: Any) -> str:
    return b64encode(buffer).decode()
