"""The parts of the ranking, one by one."""

import numpy as np
import pyarrow as pa
import pytest

from workspace_ext.inquiry.causes import flows, measures
from workspace_ext.inquiry.causes.evidence import log_bayes_factor
from workspace_ext.inquiry.causes.excess import (
    Series,
    Sort,
    by_chance,
    excess,
    sorts_of,
    volume_of,
)
from workspace_ext.inquiry.causes.roles import Role, role_of
from workspace_ext.inquiry.causes.statements import statements


def factor(*counts: int) -> float:
    return float(log_bayes_factor(*(np.array([count]) for count in counts))[0])


def test_the_factor_weighs_small_counts_with_care() -> None:
    assert factor(0, 1, 1, 1) < np.log(3)
    assert factor(0, 20, 20, 20) > np.log(1e8)
    assert factor(5, 100, 5, 100) < 0
    assert factor(0, 0, 3, 3) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10:00 INFO a.b.C#12 id=7 found York", "10:01 INFO a.b.C#12 id=9 found Rome", True),
        ("10:00 INFO a.b.C#12 done", "10:01 INFO a.b.C#13 done", False),
        ("E0501 main.go:40] no rows", "E0502 main.go:40] no rows in 7", True),
        ("cart 17 kept", "cart 18 kept", True),
        ("cart kept", "cart lost", False),
        ("sold to=York", "sold to=Rome", True),
        ('{"user":"ann","message":"sold 1"}', '{"user":"bob","message":"sold 2"}', True),
        ('{"user":"ann","msg":"sold"}', '{"user":"ann","msg":"lost"}', False),
        ('{"user":"ann","msg":"said \\"no\\" to', '{"user":"bob","msg":"said \\"yes\\" to', False),
    ],
)
def test_lines_of_one_statement_have_one_name(one: str, other: str, same: bool) -> None:
    first, second = statements(pa.chunked_array([[one, other]])).to_pylist()
    assert (first == second) is same


def flat(*values: float, usual: float, spread: float = 0.0, points: int = 100) -> Series:
    times = 300 * 10**9 * np.arange(len(values))
    return Series(times, np.array(values, dtype=float), usual, usual, spread, points)


def test_trouble_counts_for_whom_it_serves_most_and_not_for_its_callers() -> None:
    series = {
        ("web", "availability"): flat(100, 100, 97, 97, usual=100),
        ("cart", "availability"): flat(100, 100, 94, 94, usual=100),
        ("view of cart", "availability"): flat(100, 100, 80, 80, usual=100),
        ("db", "availability"): flat(100, 100, 100, 100, usual=100),
        ("odd", "availability"): flat(100, 50, 0, 0, usual=100),
        ("web", "requests"): flat(1000, 1000, 1000, 1000, usual=1000),
        ("cart", "requests"): flat(500, 500, 500, 500, usual=500),
        ("view of cart", "requests"): flat(50, 50, 50, 50, usual=50),
    }
    edges = [("web", "cart"), ("web", "view of cart"), ("cart", "db")]
    onset = flows.onset_ns(series, "web", "availability")
    assert onset == 600 * 10**9
    found = flows.troubles(series, edges, onset, service="web", symptom="availability")
    assert [one.service for one in found][:2] == ["cart", "view of cart"]
    assert "odd" not in [one.service for one in found]  # nobody on the way calls it
    assert found[0].own == pytest.approx(60)


def test_a_service_that_is_slow_on_its_own_comes_before_what_it_calls() -> None:
    series = {
        ("web", "latency"): flat(0.1, 0.1, 0.3, 0.3, usual=0.1, spread=0.01),
        ("db", "latency"): flat(0.05, 0.05, 0.06, 0.06, usual=0.05, spread=0.01),
    }
    found = flows.troubles(series, [("web", "db")], 600 * 10**9, service="web", symptom="latency")
    assert found[0].service == "web"


@pytest.mark.parametrize("names", [("latency", "requests"), ("m1", "m2")])
def test_without_a_call_graph_the_least_diluted_of_those_who_have_it_all_comes_first(
    names: tuple[str, str],
) -> None:
    time, volume = names
    series = {
        ("web", time): flat(300, 300.5, 700, 700, usual=300, spread=10),
        ("cart", time): flat(50, 50.5, 450, 450, usual=50, spread=5),
        ("db", time): flat(5, 5.5, 405, 405, usual=5, spread=1),
        **{(who, volume): flat(100, 100, 100, 100, usual=100) for who in ("web", "cart", "db")},
    }
    found = flows.troubles(series, [], 600 * 10**9, service="web", symptom=time)
    assert [one.service for one in found] == ["db", "cart", "web"]


def test_an_onset_without_a_place_is_that_of_the_surest_series() -> None:
    still = [10.0 + at % 3 for at in range(40)]
    series = {
        ("web", "latency"): flat(*still, usual=11),
        ("db", "latency"): flat(*still[:20], *(50 + at for at in still[20:]), usual=11),
    }
    assert flows.onset_ns(series, None, "latency") == 20 * 300 * 10**9
    assert flows.onset_ns({("web", "latency"): series["web", "latency"]}, None, "latency") is None


