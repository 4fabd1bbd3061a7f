"""Answers to queries, as they come over the wire."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from workspace_ext.foundation.errors import InvestigationError, Unavailable, from_dict
from workspace_ext.protocol.messages import ANSWER_KEY, Answer

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class QueryResult:
    """All rows of an answer, and what comes with them."""

    table: pa.Table
    answer: Answer


class AnswerStream:
    """Record batches as they arrive; `answer` is there once they are all read.

    Closing it early tells the broker to cancel the query.
    """

    def __init__(
        self, response: BaseHTTPResponse, failed: Callable[[Exception], InvestigationError]
    ) -> None:
        import pyarrow as pa  # heavy: only who reads rows pays for it

        self._response = response
        self._failed = failed
        self._broken = (pa.ArrowException, OSError, HTTPError)
        self._answer: Answer | None = None
        small = "Content-Length" in response.headers
        try:
            # one read, and the connection is free for the next question
            self._reader = pa.ipc.open_stream(response.read() if small else response)
        except self._broken as error:
            self._response.close()
            raise failed(error) from error

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""
        return self._reader.schema

    @property
    def answer(self) -> Answer:
        """What came with the rows.

        Raises:
            Unavailable: The rows are not all read.
        """
        if self._answer is None:
            raise Unavailable(
                "the answer is not complete", hint="read all batches first", code="unread_answer"
            )
        return self._answer

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches.

        Raises:
            InvestigationError: The query failed half-way, or the broker went away.
        """
        while self._answer is None:
            try:
                batch, metadata = self._reader.read_next_batch_with_custom_metadata()
            except (StopIteration, *self._broken) as error:
                self._response.close()
                raise self._failed(error) from error
            if metadata is not None and ANSWER_KEY in metadata:
                self._answer = cast(Answer, json.loads(metadata[ANSWER_KEY]))
                self._finish()
            else:
                yield batch
        if self._answer["error"] is not None:
            raise from_dict(self._answer["error"])

    def read_all(self) -> QueryResult:
        """Everything at once."""
        import pyarrow as pa

        batches = list(self)
        return QueryResult(pa.Table.from_batches(batches, self.schema), self.answer)

    def _finish(self) -> None:
        self._response.read()  # the end mark, so that the connection can be used again
        self._response.release_conn()

    def close(self) -> None:
        """Stops reading; the broker cancels what is still running."""
        if self._answer is None:
            self._response.close()

    def __enter__(self) -> AnswerStream:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
