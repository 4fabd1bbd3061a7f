"""How the root-cause ranking bears other systems: ``python tests/benchmarks/root_cause_stress.py``.

Arguments are folders as `root_cause` takes them. Their incidents are asked again after changes that
another system could bring: other names, a signal missing, services that send nothing, few traces,
a wrong onset, a short baseline, another mix of requests. ``--incidents N`` adds N made-up incidents
of each kind of `tests.support.incidents` (traces), `tests.support.metered` (metrics alone) and
`tests.support.shops` (all signals), on systems that have nothing in common with the folders. Where
nothing is broken (``quiet``) the only right answer is "cannot tell".

Labels are opened after all predictions are made.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # run as a script
    sys.path.insert(0, str(ROOT))

from tests.benchmarks.root_cause import labels_of, truth_of  # noqa: E402
from tests.benchmarks.root_cause_data import Question, loads  # noqa: E402
from tests.benchmarks.root_cause_stresses import STRESSES, Case, alias  # noqa: E402
from tests.support import incidents, metered, shops  # noqa: E402
from tests.support.store import Store, open_store  # noqa: E402
from workspace_ext.inquiry.causes.ranking import rank  # noqa: E402
from workspace_ext.inquiry.templates.binding import bind  # noqa: E402
from workspace_ext.inquiry.templates.library import TemplateLibrary, default_paths  # noqa: E402

SECOND = 1_000_000_000


@dataclass(frozen=True)
class Answer:
    """What came of a case under a stress."""

    case_id: str
    ranked: tuple[str, ...]
    score: float
    verdict: str
    cpu_seconds: float


def gather(folder: Path) -> tuple[list[Case], list[Case]]:
    """The cases of a folder, and cases of the same system in which nothing is broken."""
    cases, quiet = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for number, load in enumerate(loads(folder, Path(scratch) / "files")):
            with open_store(Path(scratch) / f"store{number}") as store:
                for path, mapping in load.files:
                    store.ingest(path, mapping=mapping)
                for question in load.questions:
                    cases.append(_ask(store, question))
                    quiet += [_ask(store, one) for one in _quiet(question)]
    return cases, quiet


def _ask(store: Store, question: Question) -> Case:
    template = TemplateLibrary(default_paths()).get("rca.ranking")
    bound = bind(template, question.params)
    with store.engine.cursor() as cursor:
        cursor.execute(f"SET VARIABLE pin = {store.catalog.pin()}")
        table = cursor.execute(template.sql, bound.values).to_arrow_table()
    return Case(question.case_id, table, dict(bound.arguments), question.given["onset"])


def _quiet(question: Question) -> Iterator[Question]:
    """Fault-free times as windows: what was before the onset, and the end of the baseline."""
    window, onset = _times(question.params["window"]), question.given["onset"]
    began = datetime.fromisoformat(onset) - timedelta(seconds=10)
    # an alert, which has a symptom, comes after the trouble began
    if "symptom" not in question.params and began - window[0] >= timedelta(seconds=30):
        yield _asked(question, "before", (window[0], began), question.params["baseline"])
    baseline = _times(question.params["baseline"])
    length = min(window[1] - window[0], (baseline[1] - baseline[0]) / 2)
    for back in range(4):
        end = baseline[1] - back * length
        begin = end - length
        if begin - baseline[0] >= length:
            yield _asked(question, f"baseline {back}", (begin, end), _span(baseline[0], begin))


def _asked(
    question: Question, name: str, window: tuple[datetime, datetime], baseline: str
) -> Question:
    params = question.params | {"window": _span(*window), "baseline": baseline}
    return Question(f"{question.case_id} {name}", params, question.given)


def _times(span: str) -> tuple[datetime, datetime]:
    start, _, end = span.partition("/")
    return datetime.fromisoformat(start), datetime.fromisoformat(end)


def _span(start: datetime, end: datetime) -> str:
    return f"{start:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}"


_RENAMES = frozenset(("services, operations, words renamed",))


def answer(case: Case, *, given: bool) -> Answer:
    """Ranks one."""
    began = time.process_time()
    rows = rank(case.table, case.params | {"onset": case.onset if given else None}).to_pylist()
    seconds = time.process_time() - began
    first = rows[0] if rows else {"score": 0.0, "verdict": "cannot tell"}
    ranked = tuple(row["service"] for row in rows if row["service"])
    return Answer(case.case_id, ranked, first["score"], first["verdict"], seconds)


def figures(answers: list[Answer], truth: Mapping[str, str | None]) -> dict[str, Any]:
    """AC@1 and AC@3, how many it told and how many of those rightly, of cases that have a cause."""
    judged = [one for one in answers if truth.get(one.case_id)]
    first = [one for one in judged if one.ranked[:1] == (truth[one.case_id],)]
    told = [one for one in judged if one.verdict == "likely"]
    n = max(len(judged), 1)
    return {
        "n": len(judged),
        "AC@1": len(first) / n,
        "AC@3": sum(truth[one.case_id] in one.ranked[:3] for one in judged) / n,
        "told": len(told) / n,
        "AC@1 of told": sum(one in first for one in told) / max(len(told), 1),
        "cpu_seconds": sorted(one.cpu_seconds for one in answers)[len(answers) // 2]
        if answers
        else 0.0,
    }


def stressed(cases: list[Case], name: str) -> list[Case]:
    """The cases under a stress; the same each time."""
    return [STRESSES[name](case, random.Random(f"{name} {case.case_id}")) for case in cases]


def real(folder: Path) -> dict[str, Any]:
    """Every stress on the incidents of a folder."""
    cases, quiet = gather(folder)
    answers = {}
    silent: dict[str, set[str]] = {}
    for name in STRESSES:
        changed = stressed(cases, name)
        answers[name] = {
            setting: [answer(case, given=setting == "given") for case in changed]
            for setting in ("given", "found")
        }
        silent[name] = {
            f"{case.case_id} {service}"
            for case in changed
            for service in set(case.table.column("service").to_pylist())
        }
    calm = [answer(case, given=False) for case in quiet]
    told = [one for one in calm if one.verdict == "likely"]
    truth = {label["case_id"]: truth_of(label) for label in labels_of(folder)}
    # what the incident's own service does in the minute before, began before the time that was told
    early = sum(one.ranked[0] == truth.get(one.case_id.split(" ")[0]) for one in told)
    out: dict[str, Any] = {
        "quiet": {"n": len(calm), "told": len(told), "early": early},
        "stresses": {},
    }
    for name, by_setting in answers.items():
        true = {case: alias(who) if name in _RENAMES else who for case, who in truth.items()}
        there = {case: who for case, who in true.items() if f"{case} {who}" in silent[name]}
        out["stresses"][name] = {
            setting: figures(found, there) for setting, found in by_setting.items()
        }
    return out


def _told(answers: list[Answer]) -> int:
    return sum(one.verdict == "likely" for one in answers)


MADE_UP = {
    **dict.fromkeys((*incidents.FAULTS, *incidents.QUIET), incidents.Incident),
    **{f"metrics: {kind}": metered.Metered for kind in (*metered.FAULTS, *metered.QUIET)},
    **{f"shop: {kind}": shops.Shop for kind in (*shops.FAULTS, *shops.QUIET)},
}
FAULTS = [
    *incidents.FAULTS,
    *(f"metrics: {kind}" for kind in metered.FAULTS),
    *(f"shop: {kind}" for kind in shops.FAULTS),
]
_OF_METRICS = (
    *("as it is", "metrics renamed, no units", "no call graph"),
    *("a fifth of services silent", "onset 60 s early", "onset 60 s late"),
)


def made_up(kind: str, count: int, first: int, names: tuple[str, ...]) -> dict[str, Any]:
    """The stresses that fit, on made-up incidents of a kind."""
    made = MADE_UP[kind]
    cases, truth = [], {}
    for seed in range(first, first + count):
        incident = made(seed, kind.rpartition(": ")[2])
        case_id = f"{kind} {seed}"
        cases.append(Case(case_id, incident.table(), incident.params, incident.began))
        truth[case_id] = incident.truth
    out = {}
    for name in names:
        only_metrics = made is metered.Metered
        if name not in _OF_METRICS and only_metrics:
            continue
        if name == "no call graph" and not only_metrics:
            continue
        true = {case: alias(who) if name in _RENAMES else who for case, who in truth.items()}
        changed = stressed(cases, name)
        there = {
            case.case_id: true[case.case_id]
            for case in changed
            if true[case.case_id] in set(case.table.column("service").to_pylist())
        }
        given = name.startswith("onset")
        found = [answer(case, given=given) for case in changed]
        out[name] = figures(found, there) | {"quiet_told": _told(found) / max(len(found), 1)}
    return out


def main() -> int:
    """Runs it."""
    parser = argparse.ArgumentParser(description="The root-cause ranking on other systems.")
    parser.add_argument("data", type=Path, nargs="*", help="folders as nezha-trainticket, petshop")
    parser.add_argument("--incidents", type=int, default=0, help="made-up ones of each kind")
    parser.add_argument("--seed", type=int, default=1000, help="of the first of them")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--stress", action="append", choices=list(STRESSES), help="of made-up ones")
    parser.add_argument("--json", action="store_true", help="everything, as JSON")
    given = parser.parse_args()
    out: dict[str, Any] = {folder.name: real(folder) for folder in given.data}
    if given.incidents:
        names = tuple(given.stress or STRESSES)
        with ProcessPoolExecutor(given.jobs) as pool:
            asked = [
                pool.submit(made_up, kind, given.incidents, given.seed, names) for kind in MADE_UP
            ]
            out["made up"] = {kind: one.result() for kind, one in zip(MADE_UP, asked, strict=True)}
    if given.json:
        print(json.dumps(out, indent=1))
        return 0
    for folder in given.data:
        _show(folder.name, out[folder.name])
    if given.incidents:
        _show_made_up(out["made up"])
    return 0


def _show(name: str, found: dict[str, Any]) -> None:
    print(
        f"\n{name}: told {found['quiet']['told']} of {found['quiet']['n']} where nothing is broken,"
        f" {found['quiet']['early']} of them the service of the incident that follows"
    )
    print(
        "| stress | n | given AC@1 | AC@3 | told | of told | found AC@1 | AC@3 | told | of told |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for stress, by_setting in found["stresses"].items():
        cells = [_cells(by_setting[setting]) for setting in ("given", "found")]
        print(f"| {stress} | {by_setting['given']['n']} | {' | '.join(cells)} |")


def _show_made_up(found: dict[str, Any]) -> None:
    print("\n| made up | n | AC@1 | AC@3 | told | of told |")
    print("|---|---|---|---|---|---|")
    for kind in filter(found.get, FAULTS):
        one = next(iter(found[kind].values()))
        print(f"| {kind} | {one['n']} | {_cells(one)} |")
    for stress in dict.fromkeys(stress for kind in FAULTS for stress in found[kind]):
        for of in (incidents.Incident, metered.Metered, shops.Shop):
            kinds = [kind for kind in FAULTS if MADE_UP[kind] is of]
            of_all = [found[kind][stress] for kind in kinds if found[kind].get(stress, {}).get("n")]
            if of_all:
                n = sum(one["n"] for one in of_all)
                print(f"| {of.__name__}: {stress} | {n} | {_of_all(of_all)} |")
    for kind in MADE_UP.keys() - set(FAULTS):
        shares = ", ".join(f"{name} {one['quiet_told']:.2f}" for name, one in found[kind].items())
        print(f"{kind}, told though nothing is broken: {shares}")


def _of_all(of_all: list[dict[str, Any]]) -> str:
    n = sum(one["n"] for one in of_all)
    means = {
        key: sum(one[key] * one["n"] for one in of_all) / n for key in ("AC@1", "AC@3", "told")
    }
    told = sum(one["told"] * one["n"] for one in of_all)
    right = sum(one["AC@1 of told"] * one["told"] * one["n"] for one in of_all)
    return _cells(means | {"AC@1 of told": right / max(told, 1)})


def _cells(one: dict[str, Any]) -> str:
    return " | ".join(f"{one[key]:.2f}" for key in ("AC@1", "AC@3", "told", "AC@1 of told"))


if __name__ == "__main__":
    sys.exit(main())