@pytest.mark.parametrize(
    ("name", "unit", "role"),
    [
        ("container_cpu_usage_seconds_total", "s", Role.RESOURCE),
        ("PodMemoryUsage", None, Role.RESOURCE),
        ("system.network.connections", None, Role.RESOURCE),
        ("member_orders", None, Role.UNKNOWN),
        ("istio_request_duration_milliseconds", None, Role.TIME),
        ("latency-90", None, Role.TIME),
        ("request_errors", None, Role.BAD),
        ("SuccessRate", "%", Role.GOOD),
        ("workload", None, Role.VOLUME),
        ("carts_load", None, Role.VOLUME),
        ("node_load1", None, Role.RESOURCE),
        ("process_open_fds", None, Role.RESOURCE),
        ("cpu_idle_percent", "%", Role.STANDING),
        ("node_memory_MemAvailable_bytes", "By", Role.STANDING),
        ("container_spec_memory_limit_bytes", None, Role.STANDING),
        ("availability.Average", None, Role.GOOD),
        ("HTTPCode_Target_5XX_Count", None, Role.BAD),
        ("UnHealthyHostCount", None, Role.BAD),
        ("SuccessfulRequestLatency", None, Role.TIME),
        ("grpc_server_handling_seconds", None, Role.TIME),
        ("grpc_server_handled_total", None, Role.VOLUME),
        ("http.server.active_requests", None, Role.UNKNOWN),
        ("istio_request_bytes", None, Role.UNKNOWN),
        ("m07", "ms", Role.TIME),
        ("m07", None, Role.UNKNOWN),
    ],
)
def test_a_name_or_a_unit_tells_what_is_measured(name: str, unit: str | None, role: Role) -> None:
    assert role_of(name, unit) is role


def test_where_no_name_tells_values_do() -> None:
    counts, times, shares = flat(0, 3, 9, 9, usual=1), flat(1.5, 2.5, usual=1), flat(0.9, usual=1)
    assert sorts_of("m1", [counts]) == [Sort.MORE]
    assert sorts_of("m1", [times]) == [Sort.LONGER, Sort.FEWER]
    assert sorts_of("error_rate", [shares]) == [Sort.LONGER]
    assert volume_of({("web", "m1"): counts, ("web", "m2"): times}) == "m1"
    assert volume_of({("web", "m2"): times}) == ""


def test_more_requests_explain_more_failures() -> None:
    failures = flat(10, 10, 30, 30, usual=10, spread=3)
    asked, busy = flat(100, 100, 100, 100, usual=100), flat(100, 100, 300, 300, usual=100)
    assert excess(failures, asked, Sort.MORE, 600 * 10**9).more == pytest.approx(40)
    assert excess(failures, busy, Sort.MORE, 600 * 10**9).more == pytest.approx(0)


def test_no_sample_after_the_onset_is_no_trouble() -> None:
    assert excess(flat(1, 9, usual=1), None, Sort.LONGER, 10**15).more == 0


def test_few_samples_are_never_sure() -> None:
    few, many = (
        excess(flat(1, 1, 900, 900, usual=1, points=points), None, Sort.LONGER, 600 * 10**9)
        for points in (1, 200)
    )
    assert few.more == many.more
    assert few.errors < by_chance(5) < many.errors


def usual(**high: float) -> pa.Table:
    names = list(high)
    return pa.table(
        {
            "service": names,
            "pod": [None] * len(names),
            "name": ["cpu"] * len(names),
            "unit": ["%"] * len(names),
            "low": [1.0] * len(names),
            "median": [1.0] * len(names),
            "high": list(high.values()),
        }
    )


def recent(**value: float) -> pa.Table:
    names = list(value)
    return pa.table(
        {
            "service": names,
            "pod": pa.nulls(len(names), pa.string()),
            "name": ["cpu"] * len(names),
            "time_ns": [5] * len(names),
            "value": list(value.values()),
        }
    )


def test_a_resource_that_rises_everywhere_is_nobodys() -> None:
    one = measures.rises(usual(a=5, b=5, c=5), recent(a=95, b=5, c=5), 0)
    assert [rise.service for rise in one] == ["a"]
    assert measures.rises(usual(a=5, b=5, c=5), recent(a=95, b=95, c=95), 0) == []
    both = measures.rises(usual(a=5, b=5), recent(a=95, b=95), 0)
    assert both[0].strength < one[0].strength


def test_a_resource_that_always_wanders_is_hardly_suspicious() -> None:
    still, restless = usual(a=5), usual(a=5)
    at = restless.column_names.index("low")
    restless = restless.set_column(at, "low", pa.array([-500.0]))
    strengths = [measures.rises(each, recent(a=95), 0)[0].strength for each in (still, restless)]
    assert strengths[1] < strengths[0] / 10


def test_what_was_before_the_onset_does_not_count() -> None:
    assert measures.rises(usual(a=5), recent(a=95), 6) == []
