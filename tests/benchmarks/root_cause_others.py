"""Runs a published method on prepared cases, in an environment of its own.

``PYTHON tests/benchmarks/root_cause_others.py METHOD CASES.json OUT.jsonl``; knows nothing of this
project and imports only what the method needs. `root_cause_beside` prepares the cases and scores.
A case has ``case_id``, ``before`` and ``after`` (Parquet files of series side by side), ``owner``
(column → service), and where the data say so ``graph`` (caller, callee pairs), ``target`` (the
service where it hurts) and ``symptom`` (service → its column of the alert's metric).
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd


def frames(case):
    """The series before and after the onset, without columns that never move."""
    before, after = (pd.read_parquet(case[name]) for name in ("before", "after"))
    return before, after


def together(case):
    """Both in one frame with a column ``time``, and the time of the onset."""
    before, after = frames(case)
    data = pd.concat([before, after], ignore_index=True).ffill().bfill().fillna(0.0)
    data = data.loc[:, data.nunique() > 1]
    data.insert(0, "time", np.arange(len(data)))
    return data, len(before)


def baro(case):
    """BARO's robust scorer (Pham et al., FSE 2024), from the package fse-baro."""
    from baro.root_cause_analysis import robust_scorer

    data, onset = together(case)
    return robust_scorer(data, inject_time=onset, dataset=None)["ranks"]


def rcaeval(module, name):
    """A method of RCAEval (Pham et al., WWW 2025) by its place there."""

    def run(case):
        import importlib

        data, onset = together(case)
        method = getattr(importlib.import_module(module), name)
        return method(data, inject_time=onset, dataset=None)["ranks"]

    return run


def dowhy(case):
    """The anomaly at the target, attributed along the call graph (Budhathoki et al., ICML 2022)."""
    import networkx
    from dowhy import gcm

    gcm.config.disable_progress_bars()
    before, after = frames(case)
    column = case["symptom"]
    graph = networkx.DiGraph()
    for caller, callee in case["graph"]:
        if caller in column and callee in column:
            graph.add_edge(callee, caller)
    target = case["target"]
    graph.add_node(target)
    graph = graph.subgraph(networkx.ancestors(graph, target) | {target}).copy()
    while not networkx.is_directed_acyclic_graph(graph):
        graph.remove_edge(*networkx.find_cycle(graph)[-1][:2])
    names = list(graph.nodes)
    usual, now = (
        frame[[column[name] for name in names]].set_axis(names, axis=1).ffill().bfill().fillna(0.0)
        for frame in (before, after)
    )
    model = gcm.InvertibleStructuralCausalModel(graph)
    for name in names:
        parents = list(graph.predecessors(name))
        model.set_causal_mechanism(
            name,
            gcm.AdditiveNoiseModel(gcm.ml.create_linear_regressor())
            if parents
            else gcm.EmpiricalDistribution(),
        )
    gcm.fit(model, usual)
    found = gcm.attribute_anomalies(
        model,
        target,
        anomaly_samples=now,
        anomaly_scorer=gcm.MedianDeviationScorer(),
        num_distribution_samples=300,
    )
    score = {name: float(np.mean(values)) for name, values in found.items()}
    return [column[name] for name in sorted(score, key=score.get, reverse=True)]


METHODS = {
    "baro": baro,
    # from its own module: on some versions of Python the package leaves it out
    "rcaeval-baro": rcaeval("RCAEval.e2e.baro", "baro"),
    "rcaeval-nsigma": rcaeval("RCAEval.e2e", "nsigma"),
    "dowhy": dowhy,
}


def main():
    """Writes a line a case: case_id, ranked (services), seconds of processor time."""
    method, cases, out = sys.argv[1:4]
    lines = []
    for case in json.loads(Path(cases).read_text("utf-8")):
        began = time.process_time()
        ranked, error = [], None
        try:
            found = METHODS[method](case)
            # some rank the column of the time, too, which is nobody's
            ranked = [case["owner"][column] for column in found if column in case["owner"]]
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"
        seconds = time.process_time() - began
        services = list(dict.fromkeys(ranked))
        line = {"case_id": case["case_id"], "ranked": services, "seconds": seconds, "error": error}
        lines.append(json.dumps(line))
    Path(out).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
