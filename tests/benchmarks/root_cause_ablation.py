"""What each part of the root-cause ranking is worth: ``root_cause_ablation.py DATA_DIR …``.

Arguments are folders as `root_cause` takes them. Every incident is ranked again without one method,
one signal or one rule; what changes no figure anywhere is of no use. ``--incidents N`` adds N
made-up incidents of each kind, as in `root_cause_stress`. Below that, each folder's figures when
the incidents at one service, or of one kind of fault, do not count.

Labels are opened after all predictions are made.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # run as a script
    sys.path.insert(0, str(ROOT))

from tests.benchmarks.root_cause import labels_of, truth_of  # noqa: E402
from tests.benchmarks.root_cause_stress import (  # noqa: E402
    MADE_UP,
    Answer,
    answer,
    figures,
    gather,
    stressed,
)
from tests.benchmarks.root_cause_stresses import STRESSES, Case, without  # noqa: E402
from workspace_ext.inquiry.causes import blame, measures, ranking, readings, trial  # noqa: E402
from workspace_ext.inquiry.causes.habits import Kind  # noqa: E402
from workspace_ext.inquiry.causes.suspects import Suspect, Suspects  # noqa: E402

METHODS = {
    f"method: {name}": name
    for name in ("behaviour", "times", "logs", "resources", "silence", "flow")
}
SIGNALS = {
    "signal: spans": ("span", "load", "log"),
    "signal: logs": ("log", "line"),
    "signal: metrics": ("metric",),
    "signal: call graph": ("edge",),
}
_FACTS = {
    Kind.STEP: "what spans do",
    Kind.FAULT: "errors",
    Kind.SILENCE: "who gave no answer",
    Kind.OWN: "own time",
    Kind.GAP: "time between two",
}


def _deaf(method: str) -> Callable[[Suspect, str, float], None]:
    real = Suspect.suspect

    def suspect(self: Suspect, name: str, strength: float) -> None:
        if name != method:
            real(self, name, strength)

    return suspect


def _blind(kind: Kind) -> Callable[..., blame.Compared]:
    real = blame.compare

    def compare(habits: Any, *args: Any) -> blame.Compared:
        found = real(habits, *args)
        kept = habits.kind != kind
        return replace(found, beyond=found.beyond * kept, faint=found.faint * kept)

    return compare


RULES: dict[str, tuple[object, str, Any]] = {
    **{f"facts: {told}": (trial, "compare", _blind(kind)) for kind, told in _FACTS.items()},
    "a callee's reasons explain its callers'": (Suspects, "explain", lambda _self: None),
    "errors heard from further down": (ranking, "_heard", lambda *_: {}),
    "a failure counts as its heaviest caller's": (
        blame,
        "_heaviest_above",
        lambda _parent, weight, marked: weight[marked],
    ),
    "which end of a call is slow": (
        blame,
        "_waiting_callers",
        lambda calls, _waits: np.zeros(len(calls), dtype=bool),
    ),
    "what was usual already is not new": (blame, "RARE", 1.0),
    "lines placed by their time": (
        ranking,
        "placed",
        lambda _spans, lines: (lines.slice(0, 0), lines),
    ),
    "services that only calls name": (ranking, "with_named", lambda spans, _services: spans),
    "what more requests explain": (ranking, "_load", lambda *_: {}),
    "what rises everywhere is nobody's": (measures, "_everywhere", lambda _rises: 1.0),
    "counters known by their values": (
        readings,
        "_climbs",
        lambda value, *_: np.zeros(len(value), dtype=bool),
    ),
    "the baseline against itself": (trial, "_by_chance", lambda *_: 0.0),
}


@contextmanager
def left_out(what: str) -> Iterator[None]:
    """The ranking without a method or rule."""
    with ExitStack() as patches:
        if what in METHODS:
            patches.enter_context(patch.object(Suspect, "suspect", _deaf(METHODS[what])))
        elif what in RULES:
            patches.enter_context(patch.object(*RULES[what]))
        yield


NOTHING = "nothing"
PIECES = (NOTHING, *METHODS, *SIGNALS, *RULES)


def ablated(cases: list[Case], what: str, *, given: bool) -> list[Answer]:
    """The cases ranked without a method, signal or rule."""
    if what in SIGNALS:
        blinded = without(*SIGNALS[what])
        cases = [blinded(case, random.Random(0)) for case in cases]
    with left_out(what):
        return [answer(case, given=given) for case in cases]


def on_folder(
    stress: str, pieces: Sequence[str], folder: Path
) -> tuple[dict[str, Any], dict[str, float]]:
    """What each piece is worth on the incidents of a folder; and without some of these."""
    cases = stressed(gather(folder)[0], stress)
    answers = {
        what: {setting: ablated(cases, what, given=setting == "given") for setting in _SETTINGS}
        for what in pieces
    }
    labels = labels_of(folder)
    truth: dict[str, str | None] = {label["case_id"]: truth_of(label) for label in labels}
    worth = {
        what: {setting: figures(found, truth) for setting, found in by_setting.items()}
        for what, by_setting in answers.items()
    }
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for label in labels:
        groups[truth_of(label)].add(label["case_id"])
        if label.get("fault_type"):
            groups[f"fault: {label['fault_type']}"].add(label["case_id"])
    others = {
        group: figures(
            [one for one in answers[NOTHING]["given"] if one.case_id not in members], truth
        )["AC@1"]
        for group, members in sorted(groups.items())
    }
    return worth, others


_SETTINGS = ("given", "found")


def on_made_up(
    stress: str, pieces: Sequence[str], seeds: range, kind: str
) -> dict[str, tuple[list[Answer], dict[str, Any]]]:
    """Answers without each piece, and the truth, of made-up incidents of a kind."""
    cases, truth = [], {}
    for seed in seeds:
        made = MADE_UP[kind](seed, kind.rpartition(": ")[2])
        cases.append(Case(f"{kind} {seed}", made.table(), made.params))
        truth[f"{kind} {seed}"] = made.truth
    cases = stressed(cases, stress)
    return {what: (ablated(cases, what, given=False), truth) for what in pieces}


def main() -> int:
    """Runs it."""
    parser = argparse.ArgumentParser(description="What each part of the ranking is worth.")
    parser.add_argument("data", type=Path, nargs="*", help="folders as nezha-trainticket, petshop")
    parser.add_argument("--incidents", type=int, default=0, help="made-up ones of each kind")
    parser.add_argument("--seed", type=int, default=1000, help="of the first of them")
    parser.add_argument("--stress", default="as it is", choices=list(STRESSES), help="before all")
    parser.add_argument("--piece", action="append", choices=PIECES[1:], help="to leave out; all")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="everything, as JSON")
    given = parser.parse_args()
    pieces = (NOTHING, *given.piece) if given.piece else PIECES
    seeds = range(given.seed, given.seed + given.incidents)
    columns: dict[str, dict[str, dict[str, Any]]] = {}
    others: dict[str, dict[str, float]] = {}
    with ProcessPoolExecutor(given.jobs) as pool:
        of_kinds = pool.map(
            partial(on_made_up, given.stress, pieces, seeds), MADE_UP if seeds else ()
        )
        of_folders = pool.map(partial(on_folder, given.stress, pieces), given.data)
        for folder, (worth, without_some) in zip(given.data, of_folders, strict=True):
            others[folder.name] = without_some
            for setting in _SETTINGS:
                column = {what: worth[what][setting] for what in pieces}
                columns[f"{folder.name}, onset {setting}"] = column
        columns |= _by_generator(dict(zip(MADE_UP, of_kinds, strict=False)))
    if given.json:
        print(json.dumps({"pieces": columns, "without": others}, indent=1))
        return 0
    _show(columns, others)
    return 0


def _by_generator(
    found: Mapping[str, dict[str, tuple[list[Answer], dict[str, Any]]]],
) -> dict[str, dict[str, dict[str, Any]]]:
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for kind in found:
        kinds[f"made up, {MADE_UP[kind].__name__}"].append(kind)
    columns = {}
    for name, members in kinds.items():
        truth = {case: who for kind in members for case, who in found[kind][NOTHING][1].items()}
        columns[name] = {}
        for what in found[members[0]]:
            answers = [one for kind in members for one in found[kind][what][0]]
            calm = [one for one in answers if not truth[one.case_id]]
            told = sum(one.verdict == "likely" for one in calm)
            columns[name][what] = figures(answers, truth) | {"calm": len(calm), "told calm": told}
    return columns


def _show(
    columns: Mapping[str, Mapping[str, Mapping[str, Any]]], others: Mapping[str, dict[str, float]]
) -> None:
    print("AC@1 / AC@3 / told and right (told where nothing is broken)\n")
    print(f"| left out | {' | '.join(columns)} |")
    print(f"|---|{'---|' * len(columns)}")
    for what in next(iter(columns.values()), ()):
        cells = [_cell(column[what]) for column in columns.values()]
        print(f"| {what} | {' | '.join(cells)} |")
    for name, by_group in others.items():
        shown = ", ".join(f"{group} {value:.2f}" for group, value in by_group.items())
        print(f"\n{name}, AC@1 (onset given) when these do not count: {shown}")


def _cell(one: Mapping[str, Any]) -> str:
    wrongly = f" ({one['told calm']} of {one['calm']} told)" if one.get("calm") else ""
    right = one["told"] * one["AC@1 of told"]
    return f"{one['AC@1']:.2f} / {one['AC@3']:.2f} / {right:.2f}{wrongly}"


if __name__ == "__main__":
    sys.exit(main())
