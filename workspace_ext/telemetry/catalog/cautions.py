"""Cautions: what somebody should know about the data that a query looked at, in short sentences.

On one pin the data stays the same, so each span of minutes is looked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workspace_ext.foundation.clock import Window, moment
from workspace_ext.telemetry.catalog.gaps import (
    MINUTE_NS,
    MOST_MINUTES,
    STEADY,
    Gap,
    Profile,
    minutes_of,
    profile_of,
    profile_sql,
)
from workspace_ext.telemetry.catalog.service import Held, Removal
from workspace_ext.telemetry.catalog.traces import (
    LOOKED_AT,
    MOST_SPANS,
    TRACES_SQL,
    Sampled,
    Skew,
    read_traces,
)

Ask = Callable[[str, Mapping[str, object], int], list[dict[str, Any]]]
"""Runs SQL of ours with its values at a pin."""

_REMEMBERED = 1000
_NAMED = 3


@dataclass(frozen=True)
class Look:
    """What a query looked at.

    Attributes:
        signal: The table.
        window: From when to when.
        label: What the window is called, as in "window" or "baseline".
        services: The only services that it is about; None for all.
    """

    signal: str
    window: Window
    label: str
    services: frozenset[str] | None = None

    def concerns(self, service: str | None) -> bool:
        """Whether it is about a service."""
        return self.services is None or service in self.services


@dataclass(frozen=True)
class Seen:
    """What is known of some minutes of a signal at a pin."""

    profile: Profile
    gaps: Sequence[Gap]
    skews: Sequence[Skew] = ()
    sampled: Sequence[Sampled] = ()


_Minutes = tuple[str, int, int, int, int]  # signal, first and end minute, pin, removed rows
_After = tuple[str, Window, int, int]  # signal, window, pin, newest batch


class Cautions:
    """Finds and remembers them. Safe to be used from several threads."""

    def __init__(self) -> None:
        self._seen: dict[_Minutes, Seen] = {}
        self._later: dict[_After, int] = {}

    def known(self, looks: Sequence[Look], pin: int, held: Held) -> list[str] | None:
        """What is remembered; None when something must be looked at first."""
        try:
            return list(_told(looks, pin, held, self._seen, self._later))
        except KeyError:
            return None

    def find(self, looks: Sequence[Look], pin: int, held: Held, ask: Ask) -> list[str]:
        """What somebody should know.

        Args:
            looks: What the query looked at.
            pin: The highest batch that it saw.
            held: What the store holds.
            ask: Runs SQL.
        """
        newest = held.newest
        for memory in (self._seen, self._later):
            if len(memory) > _REMEMBERED:
                memory.clear()
        # What is told is held here: another thread may forget it meanwhile.
        steady = [look for look in looks if _is_steady(look)]
        seen = {_minutes(look, pin, held): self.seen(look, pin, held, ask) for look in steady}
        every = dict.fromkeys((look.signal, look.window, pin, newest) for look in looks)
        later = {key: rows for key in every if (rows := self._later.get(key)) is not None}
        unknown = [key for key in every if key not in later]
        if newest > pin and unknown:
            sql, values = _later(unknown)
            found = ask(sql, {"pin": pin, **values}, newest)
            later |= {unknown[row["place"]]: row["n"] for row in found}
            self._later.update(later)
        return list(_told(looks, pin, held, seen, later))

    def seen(self, look: Look, pin: int, held: Held, ask: Ask) -> Seen:
        """What there is in the minutes of a steady signal's window."""
        key = _minutes(look, pin, held)
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = _look(key, ask)
        return found


def _later(unknown: Sequence[_After]) -> tuple[str, dict[str, object]]:
    """Asks for how many rows came after the pin, each by its place.

    All at once, and in a text that is the same for all windows: under live data every question
    asks this, and to parse a new text costs more than the answer.
    """
    parts: list[str] = []
    values: dict[str, object] = {}
    for place, (signal, window, _, _) in enumerate(unknown):
        parts.append(
            f"SELECT {place} AS place, count(*) AS n FROM {signal} WHERE batch_id > $pin"  # noqa: S608
            f" AND time >= $start_{place} AND time < $end_{place}"
        )
        values[f"start_{place}"], values[f"end_{place}"] = window.moments()
    return " UNION ALL ".join(parts), values


def _is_steady(look: Look) -> bool:
    first, end = minutes_of(look.window)
    return look.signal in STEADY and end - first <= MOST_MINUTES


def _minutes(look: Look, pin: int, held: Held) -> _Minutes:
    return (look.signal, *minutes_of(look.window), pin, held.removed)


def _look(key: _Minutes, ask: Ask) -> Seen:
    signal, first, end, pin, _ = key
    rows = ask(profile_sql(signal), {"first": first, "end": end}, pin)
    profile = profile_of(signal, rows)
    seen = Seen(profile, profile.gaps())
    if signal != "spans" or not 0 < profile.total <= MOST_SPANS:
        return seen
    skews, sampled = look_at_traces(Window(first * MINUTE_NS, end * MINUTE_NS), profile, pin, ask)
    return Seen(profile, seen.gaps, skews, sampled)


