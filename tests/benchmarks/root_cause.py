"""Root-cause ranking, measured: ``python tests/benchmarks/root_cause.py DATA_DIR [--json]``.

DATA_DIR has the format of the shared incident data (see `root_cause_data`). The telemetry goes
through the real ingest into a real store, every case of ``cases.jsonl`` is asked of the template
``rca.ranking`` through a broker, and the predictions are written. Only then are the labels opened,
to score them.

Two settings: ``given`` tells when the fault was injected (or the alert was raised), as published
methods are told; ``found`` leaves the onset to the template. Nothing is fitted to the cases, so the
figures that leave out a service or a fault type are simply those of the other cases.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # run as a script
    sys.path.insert(0, str(ROOT))

from tests.benchmarks.root_cause_data import Question, loads, read_cases  # noqa: E402
from workspace_ext.client.broker import BrokerClient  # noqa: E402
from workspace_ext.client.discovery import connect  # noqa: E402
from workspace_ext.foundation.errors import InvestigationError  # noqa: E402
from workspace_ext.storage.folder import StoreFolder  # noqa: E402

SETTINGS = ("given", "found")


@dataclass
class Predicted:
    """What came out of one setting."""

    ranked: dict[str, list[str]] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def predict(folder: Path, settings: Sequence[str] = SETTINGS) -> dict[str, Predicted]:
    """Ingests and ranks every case; opens no label. Who cannot be asked has nobody ranked."""
    out = {setting: Predicted() for setting in settings}
    with tempfile.TemporaryDirectory() as scratch:
        for number, load in enumerate(loads(folder, Path(scratch) / "files")):
            store = Path(scratch) / f"store{number}"
            StoreFolder.create(store)
            with connect(store) as client:
                for path, mapping in load.files:
                    with _told(path.name):
                        client.ingest(path, mapping=mapping)
                for question in load.questions:
                    for setting in settings:
                        with _told(question.case_id):
                            _ask(client, question, setting, out[setting])
    for case in read_cases(folder, quiet=True):
        for one in out.values():
            one.ranked.setdefault(case["case_id"], [])
            one.verdicts.setdefault(case["case_id"], "cannot tell")
    return out


@contextmanager
def _told(what: str) -> Iterator[None]:
    """One file or case that cannot be used does not take the others with it."""
    try:
        yield
    except InvestigationError as error:
        print(f"{what}: {error} ({error.hint})", file=sys.stderr)


def _ask(client: BrokerClient, question: Question, setting: str, out: Predicted) -> None:
    params = question.params | (question.given if setting == "given" else {})
    began = time.perf_counter()
    result = client.query({"template": "rca.ranking", "params": params})
    out.seconds[question.case_id] = time.perf_counter() - began
    rows = result.table.to_pylist()
    out.ranked[question.case_id] = [row["service"] for row in rows if row["service"]]
    out.verdicts[question.case_id] = rows[0]["verdict"] if rows else "cannot tell"


# -- scoring: the only part that sees labels ---------------------------------------------------


def score(
    labels: Sequence[Mapping[str, Any]], ranked: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """AC@1, AC@3, AC@5 and Avg@5, as `score.py` beside the data computes them."""
    places = []
    for label in labels:
        truth = truth_of(label)
        named = list(dict.fromkeys(ranked.get(label["case_id"], ())))
        places.append(named.index(truth) + 1 if truth in named else None)
    at = [sum(p is not None and p <= k for p in places) / max(len(places), 1) for k in range(1, 6)]
    return {"n": len(places), "AC@1": at[0], "AC@3": at[2], "AC@5": at[4], "Avg@5": sum(at) / 5}


def labels_of(folder: Path) -> list[dict[str, Any]]:
    """The labels of a folder; to be called when everything is predicted."""
    lines = (folder / "labels.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def truth_of(label: Mapping[str, Any]) -> str:
    """The service or node that was to blame."""
    return str(label.get("root_cause_service") or label.get("root_cause_node") or "")


def report(folder: Path, predicted: Mapping[str, Predicted]) -> dict[str, Any]:
    """Opens the labels and scores what was predicted before."""
    labels = labels_of(folder)
    out: dict[str, Any] = {"data": folder.name, "fitted": "nothing", "settings": {}}
    for setting, one in predicted.items():
        told = [case for case, verdict in one.verdicts.items() if verdict == "likely"]
        out["settings"][setting] = {
            **score(labels, one.ranked),
            "seconds_a_case": round(median(one.seconds.values() or [0.0]), 3),
            "told": len(told),
            "AC@1 of those told": score([x for x in labels if x["case_id"] in told], one.ranked)[
                "AC@1"
            ],
            "without": {
                f"{key} {value}": score([x for x in labels if x.get(key) != value], one.ranked)
                for key in ("root_cause_service", "root_cause_node", "fault_type")
                for value in sorted({x[key] for x in labels if x.get(key)})
            },
            "ranked": one.ranked,
        }
    return out


def main() -> int:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description="Root-cause ranking on labelled incidents.")
    parser.add_argument("data", type=Path, help="a folder as nezha-trainticket or petshop")
    parser.add_argument("--json", action="store_true", help="everything, as JSON")
    parser.add_argument("--predictions", type=Path, help="a folder to keep the predictions in")
    parser.add_argument("--unscored", action="store_true", help="predict only; open no label")
    given = parser.parse_args()
    if not (given.data / "cases.jsonl").is_file():
        print(f"there is no cases.jsonl in {given.data}", file=sys.stderr)
        return 2
    predicted = predict(given.data)
    folder = given.predictions or Path(tempfile.mkdtemp(prefix="root-cause-"))
    folder.mkdir(parents=True, exist_ok=True)
    for setting, one in predicted.items():
        lines = [json.dumps({"case_id": case, "ranked": who}) for case, who in one.ranked.items()]
        (folder / f"{setting}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if given.unscored or not (given.data / "labels.jsonl").is_file():
        print(folder)
        return 0
    scored = report(given.data, predicted)
    if given.json:
        print(json.dumps(scored, indent=1))
        return 0
    print(f"| {given.data.name} | n | AC@1 | AC@3 | AC@5 | Avg@5 | s a case | told (AC@1) |")
    print("|---|---|---|---|---|---|---|---|")
    for setting, figures in scored["settings"].items():
        told = f"{figures['told']} ({figures['AC@1 of those told']:.3f})"
        print(_line(f"onset {setting}", figures, f"{figures['seconds_a_case']:.2f} | {told}"))
        for left_out, others in figures["without"].items():
            print(_line(f"onset {setting}, without {left_out}", others, "|"))
    print(f"predictions: {folder}", file=sys.stderr)
    return 0


def _line(name: str, figures: Mapping[str, Any], rest: str) -> str:
    values = " | ".join(f"{figures[key]:.3f}" for key in ("AC@1", "AC@3", "AC@5", "Avg@5"))
    return f"| {name} | {figures['n']} | {values} | {rest} |"


if __name__ == "__main__":
    sys.exit(main())
