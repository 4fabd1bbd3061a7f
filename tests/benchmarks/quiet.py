"""How often templates cry wolf: each is asked in made-up systems in which nothing is wrong.

``python -m tests.benchmarks.quiet SEEDS [FIRST]``: so many worlds of each shape, from that seed on.
"""

from __future__ import annotations

import sys
from collections import Counter

from tests.support.quiet import SHAPES, alarms
from workspace_ext.inquiry.templates.library import TemplateLibrary, default_paths


def main(seeds: int, first: int) -> None:
    """Prints who cried, in what shape, and the share of all that were asked."""
    templates = [
        template
        for template in TemplateLibrary(default_paths()).list()
        if not any(param.required for param in template.params.values())
    ]
    cried: Counter[str] = Counter()
    for shape, about in SHAPES.items():
        for seed in range(first, first + seeds):
            for name, reason in alarms(templates, about, seed):
                cried[name] += 1
                print(f"{shape}, seed {seed}: {name}: {reason}")
    for name, times in cried.most_common():
        print(f"{name}: {times} of {seeds * len(SHAPES)}")
    asked = len(templates) * seeds * len(SHAPES)
    print(f"all: {cried.total()} of {asked} ({cried.total() / asked:.2%})")


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    main(*given, *(10, 100)[len(given) :])
