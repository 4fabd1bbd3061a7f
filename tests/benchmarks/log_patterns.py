"""Log patterns on labelled lines: ``python tests/benchmarks/log_patterns.py DATA_DIR [--json]``.

DATA_DIR has a folder a system with ``*_structured.csv`` (or ``.csv.gz``) as loghub's 2k samples
have them: columns Content and EventId. Grouping accuracy is the share of lines whose predicted
group is exactly the group of their event. The miner is given the Content alone; EventId is read by
the scorer. Speed is lines a CPU second of one thread, over the files as they are.

Drain3 runs beside it when this Python has it (``pip install drain3``), once with its defaults and
once with the masks of its own examples. (Tuned for each system apart it is known to reach 0.870.)
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from workspace_ext.inquiry.steps.log_patterns import mine

Miner = Callable[[list[str]], list[Hashable]]
_ROUNDS = 5


def ours(lines: list[str]) -> list[Hashable]:
    """The id of each line's pattern."""
    return [pattern.id if pattern else None for pattern in mine(pa.array(lines))]


def drain3(*, masks: bool) -> Miner:
    """Drain3, with a new miner for each system."""
    from drain3 import TemplateMiner
    from drain3.masking import MaskingInstruction
    from drain3.template_miner_config import TemplateMinerConfig

    def run(lines: list[str]) -> list[Hashable]:
        config = TemplateMinerConfig()
        if masks:
            config.drain_sim_th, config.drain_depth = 0.4, 4
            config.masking_instructions = [
                MaskingInstruction(r"(/|)([0-9]+\.){3}[0-9]+(:[0-9]+|)(:|)", "IP"),
                MaskingInstruction(r"blk_-?\d+|0x[0-9a-fA-F]+", "ID"),
                MaskingInstruction(r"(?<=[^A-Za-z0-9])(\-?\+?\d+)(?=[^A-Za-z0-9])|[0-9]+$", "NUM"),
            ]
        miner = TemplateMiner(config=config)
        return [miner.add_log_message(line)["cluster_id"] for line in lines]

    return run


def grouping_accuracy(predicted: Sequence[Hashable], true: Sequence[Hashable]) -> float:
    """The share of lines whose predicted group is exactly the true one."""
    groups: dict[Hashable, set[int]] = defaultdict(set)
    events: dict[Hashable, set[int]] = defaultdict(set)
    for number, (group, event) in enumerate(zip(predicted, true, strict=True)):
        groups[group].add(number)
        events[event].add(number)
    right = (len(lines) for lines in groups.values() if events[true[min(lines)]] == lines)
    return sum(right) / len(true)


def stability(miner: Miner, lines: list[str]) -> float:
    """The share of the first half's lines that have the same pattern when the rest is there too."""
    half = len(lines) // 2
    alone, together = miner(lines[:half]), miner(lines)[:half]
    return sum(a == b for a, b in zip(alone, together, strict=True)) / max(half, 1)


def load(path: Path) -> tuple[list[str], list[str]]:
    """Content and EventId of a file."""
    with (gzip.open if path.suffix == ".gz" else open)(
        path, "rt", encoding="utf-8", errors="replace", newline=""
    ) as file:
        rows = list(csv.DictReader(file))
    return [row["Content"] for row in rows], [row["EventId"] for row in rows]


def measure(name: str, miner: Miner, files: list[Path], *, stable: bool = False) -> dict[str, Any]:
    """Accuracy of each system, and the speed over all of them."""
    accuracy, lines_of, best = {}, {}, float("inf")
    for path in files:
        lines, events = load(path)
        lines_of[path.parent.name] = lines
        accuracy[path.parent.name] = grouping_accuracy(miner(lines), events)
    for _ in range(_ROUNDS):
        started = time.process_time()
        for lines in lines_of.values():
            miner(lines)
        best = min(best, time.process_time() - started)
    found = {
        "miner": name,
        "grouping_accuracy": accuracy,
        "mean": sum(accuracy.values()) / len(accuracy),
        "lines_per_second": round(sum(map(len, lines_of.values())) / best),
    }
    if stable:
        shares = [stability(miner, lines) for lines in lines_of.values()]
        found["same_pattern_with_more_lines"] = sum(shares) / len(shares)
    return found


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    files = sorted(options.data.glob("*/*_structured.csv*"))
    if not files:
        print(f"there is no */*_structured.csv in {options.data}", file=sys.stderr)
        return 2
    results = [measure("this", ours, files, stable=True)]
    try:
        for name, masks in (("drain3", False), ("drain3, masks", True)):
            results.append(measure(name, drain3(masks=masks), files))
    except ImportError:
        print("drain3 is not installed here: pip install drain3", file=sys.stderr)
    if options.json:
        print(json.dumps(results, indent=1))
        return 0
    print(f"{'':14}" + "".join(f"{each['miner']:>15}" for each in results))
    for system in results[0]["grouping_accuracy"]:
        row = (f"{each['grouping_accuracy'][system]:15.3f}" for each in results)
        print(f"{system:14}" + "".join(row))
    print(f"{'mean':14}" + "".join(f"{each['mean']:15.3f}" for each in results))
    print(f"{'lines/s':14}" + "".join(f"{each['lines_per_second']:15,}" for each in results))
    share = results[0]["same_pattern_with_more_lines"]
    print(f"same pattern when as many lines again are there: {share:.3f} of lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
