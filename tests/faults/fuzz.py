"""Fuzzes the decoders: whatever bytes come, records and rejects, or one clear error.

``python -m tests.faults.fuzz --inputs 100000`` is the long round, over every format or those that
``--format`` names; run it with ``nice``. The tests run a short one. An input is a real payload with
some of its values replaced and its bytes changed and cut; for protobuf both before and after it is
compressed. Hypothesis makes one in ten; the others are this one, or the payload, with some words
and bytes replaced, which is quicker. The memory of the process is limited, and no input may take
longer than two seconds. ``--engine atheris`` (``pip install atheris``) goes by coverage
instead: it learns from the branches that an input took in our code, for one format at a time.
"""

from __future__ import annotations

import argparse
import copy
import gc
import io
import re
import resource
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from inspect import isfunction
from pathlib import Path
from random import Random
from typing import Any, NoReturn

import duckdb
import pyarrow as pa
from google.protobuf.message import Message
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.samples import Sample, samples
from tests.support.store import NOW_NS
from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest import registry
from workspace_ext.telemetry.ingest.adapter import Context, Head
from workspace_ext.telemetry.ingest.adapters.otlp_proto import REPAIRED
from workspace_ext.telemetry.ingest.columns import arrow_schema
from workspace_ext.telemetry.ingest.limits import bounded
from workspace_ext.telemetry.ingest.mapping import parse_mapping
from workspace_ext.telemetry.ingest.model import Parsed
from workspace_ext.telemetry.ingest.resources import with_texts
from workspace_ext.telemetry.schema import SIGNALS

SECONDS = 2.0
"""Of the processor; no input may take longer."""

MEMORY_BYTES = 3 << 30
"""Of address space, in the long round."""

_INSERT_EVERY = 25
_ALSO = 9
_WORD = re.compile(rb'"[^"\\]*"|[-+.\w]+')
_PUT = [
    b"", b'""', b"null", b"true", b"-1", b"0", b"1e999", b"NaN", b"9" * 30, b"[]", b"{}", b'"x"',
    b"{", b"]", b",", b"\n", b"\r\n", b'"', b"\x00", b"\xff", b"\xc3(", b'"\\ud800"', b"x" * 300,
    b"\xff" * 9 + b"\x01", b"1970-01-01T00:00:00Z", b'"2200-01-01T00:00:00Z"', b"9" * 19,
]  # fmt: skip
_ODD: list[Any] = [
    "", "\ud800", "0" * 32, "1970-01-01T00:00:00Z", "2200-01-01T00:00:00Z", "9" * 30, "1e999", "-1",
    "NaN", 1 << 63, -1, 1e308,
]  # fmt: skip
_MORE = [*_ODD, None, True, 0, 1 << 62, 1e-300, [], {}, [[]], {"a": {"b": [None]}}, "x" * 300]
_MAPPING = parse_mapping(
    "signal: logs\nfields: {time: {column: t, unit: s}, body: a, severity: b}\nattributes: [a]"
)
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 70), 1 << 70),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(_ODD),
)
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)
_where = st.floats(0, 1, exclude_max=True)
_grafts = st.lists(st.tuples(_where, _values), max_size=3)
_changes = st.lists(st.tuples(_where, st.binary(min_size=1, max_size=4), st.booleans()), max_size=4)
_cut = st.none() | _where


@st.composite
def inputs(draw: st.DrawFn, name: str) -> tuple[list[bytes], Sample]:
    """Bytes for a format, several times, and the payload that they come from."""
    sample = draw(st.sampled_from(samples()[name]))
    if draw(st.integers(0, 19)) == 0:
        return [draw(st.binary(max_size=100))], sample
    content = sample.content
    if not isinstance(content, bytes):
        grafted = draw(_grafts)
        content = replace(sample, content=_graft(content, grafted)).plain
        if draw(st.integers(0, 3)):
            return [sample.pack(content), *_also(content, sample)], sample
    content = _changed(content, draw(_changes), draw(_cut))
    packed = sample.pack(content)
    if sample.pack is not bytes and draw(st.integers(0, 3)) == 0:
        packed = _changed(packed, draw(_changes), draw(_cut))
    return [packed, *_also(content, sample)], sample


