"""How a replay is put into words, for the terminal and for the reports."""

from __future__ import annotations

from workspace_ext.inquiry.archive.model import CellReplay, Evidence, HypothesisReplay, ReplayReport

MARKS = {
    "same": "✓",
    "changed": "≠",
    "data missing": "∅",
    "error": "✗",
    "skipped": "·",
    "damaged": "!",
}
ORDERS = {
    "run": "in the order in which they were run",
    "document": "in the order of the document",
}
NETWORK = {
    True: "off for the kernel and all that it started (seccomp)",
    False: "not off: the kernel could reach it",
}
_FEW = 5
_UNJUDGED = ("proposed", "testing")


def still(hypothesis: HypothesisReplay) -> str:
    """The answer to *still supported?*, in the word in which it was judged."""
    before = hypothesis.before.replace("_", " ")
    return {True: f"still {before}", False: f"no longer {before}", None: "not known"}[
        hypothesis.holds
    ]


def claims(report: ReplayReport) -> str:
    """The headline: how many of the judged hypotheses stand as they stood; empty without any."""
    judged = [found for found in report.hypotheses if found.before not in _UNJUDGED]
    if not judged:
        return ""
    holding = sum(found.holds is True for found in judged)
    unknown = sum(found.holds is None for found in judged)
    said = f"{holding} of {_many(len(judged), 'hypothesis', 'hypotheses')} judged as then"
    return f"{said}, {unknown} not known" if unknown else said


def headline(report: ReplayReport) -> str:
    """The verdict as one sentence, what was claimed first."""
    counts, all_ = report.counts, len(report.cells)
    differ = all_ - counts["same"] - counts["skipped"]
    said = [claims(report)] if report.hypotheses and claims(report) else []
    if report.problems:
        said.append(f"the archive was changed in {_many(len(report.problems), 'place')}")
    if differ:
        said.append(f"{differ} of {_many(all_, 'cell')} came out otherwise")
    if not report.problems and not differ and not counts["same"]:
        said.append("nothing in it could be compared")
    elif not report.problems and not differ:
        said.append(f"all {_many(counts['same'], 'cell')} that could be compared came out the same")
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def counted(report: ReplayReport) -> str:
    """How many cells have each verdict."""
    found = report.counts.items()
    return ", ".join(f"{count} {verdict}" for verdict, count in found if count) or "no cells"


def facts(report: ReplayReport) -> list[tuple[str, str]]:
    """What the replay was of, line by line."""
    lines = [
        ("Investigation", report.title),
        ("Cells", counted(report)),
        ("Data", f"up to batch {report.pin}"),
        ("Frozen", _moment(report.frozen_at)),
        ("Replayed", f"{_moment(report.replayed_at)}, in {report.seconds:.1f} s"),
        ("Cells ran", ORDERS[report.order]),
        ("Network", NETWORK[report.offline]),
        ("Archive", report.archive),
    ]
    if report.left_out:
        lines.insert(2, ("Queries not asked again", ", ".join(report.left_out)))
    if report.warnings:
        lines.insert(2, ("Warned of when captured", "; ".join(report.warnings)))
    return lines


def reasons(cell: CellReplay) -> list[str]:
    """Why a cell has its verdict: its own reason, each query's, and each thing's that it shows.

    What is shown as it was shown then needs no word.
    """
    said = [cell.reason] if cell.reason else []
    for query in cell.queries:
        title = "" if len(cell.queries) == 1 else f"{query.title}: "  # the code says which
        said += [f"{title}{query.comparison.reason}", *query.comparison.difference]
    for shown in cell.outputs:
        if shown.comparison.rung != "exact" or not (said or cell.queries):
            said += [f"{shown.kind}: {shown.comparison.reason}", *shown.comparison.difference]
    return said


def differing(report: ReplayReport) -> list[CellReplay]:
    """The cells that a reviewer has to look at."""
    return [cell for cell in report.cells if cell.verdict not in ("same", "skipped")]


def where(evidence: Evidence) -> str:
    """Where a piece of evidence is."""
    return f"cell {evidence.cell}" if evidence.cell is not None else "not in the notebook"


def led(evidence: Evidence) -> str:
    """The answers that led to a piece of evidence; empty when it was asked by itself."""
    return f"from {' → '.join(evidence.path)}" if evidence.path else ""


def told(evidence: Evidence) -> str:
    """What a piece of evidence said, and what is wrong with it now."""
    wrong = "" if evidence.verdict == "same" else f"now: {evidence.reason}"
    return "; ".join(filter(None, (evidence.said, wrong)))


def claim(hypothesis: HypothesisReplay) -> list[str]:
    """A hypothesis in lines: what it says, what it predicts, what a reader must know of it."""
    predicts = [f"Predicts: {hypothesis.prediction}"] if hypothesis.prediction else []
    return [hypothesis.text, *predicts, *(f"Note: {mark}" for mark in hypothesis.marks)]


def environment(report: ReplayReport) -> tuple[str, bool]:
    """What to say of the environment, and whether the list of it is short."""
    count = len(report.environment)
    if not count:
        return "The same Python and packages as when it was frozen.", True
    return f"{_many(count, 'version')} differ" + "s" * (count == 1) + ".", count <= _FEW


def _moment(text: str) -> str:
    return text[:19].replace("T", " ") + " UTC"


def _many(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or f'{one}s'}"
