from __future__ import annotations

import pytest

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest.mapping import Field, parse_mapping

GOOD = """
signal: spans
fields:
  time: {column: start, unit: ms}
  duration: {column: took, unit: us}
  trace_id: trace
  span_id: span
  parent_span_id: {column: parent, map: {root: null}}
  service: {column: pod, extract: '^(.*)-[^-]+$', default: unknown}
  environment: {constant: production}
attributes: [zone, rack]
"""


def test_short_and_long_forms() -> None:
    mapping = parse_mapping(GOOD)
    fields = dict(mapping.fields)
    assert fields["trace_id"] == Field(column="trace")
    assert fields["parent_span_id"] == Field(column="parent", replace=(("root", None),))
    assert fields["environment"] == Field(constant="production")
    assert [name for name, _ in mapping.attributes] == ["rack", "zone"]
    assert mapping.columns()["start"] == "fields.time"


def test_the_digest_ignores_comments_and_order_of_keys() -> None:
    assert parse_mapping(GOOD + "# a remark\n").digest == parse_mapping(GOOD).digest
    assert parse_mapping(GOOD.replace("ms", "us", 1)).digest != parse_mapping(GOOD).digest


@pytest.mark.parametrize(
    ("change", "message", "hint"),
    [
        (("signal: spans", "signal: traces"), "signal: 'traces' is not a signal", "spans"),
        (("trace_id: trace", "traceid: trace"), "fields: unknown key 'traceid'", "mean trace_id"),
        (("span_id: span", "span_id: {col: span}"), "fields.span_id: unknown key 'col'", "column"),
        (("unit: ms", "unit: minutes"), "fields.time: unknown unit 'minutes'", "ns, us, ms, s"),
        (("  span_id: span\n", ""), "fields: span_id is missing: spans need it", ""),
        (("took, unit: us", "took"), "fields.duration: say its unit", "ns, us, ms, s"),
        (("trace_id: trace", "trace_id: {column: t, unit: s}"), "takes no unit", ""),
        (("trace_id: trace", "trace_id: {column: t, constant: x}"), "either column or const", ""),
        (("'^(.*)-[^-]+$'", "'^(.*'"), "fields.service.extract: not a pattern", ""),
        (("'^(.*)-[^-]+$'", "'^(.*)-(.*)$'"), "may have one group at most", ""),
        (("{root: null}", "root"), "fields.parent_span_id.map: must be a map", ""),
        (("start, unit: ms", "start, time_zone: Mars/Olympus"), "unknown time zone", "Asia"),
        (("attributes: [zone, rack]", "attributes: zone"), "attributes: must be a list", ""),
        (("attributes: [zone, rack]", "wide: {a: b}"), "wide: is for metrics only", ""),
        (("attributes: [zone, rack]", "delimiter: ';;'"), "delimiter: must be one character", ""),
        (("signal: spans", "signal: [spans"), "not valid YAML", "quotes"),
    ],
)
def test_what_is_wrong_is_named(change: tuple[str, str], message: str, hint: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_mapping(GOOD.replace(*change), "spans.mapping.yaml")
    assert caught.value.message.startswith("spans.mapping.yaml")
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("text", ["", "just text", "[1, 2]", "signal: logs"])
def test_no_mapping_at_all(text: str) -> None:
    with pytest.raises(BadInput):
        parse_mapping(text)


def test_wide_metrics_name_themselves() -> None:
    mapping = parse_mapping(
        "signal: metrics\nfields: {time: {column: t, unit: s}}\n"
        "wide: {cpu: pod.cpu, mem: {name: pod.mem, unit: MiB, kind: sum}}"
    )
    assert [(m.column, m.name, m.unit, m.kind) for m in mapping.wide] == [
        ("cpu", "pod.cpu", None, "gauge"),
        ("mem", "pod.mem", "MiB", "sum"),
    ]
    with pytest.raises(BadInput, match="name is missing"):
        parse_mapping("signal: metrics\nfields: {time: t, value: v}")
    with pytest.raises(BadInput, match="remove them"):
        parse_mapping("signal: metrics\nfields: {time: t, name: n}\nwide: {cpu: cpu}")
