"""The language of plants: the ``plants`` in a fixtures file, beside its ``cases``.

::

    plants:
      - name: a third of cart's calls fail
        strengths: [0.1, 0.3]                 # of the fault, from weak to strong
        shop: {cart: {fails: strength}}       # requests through web → cart → stock and web → pay
        first: {service: cart}                # what the first row must say then
      - name: the pool fills
        strengths: [15, 19]
        params: {service: pay}                # what the template is asked with
        metrics:
          - {name: in_use, kind: gauge, service: pay, every: 15s, value: {normal: [8, 1]},
             planted: {value: {normal: [strength, 1]}}}
        first: {metric: in_use}

The window is five minutes from ``0s``, its baseline the ten before. Without the fault, all of it
is what is usual, and the template must be quiet. The word ``strength`` stands for a number.

Of the shop, each service may have ``fails`` (a share of its calls) and ``slower`` (times its own
time), from ``at`` to ``until`` (the window), ``where`` a column has a value; and such columns;
``per_second`` are its requests, from ``begin`` on; ``missing: {every: 4m, for: 1m}`` loses some.

Rows are those of fixtures with chance in them. When: ``every``, ``steady`` (so many a minute), or
at random ``per_minute`` or ``count``; from ``at`` on, ``for`` so long (else from the baseline's
begin to the window's end). None of them: once. What: a value, a list to go through, or a draw:
``normal: [mean, deviation]``, ``lognormal: [median, deviation of the log]``, ``poisson: mean``,
``uniform: [low, high]``, ``one_of: {value: share}``, ``counter: mean step``; to a number ``grows``
adds so much a minute. In texts ``{i}`` is the row's number, ``{n}`` one at random. ``planted``
holds instead in the window (or from its own ``at``, ``for`` so long) when there is a fault; an
entry that says when only there has no rows else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.planting.rows import add_rows, column, number, offset
from workspace_ext.inquiry.planting.world import BASELINE, PARENT, WINDOW, Flags, World
from workspace_ext.telemetry.schema import SIGNALS

_PLANT = ("name", "strengths", "params", "first", "shop", *SIGNALS)
_SHOP = ("fails", "slower", "where", "at", "until")


@dataclass(frozen=True)
class Plant:
    """A fault for one template.

    Attributes:
        name: What it is, for people.
        strengths: How strong it must be found, from weak to strong; their unit is the plant's.
        first: What the first row must say then.
        params: What the template is asked with.
        told: Shop and rows, as the file has them.
    """

    name: str
    strengths: tuple[float, ...]
    first: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)

    def plant(self, world: World, strength: float) -> None:
        """Fills a world; with strength 0 only with what is usual."""
        if "shop" in self.told:
            _open_shop(world, self.told["shop"] or {}, strength)
        for signal in SIGNALS:
            for entry in self.told.get(signal) or ():
                add_rows(world, signal, entry, strength)


def read(given: Any) -> Plant:
    """A plant as a file has it.

    Raises:
        BadInput: Something is missing, unknown, or not what it should be.
    """
    if not isinstance(given, Mapping) or not given.get("name"):
        raise BadInput("a plant needs a name", hint="plants: [{name: …, strengths: […], …}]")
    where = f"plant {given['name']!r}"
    unknown = sorted(given.keys() - set(_PLANT))
    if unknown:
        raise BadInput(f"{where} has an unknown key {unknown[0]!r}", hint=f"of {', '.join(_PLANT)}")
    strengths = given.get("strengths") or ()
    if not strengths or not all(isinstance(s, int | float) and s > 0 for s in strengths):
        raise BadInput(f"{where}: strengths must be numbers above 0, from weak to strong")
    told = {key: given[key] for key in ("shop", *SIGNALS) if key in given}
    plant = Plant(
        str(given["name"]),
        tuple(float(each) for each in strengths),
        given.get("first") or {},
        given.get("params") or {},
        told,
    )
    try:
        for strength in (0.0, plant.strengths[0]):
            plant.plant(World(0), strength)
    except (TypeError, ValueError, KeyError, AttributeError, BadInput) as error:
        raise BadInput(f"{where}: {error}") from error
    return plant


def _open_shop(world: World, told: Mapping[str, Any], strength: float) -> None:
    unknown = sorted(told.keys() - {*PARENT, "per_second", "begin", "missing"})
    if unknown:
        raise BadInput(f"the shop has no {unknown[0]}", hint=f"its services: {', '.join(PARENT)}")
    begin = offset(told.get("begin", f"-{BASELINE:g}s"))
    trips = world.trips(begin, WINDOW, number(told.get("per_second", 1), strength))
    if "missing" in told:
        every, lasts = (offset(told["missing"][name]) for name in ("every", "for"))
        trips.keep((trips.at - begin) % every >= lasts)
    for service in PARENT:
        each = told.get(service) or {}
        given = {"pod": {"one_of": {f"{service}-1": 0.5, f"{service}-2": 0.5}}}
        given |= {name: value for name, value in each.items() if name not in _SHOP}
        columns = {name: column(world, value, trips.at, strength) for name, value in given.items()}
        trips.columns[service] = columns
        if not strength:
            continue
        start, until = offset(each.get("at", "0s")), offset(each.get("until", f"{WINDOW:g}s"))
        hurt: Flags = (trips.at >= start) & (trips.at < until)
        for name, value in (each.get("where") or {}).items():
            hurt = hurt & (np.asarray(columns[name]) == value)
        if "fails" in each:
            share = number(each["fails"], strength)
            trips.failed[service] |= hurt & (world.rng.random(len(hurt)) < share)
        if "slower" in each:
            trips.own_ms[service][hurt] *= number(each["slower"], strength)
    world.tell(trips)
