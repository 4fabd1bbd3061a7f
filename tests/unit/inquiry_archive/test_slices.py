"""Which rows are wanted, how many are written, and which queries miss some then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.archive import slices
from workspace_ext.inquiry.archive.slices import Cap, cut, is_cut_off, write_slice
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.telemetry.query.model import Scan

S = 1_000_000_000


def asked(pin: int, *scans: Scan) -> QueryRecord:
    tables = {"tables": [scan.to_dict() for scan in scans]}
    mode: Any = {"mode": "ordered", "reason": ""}
    return QueryRecord("q", "", "", {}, pin, mode, scan=tables)


def test_windows_of_one_pin_are_united_and_pins_stay_apart() -> None:
    first, second, apart = Window(0, 10 * S), Window(5 * S, 20 * S), Window(30 * S, 40 * S)
    (found,) = cut(
        [
            asked(1, Scan("spans", ("time", "name"), first)),
            asked(1, Scan("spans", ("time", "service"), second)),
            asked(2, Scan("spans", ("time",), apart)),
        ]
    )
    assert found.columns == ("name", "service", "time")
    assert found.seen == ((Window(0, 20 * S), 1), (apart, 2))
    (all_,) = cut([asked(1, Scan("spans", ("time",), first), Scan("spans", ("time",), None))])
    assert all_.seen == ((None, 1),)
    assert cut([]) == []


def rows(count: int, *, batch: int = 1000) -> pa.RecordBatchReader:
    times = (
        pa.array(range(count), pa.int64()).cast(pa.timestamp("s")).cast(pa.timestamp("us", "UTC"))
    )
    table = pa.table({"time": times, "n": pa.array(range(count))})
    return table.to_reader(max_chunksize=batch)


def test_the_same_rows_give_the_same_bytes_however_they_come(tmp_path: Path) -> None:
    for name, batch in (("a", 7), ("b", 120_000)):
        written = write_slice("spans", 120_000, rows(120_000, batch=batch), Cap(), tmp_path / name)
        assert (written.rows, written.capped()) == (120_000, None)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert pq.read_metadata(tmp_path / "a").num_row_groups == 3


@pytest.mark.parametrize("most", [0, 1, 50_000, 60_000])
def test_a_cap_takes_the_oldest_and_tells_until_when(tmp_path: Path, most: int) -> None:
    written = write_slice("spans", 70_000, rows(70_000), Cap(rows=most), tmp_path / "a")
    assert pq.read_table(tmp_path / "a").num_rows == written.rows == most
    capped = written.capped()
    assert capped is not None
    assert (capped["rows"], capped["of"]) == (most, 70_000)
    told = {slices.slice_path("spans"): capped}
    assert not is_cut_off(Scan("spans", (), Window(-S, most * S)), told)
    assert is_cut_off(Scan("spans", (), Window(-S, most * S + 1)), told)
    assert is_cut_off(Scan("spans", (), None), told)
    assert not is_cut_off(Scan("logs", (), None), told)


def test_a_cap_in_megabytes_ends_after_whole_groups(tmp_path: Path) -> None:
    written = write_slice("spans", 300_000, rows(300_000), Cap(mb=1), tmp_path / "a")
    assert 0 < written.rows < 300_000
    assert written.rows % 50_000 == 0
    assert (tmp_path / "a").stat().st_size <= 1_010_000
    assert write_slice("spans", 9, rows(9), Cap(mb=0), tmp_path / "b").rows == 0


def test_what_is_large_is_refused_by_name_and_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "MOST_ROWS", 100)
    with pytest.raises(BadInput, match="slice of spans is large: 101 rows") as caught:
        write_slice("spans", 101, rows(101), Cap(), tmp_path / "a")
    assert "--max-slice-rows" in caught.value.hint
    assert write_slice("spans", 101, rows(101), Cap(rows=101), tmp_path / "a").capped() is None
    monkeypatch.setattr(slices, "MOST_MB", 0)
    with pytest.raises(BadInput, match="more than 0 MB, 50 rows"):
        write_slice("spans", 50, rows(50), Cap(), tmp_path / "a")
    for wrong in (-1, 1.5, "9"):
        with pytest.raises(BadInput, match="max-slice-mb"):
            Cap(mb=wrong)  # type: ignore[arg-type]