def _also(content: bytes, sample: Sample) -> Iterator[bytes]:
    """The same for the same content, so that hypothesis can show a small one."""
    random = Random(zlib.crc32(content))
    whole = sample.plain
    for _ in range(_ALSO):
        if not isinstance(sample.content, bytes) and random.random() < 0.5:
            grafts = [(random.random(), random.choice(_MORE)) for _ in range(random.randint(1, 3))]
            yield replace(sample, content=_graft(sample.content, grafts)).body
            continue
        made = random.choice((content, whole))
        for _ in range(random.randint(1, 2)):
            words = list(_WORD.finditer(made))
            put = random.choice(_PUT)
            if words and random.random() < 0.6:
                start, end = random.choice(words).span()
            else:
                start = random.randint(0, len(made))
                end = start + random.choice((0, 1, len(put)))
                put = random.choice(
                    (put, random.randbytes(random.randint(1, 4)), made[:start][-9:])
                )
            made = made[:start] + put + made[end:]
        yield sample.pack(made)


def _changed(content: bytes, changes: list[tuple[float, bytes, bool]], cut: float | None) -> bytes:
    made = bytearray(content)
    for where, put, instead in changes:
        at = int(where * len(made))
        made[at : at + (len(put) if instead else 0)] = put
    return bytes(made if cut is None else made[: int(cut * len(made))])


def _graft(content: Any, grafts: list[tuple[float, Any]]) -> Any:
    if isinstance(content, Message):
        return _replaced(content, grafts)
    made = [copy.deepcopy(content)]
    for where, value in grafts:
        places = list(_places(made))
        holder, key = places[int(where * len(places))]
        holder[key] = copy.deepcopy(value)
    return made[0]


def _places(holder: Any) -> Iterator[tuple[Any, Any]]:
    for key in range(len(holder)) if isinstance(holder, list) else list(holder):
        yield holder, key
        if isinstance(holder[key], list | dict):
            yield from _places(holder[key])


def _replaced(content: Message, grafts: list[tuple[float, Any]]) -> Message:
    """A message with other values in some of its fields; a list's value may come many times."""
    made = copy.deepcopy(content)
    for where, value in grafts:
        holders = list(_messages(made))
        at = where * len(holders)
        holder = holders[int(at)]
        fields = [each for each in holder.DESCRIPTOR.fields if each.type != each.TYPE_MESSAGE]
        if not fields:
            continue
        one = fields[int(at % 1 * len(fields))]
        with suppress(ValueError, TypeError, OverflowError):  # a value that the field cannot have
            fit = _fitting(one, value)
            if one.is_repeated:
                getattr(holder, one.name).extend([fit] * (len(str(value)) % 4))
            else:
                setattr(holder, one.name, fit)
    return made


def _messages(message: Any) -> Iterator[Any]:
    yield message
    for one, value in message.ListFields():
        if one.type == one.TYPE_MESSAGE:
            for part in value if one.is_repeated else (value,):
                yield from _messages(part)


def _fitting(one: Any, value: Any) -> Any:
    if one.type in (one.TYPE_STRING, one.TYPE_BYTES):
        text = str(value)
        return text if one.type == one.TYPE_STRING else text.encode("utf-8", "surrogatepass")
    if one.type in (one.TYPE_DOUBLE, one.TYPE_FLOAT):
        return float(value)
    if isinstance(value, int):
        small = one.cpp_type in (one.CPPTYPE_INT32, one.CPPTYPE_UINT32, one.CPPTYPE_ENUM)
        signed = one.cpp_type in (one.CPPTYPE_INT32, one.CPPTYPE_INT64)
        return abs(value) % (1 << (31 if small else 63)) * (-1 if value < 0 and signed else 1)
    return int(float(value))