def look_at_traces(
    window: Window, profile: Profile, pin: int, ask: Ask
) -> tuple[list[Skew], list[Sampled]]:
    """What the traces of a window say about clocks and sampling; see `LOOKED_AT`."""
    values = {
        "start": moment(window.start_ns),
        "end": moment(window.end_ns),
        "nth": nth_of(profile),
    }
    return read_traces(ask(TRACES_SQL, values, pin))


def nth_of(profile: Profile) -> int:
    """The *n* of "every nth trace" that gives about `LOOKED_AT` spans."""
    return max(1, profile.total // LOOKED_AT)


# -- in words ------------------------------------------------------------------------------------


def _told(
    looks: Sequence[Look],
    pin: int,
    held: Held,
    seen: Mapping[_Minutes, Seen],
    later: Mapping[_After, int],
) -> Iterator[str]:
    newest = held.newest
    for look in looks:
        yield from _of_removals(look, pin, held.removals)
        if _is_steady(look):
            known = seen[_minutes(look, pin, held)]
            yield from _of_gaps(look, known.gaps)
            yield from _of_skews(look, known.skews)
            yield from _of_sampling(look, known.sampled)
        if newest > pin:
            more = later[look.signal, look.window, pin, newest]
            if more:
                yield (
                    f"the {look.label} has {more:,} more {look.signal} that came after pin"
                    f" {pin}: moving the pin to {newest} would add them"
                )


def _of_removals(look: Look, pin: int, removals: Iterable[Removal]) -> Iterator[str]:
    first, end = look.window.start_ns // 1000, look.window.end_ns // 1000
    for each in removals:
        if each.signal != look.signal or each.from_batch > pin:
            continue
        if each.first_us < end and each.last_us >= first:
            within_ = first <= each.first_us and each.last_us < end
            how_many = "all" if within_ else "some"
            yield (
                f"retention removed {each.rows:,} {each.signal} on"
                f" {moment(each.removed_us * 1000):%Y-%m-%d}, {how_many} of them from the"
                f" {look.label}"
            )


def _of_gaps(look: Look, gaps: Iterable[Gap]) -> Iterator[str]:
    first, end = look.window.start_ns, look.window.end_ns
    alone: dict[str, list[Gap]] = {}
    shared: dict[tuple[int, int], Gap] = {}
    for gap in gaps:
        over = gap.start_ns + gap.minutes * MINUTE_NS
        if not look.concerns(gap.service) or gap.start_ns >= end or over <= first:
            continue
        if gap.alone:
            alone.setdefault(gap.service or "(no service)", []).append(gap)
        else:
            shared[gap.start_ns, gap.minutes] = gap
    told = [_long("no service has any", sorted(shared.values(), key=_start))] if shared else []
    worst = sorted(alone.items(), key=lambda each: -sum(gap.minutes for gap in each[1]))
    for service, found in worst[:_NAMED]:
        usual = max(gap.usual for gap in found)
        told.append(f"{_long(f'{service} has none', found)}, {usual:,.0f} a minute are usual")
    if told:
        more = _more(len(worst))
        yield f"{look.signal} are missing in the {look.label}: {'; '.join(told)}{more}"


def _long(who: str, gaps: Sequence[Gap]) -> str:
    longest = max(gaps, key=lambda gap: gap.minutes)
    when = f"{longest.minutes} min from {_clock(longest)}"
    if len(gaps) == 1:
        return f"{who} for {when}"
    minutes = sum(gap.minutes for gap in gaps)
    return f"{who} in {minutes} min over {len(gaps)} gaps, the longest {when}"


def _start(gap: Gap) -> int:
    return gap.start_ns


def _clock(gap: Gap) -> str:
    return f"{moment(gap.start_ns):%H:%M}Z"


def _of_skews(look: Look, skews: Iterable[Skew]) -> Iterator[str]:
    found = [
        skew
        for skew in skews
        if skew.doubtful and (look.concerns(skew.service) or look.concerns(skew.caller))
    ]
    told = "; ".join(
        f"{skew.service} begins before its caller {skew.caller} in {skew.early:,} of"
        f" {skew.calls:,} calls, by {skew.median_ns / 1e6:,.0f} ms (median)"
        for skew in found[:_NAMED]
    )
    if found:
        yield f"clocks differ in the {look.label}: {told}{_more(len(found))}"


def _of_sampling(look: Look, sampled: Iterable[Sampled]) -> Iterator[str]:
    own = [each for each in sampled if look.concerns(each.service)]
    spans = sum(each.spans for each in own)
    hinted = [(chance, n) for each in own for chance, n in each.hints.items()]
    if hinted:
        share = sum(n for _, n in hinted) / spans
        least, most = min(chance for chance, _ in hinted), max(chance for chance, _ in hinted)
        kept = f"{least:.2%}" if least == most else f"{least:.2%} to {most:.2%}"
        yield (
            f"{share:.0%} of the spans in the {look.label} come from sampled traces, of which"
            f" {kept} were kept: counts and rates are those of the sample"
        )
    torn = sorted((each for each in own if each.torn), key=lambda each: -each.orphans)
    if torn:
        told = ", ".join(
            f"{each.service or '(no service)'} {each.orphans / each.spans:.0%}"
            for each in torn[:_NAMED]
        )
        yield (
            f"spans in the {look.label} have a parent that is not in the data:"
            f" {told}{_more(len(torn))}"
        )


def _more(found: int) -> str:
    return f", and {found - _NAMED} more services" if found > _NAMED else ""
