from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.support.places import shared_data
from tests.support.store import INCIDENT, Store
from workspace_ext.foundation.errors import BadInput

LOGS = """
signal: logs
fields:
  time: {column: at}
  body: message
  severity: {column: level, map: {E: ERROR, I: INFO}}
  service: app
attributes: [user]
"""
HEADER = "at,level,app,message,user\n"


@pytest.fixture
def ingest(store: Store, tmp_path: Path):
    def ingest(text: str | bytes, mapping: str = LOGS, name: str = "app.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return store.ingest(path, mapping=mapping)

    return ingest


def test_values_arrive_in_their_fields(store: Store, ingest) -> None:
    report = ingest(HEADER + '2024-01-02T03:04:05.123456789Z,E,cart,"a ""b"", c\nd",ann\n')
    assert (report.format, report.rows, report.quarantined) == ("csv", {"logs": 1}, 0)
    assert store.rows(
        "SELECT time_ns, time::VARCHAR, severity, severity_number, service, body, attributes"
        " FROM logs"
    ) == [
        (
            1704164645123456789,
            "2024-01-02 03:04:05.123456+00",
            "ERROR",
            17,
            "cart",
            'a "b", c\nd',
            {"user": "ann"},
        )
    ]


def test_empty_values_are_null(store: Store, ingest) -> None:
    ingest(HEADER + "2024-01-02T03:04:05Z,,cart,,\n")
    assert store.rows("SELECT severity, body, attributes FROM logs") == [(None, None, {})]


def test_bad_records_are_told_by_line_and_never_stop_the_others(store: Store, ingest) -> None:
    report = ingest(
        HEADER
        + "2024-01-02T03:04:05Z,I,cart,good 2,ann\n"
        + "yesterday,I,cart,bad time,ann\n"
        + '2024-01-02T03:04:06Z,I,cart,"two\nlines",ann\n'
        + ",I,cart,no time,ann\n"
        + "2024-01-02T03:04:07Z,I,cart\n"
        + '2024-01-02T03:04:07Z,I,cart,"good"torn,ann\n'
        + "\n"
        + "2024-01-02T03:04:08Z,I,cart,good 10,ann\n"
    )
    assert (report.rows, report.quarantined) == ({"logs": 3}, 4)
    assert store.quarantine() == [
        (3, "time: 'yesterday' is not a time"),
        (6, "no time"),
        (7, "3 values, the header has 5"),
        (8, "not valid CSV: ',' expected after '\"'"),
    ]
    first = store.catalog.quarantine()[0]
    assert first["record"] == "yesterday,I,cart,bad time,ann"


def test_a_torn_quotation_mark_does_not_swallow_what_follows(store: Store, ingest) -> None:
    lines = [f'2024-01-02T03:04:{n:02}Z,I,cart,"message {n}",ann' for n in range(20)]
    lines[5] = '2024-01-02T03:04:05Z,I,cart,"mess'
    report = ingest(HEADER + "\n".join(lines) + "\n")
    assert report.rows == {"logs": 19}
    assert [line for line, _ in store.quarantine()] == [7]


def test_a_torn_last_line(store: Store, ingest) -> None:
    report = ingest(HEADER + '2024-01-02T03:04:05Z,I,cart,good,ann\n2024-01-02T03:04:06Z,I,"ca')
    assert (report.rows, report.quarantined) == ({"logs": 1}, 1)
    assert store.quarantine()[0][0] == 3


def test_bytes_that_are_no_text(store: Store, ingest) -> None:
    good = b"2024-01-02T03:04:05Z,I,cart,good,ann\n"
    report = ingest(HEADER.encode() + good + good.replace(b"good", b"b\xffd"))
    assert (report.rows, report.quarantined) == ({"logs": 1}, 1)
    assert store.quarantine() == [(3, "not UTF-8")]


@pytest.mark.parametrize("name", ["app.csv.gz", "app.csv"])
def test_compressed_and_with_a_byte_order_mark(store: Store, ingest, name: str) -> None:
    content = b"\xef\xbb\xbf" + HEADER.encode() + b"2024-01-02T03:04:05Z,I,cart,hi,ann\r\n"
    report = ingest(gzip.compress(content), name=name)
    assert report.rows == {"logs": 1}


def test_times_in_a_zone_and_with_an_offset(store: Store, ingest) -> None:
    mapping = LOGS.replace("{column: at}", "{column: at, time_zone: Asia/Shanghai}")
    ingest(
        HEADER
        + "2024-01-02 11:04:05.5,I,local,x,\n2024-01-02T03:04:05Z,I,utc,x,\n"
        + "2024-01-02 05:04:05 +0200,I,offset,x,\n",
        mapping,
    )
    assert store.rows("SELECT service, epoch_us(time) FROM logs ORDER BY service") == [
        ("local", 1704164645500000),
        ("offset", 1704164645000000),
        ("utc", 1704164645000000),
    ]


@pytest.mark.parametrize(
    ("unit", "value"),
    [("s", "1704164645.25"), ("ms", "1704164645250"), ("us", "1704164645250000")],
)
def test_times_as_numbers(store: Store, ingest, unit: str, value: str) -> None:
    mapping = LOGS.replace("{column: at}", f"{{column: at, unit: {unit}}}")
    ingest(HEADER + f"{value},I,cart,x,\nsoon,I,cart,x,\n-5,I,cart,x,\n", mapping)
    assert store.rows("SELECT time_ns FROM logs") == [(1704164645250000000,)]
    assert store.quarantine() == [
        (3, "time: 'soon' is not a time"),
        (4, "time: '-5' is not after 1970"),
    ]


def test_a_column_that_is_not_there(ingest) -> None:
    with pytest.raises(BadInput, match=r"fields.body: column 'mesage' is not in the file") as e:
        ingest(HEADER, LOGS.replace("body: message", "body: mesage"))
    assert e.value.hint == "did you mean message?"


def test_a_column_that_is_there_twice(ingest) -> None:
    with pytest.raises(BadInput, match=r"attributes.user: column 'user' is there more than"):
        ingest("at,user,level,app,message,user\n")


def test_a_pattern_that_the_database_refuses(ingest) -> None:
    with pytest.raises(BadInput, match="cannot be applied"):
        ingest(HEADER, LOGS.replace("app\n", "{column: app, extract: '(?=x)y'}\n"))


@pytest.mark.parametrize("text", ["", "\n", '"torn'])
def test_no_header(ingest, text: str) -> None:
    with pytest.raises(BadInput):
        ingest(text)


def test_no_mapping(store: Store, tmp_path: Path) -> None:
    (tmp_path / "app.csv").write_text(HEADER)
    with pytest.raises(BadInput, match="has no mapping") as caught:
        store.ingest(tmp_path / "app.csv")
    assert "app.mapping.yaml" in caught.value.hint


def test_the_original_files_of_an_incident(store: Store) -> None:
    folder = shared_data("nezha-trainticket", "original", "rca_data", "2023-01-29")
    rows = {}
    for kind, file in (("spans", "trace"), ("logs", "log")):
        mapping = (INCIDENT / f"{kind}.mapping.yaml").read_text()
        report = store.ingest(folder / file / f"09_04_{file}.csv.gz", mapping=mapping)
        rows[kind] = (report.rows[kind], report.duplicates, report.quarantined)
    assert rows == {"spans": (2747, 0, 0), "logs": (1343, 0, 0)}
    assert store.rows("SELECT count(*) FROM spans WHERE parent_span_id IS NULL") == [(60,)]


def test_the_torn_line_of_the_original(store: Store, tmp_path: Path) -> None:
    import json

    torn = json.loads(shared_data("nezha-trainticket", "rejects.jsonl").read_text())["raw"]
    header = "Timestamp,TimeUnixNano,Node,PodName,Container,TraceID,SpanID,Log\n"
    good = torn.split('}"ulate')[0] + '}"\n'
    path = tmp_path / "10_06_log.csv"
    path.write_text(header + good + torn + good.replace("038423", "038424"))
    report = store.ingest(path, mapping=(INCIDENT / "logs.mapping.yaml").read_text())
    assert (report.rows, report.duplicates, report.quarantined) == ({"logs": 1}, 1, 1)
    assert store.quarantine()[0][0] == 3


@pytest.mark.parametrize(
    "time", ["9999-12-31T23:59:59Z", "infinity", "0001-01-01T00:00:00Z", "9" * 40, "NaN"]
)
@pytest.mark.parametrize("unit", ["", ", unit: s", ", time_zone: Europe/Berlin"])
def test_times_beyond_all_bounds(store: Store, ingest, time: str, unit: str) -> None:
    mapping = LOGS.replace("{column: at}", f"{{column: at{unit}}}")
    report = ingest(HEADER + f"{time},I,cart,x,\n", mapping)
    assert (report.rows, report.quarantined) == ({}, 1)
    assert store.quarantine()[0][1].startswith(f"time: '{time}' is not a")


def test_numbers_beyond_all_bounds(store: Store, ingest) -> None:
    mapping = LOGS.replace("body: message", "severity_number: message")
    report = ingest(HEADER + "2024-01-02T03:04:05Z,I,cart,99999999999,\n", mapping)
    assert (report.rows, report.quarantined) == ({}, 1)
    assert store.quarantine() == [(2, "severity_number: '99999999999' is not a whole number")]


def test_columns_that_differ_in_case_only_or_bear_our_own_names(store: Store, ingest) -> None:
    ingest(
        "Message,at,message,v_time,reason,__row,app,level,user\n"
        "A,2024-01-02T03:04:05Z,a,x,x,x,cart,I,ann\n",
        LOGS.replace("[user]", "[Message, v_time, reason]"),
    )
    assert store.rows("SELECT body, attributes FROM logs") == [
        ("a", {"Message": "A", "reason": "x", "v_time": "x"})
    ]


def test_a_header_that_is_no_text(ingest) -> None:
    with pytest.raises(BadInput, match="header is not UTF-8"):
        ingest(b"at,\xff\n")