class Checker:
    """Decodes inputs, and looks at what comes of each."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._adapter = registry.find(name)
        self._mapping = _MAPPING if self._adapter.needs_mapping else None
        self._connection = duckdb.connect(":memory:", config={"threads": 1})
        for signal in SIGNALS.values():
            columns = ", ".join(f"{column} {kind}" for column, kind in signal.kept)
            self._connection.execute(f"CREATE TABLE {signal.name} ({columns})")
        self.inputs = self.refused = self.records = self.rejects = self.together = 0
        self.slowest = 0.0

    def check(self, body: bytes, sample: Sample) -> None:
        """One input.

        Raises:
            AssertionError: What came of it is not as promised.
        """
        context = Context(NOW_NS, "x", sample.headers, sample.signal, self._mapping)
        self.inputs += 1
        self._adapter.recognise(Head(body, "x.json"))
        started = time.thread_time()  # others may keep the machine busy
        parts: list[Parsed] = []
        refused: BadInput | None = None
        try:
            parts = [bounded(part) for part in self._adapter.read(io.BytesIO(body), context)]
        except BadInput as error:
            refused = error
        if refused is not None:
            self.refused += 1
            assert refused.hint
            assert "\n" not in refused.message
        taken = time.thread_time() - started
        self.slowest = max(self.slowest, taken)
        assert taken < SECONDS, f"{taken:.1f} s"
        self._check_together(body, sample, parts)
        for part in parts:
            self.rejects += part.rejected
            for reject in part.rejects:
                assert reject.reason
                (reject.reason + reject.record).encode()
            for signal, records in part.tables.items():
                assert records.schema.equals(_kept_schema(signal))
                self.records += records.num_rows
                if self.inputs % _INSERT_EVERY == 0:
                    self._insert(signal, records)

    def _check_together(self, body: bytes, sample: Sample, parts: list[Parsed]) -> None:
        """Read together with others it gives the same, or is left out.

        But for fields of which nothing is kept: what is wrong there may go unseen.
        """
        if self._adapter.together is None or not sample.signal:
            return
        first, found, last = registry.decode_together(self._name, sample.signal, [body] * 3)
        assert (first is None) == (found is None) == (last is None)
        if found is None or not parts:
            return
        self.together += 1
        (part,) = parts
        assert found.rejected == part.rejected
        assert set(found.warnings) ^ set(part.warnings) <= {REPAIRED}
        for signal, records in found.tables.items():
            expected = part.tables.get(signal, _kept_schema(signal).empty_table())
            records.validate(full=True)
            assert records.to_pylist() == expected.to_pylist()

    def _insert(self, signal: str, records: Any) -> None:
        self._connection.register("incoming", records)
        self._connection.execute(f"INSERT INTO {signal} SELECT * FROM incoming")
        self._connection.execute(f"SELECT * FROM {signal}").fetchall()
        self._connection.execute(f"DELETE FROM {signal}")
        self._connection.unregister("incoming")


def fuzz(name: str, count: int, *, derandomize: bool = False) -> Checker:
    """Fuzzes one format with about so many inputs.

    Raises:
        AssertionError: An input was found that breaks a promise; hypothesis shows it.
    """
    checker = Checker(name)

    def one(found: tuple[list[bytes], Sample]) -> None:
        bodies, sample = found
        for body in bodies:
            checker.check(body, sample)

    round_settings = settings(
        max_examples=min(-(-count // (1 + _ALSO)), 1_000),
        deadline=None,
        database=None,
        derandomize=derandomize,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    while checker.inputs < count:  # in rounds: hypothesis remembers each input of one
        round_settings(given(inputs(name))(one))()
        gc.collect()
        print(f"{name}: {checker.inputs:,} of {count:,} inputs", file=sys.stderr, flush=True)
    return checker


def guided(name: str, count: int) -> NoReturn:
    """Fuzzes one format by coverage; atheris ends the process, and leaves what it found here."""
    import atheris

    checker, known = Checker(name), samples()[name]
    for module in [each for each in sys.modules if each.startswith("workspace_ext.telemetry.")]:
        for function in vars(sys.modules[module]).values():
            if isfunction(function) and function.__module__ == module:
                atheris.instrument_func(function)

    def one(data: bytes) -> None:
        if data:
            sample = known[data[0] % len(known)]
            checker.check(sample.pack(data[1:]), sample)

    seeds = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    for number, sample in enumerate(known):
        (seeds / str(number)).write_bytes(bytes([number]) + sample.plain)
    atheris.Setup([name, f"-runs={count}", str(seeds)], one)
    atheris.Fuzz()
    raise AssertionError("atheris goes on")


def main() -> int:
    """The long round."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--inputs", type=int, default=100_000, help="for each format")
    parser.add_argument(
        "--format", action="append", choices=sorted(samples()), help="several times"
    )
    parser.add_argument("--engine", choices=("hypothesis", "atheris"), default="hypothesis")
    options = parser.parse_args()
    if options.engine == "atheris":
        if len(options.format or ()) != 1:
            parser.error("atheris ends its process: name one --format")
        guided(options.format[0], options.inputs)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    print(
        f"{'format':24} {'inputs':>8} {'refused':>8} {'records':>9} {'rejects':>9}  slowest  peak"
    )
    for name in options.format or samples():
        started = time.perf_counter()
        done = fuzz(name, options.inputs)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"{name:24} {done.inputs:8} {done.refused:8} {done.records:9} {done.rejects:9}"
            f"  {done.slowest:6.3f}s, {peak} MiB at most, in {time.perf_counter() - started:.0f} s",
            flush=True,
        )
    return 0


def _kept_schema(signal: str) -> pa.Schema:
    """Of what an adapter gives: resources are texts."""
    return with_texts(arrow_schema(signal).empty_table()).schema


if __name__ == "__main__":
    sys.exit(main())
