"""The life of a hypothesis: which state may follow which, and what may be published. Pure.

proposed → testing → supported | refuted | inconclusive → root cause | contributing | ruled out;
whatever was judged may be tested and judged again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from workspace_ext.foundation.errors import BadInput
from workspace_ext.protocol.hypotheses import Hypothesis, HypothesisTest, Outcome
from workspace_ext.protocol.messages import TestOutcome

_JUDGED = frozenset({"supported", "refuted", "inconclusive"})
_CAUSES = frozenset({"root_cause", "contributing"})

FOLLOWS: Mapping[str, frozenset[str]] = {
    "proposed": frozenset({"testing"}),
    "testing": _JUDGED,
    "supported": _JUDGED | _CAUSES | {"ruled_out"},
    "refuted": _JUDGED | {"ruled_out"},
    "inconclusive": _JUDGED | {"ruled_out"},
    "root_cause": _JUDGED | _CAUSES | {"ruled_out"},
    "contributing": _JUDGED | _CAUSES | {"ruled_out"},
    "ruled_out": _JUDGED | {"ruled_out"},
}
"""What a person may make of a hypothesis in a state. Going on as it is adds evidence."""

REACHABLE: Mapping[str, frozenset[str]] = {
    **FOLLOWS,
    "proposed": frozenset({"testing"}) | _JUDGED,
}
"""What a person may choose: who judges what nobody tested begins with looking at it."""


def steps_to(now: str, to: str) -> list[str]:
    """The states that follow each other on the way to the one that a person chose."""
    return ["testing", to] if now == "proposed" and to in _JUDGED else [to]


_CALLS: Mapping[str, str] = {
    "testing": '.test("TEMPLATE", …)',
    "supported": '.support("why")',
    "refuted": '.refute("why")',
    "inconclusive": '.leave_open("why")',
    "root_cause": 'investigation.conclude(root_cause="…", hypothesis=…)',
    "contributing": '.contributing("why")',
    "ruled_out": '.rule_out("why")',
}
"""What a notebook calls for each state."""

PUBLISHED = _CAUSES | {"supported"}
"""The states in which a hypothesis is held up as true."""

_ORDER = ("testing", "supported", "refuted", "inconclusive", "root_cause", "contributing")


def check_transition(found: Hypothesis, to: str, *, evidence: Iterable[str], override: str) -> None:
    """Refuses a state that may not follow, and a claim published on tests that do not show it.

    Args:
        found: The hypothesis as it stands.
        to: The state it is to have.
        evidence: What is brought along for it.
        override: Why it is to be published although its tests do not show it.

    Raises:
        BadInput: It may not follow, or nothing shows it.
    """
    now, legal = found["state"], FOLLOWS[found["state"]]
    if override and now in _JUDGED:
        legal = legal | _CAUSES
    wrong = unproved(found, evidence) if to in PUBLISHED and now != "proposed" else ""
    if wrong and not override:
        raise BadInput(
            f"the hypothesis {found['text']!r} cannot be published as {_said(to)}: {wrong}",
            hint='mend or replace the test, or say why it holds all the same: despite="…"',
            code="unproved",
        )
    if to not in legal:
        can = sorted(REACHABLE[now] | legal, key=_place)
        ways = "; ".join(f"{_said(state)}, by {_CALLS[state]}" for state in can)
        raise BadInput(
            f"a hypothesis that is {_said(now)} cannot become {_said(to)}",
            hint=f"from {_said(now)} the next step is one of: {ways}",
            code="illegal_transition",
        )


def unproved(found: Hypothesis, evidence: Iterable[str]) -> str:
    """What keeps a hypothesis from being published; empty when nothing does."""
    tests = standing(found["tests"])
    for test in tests:
        if test["outcome"] == "refuted":
            return f"its test {test['name']} speaks against it ({test['reason']})"
    for test in tests:
        if test["outcome"] == "inconclusive":
            return f"its test {test['name']} has no answer ({test['reason']})"
    if not tests and not found["evidence"] and not list(evidence):
        return "it has no test and no evidence"
    return ""


def standing(tests: Mapping[str, HypothesisTest]) -> list[HypothesisTest]:
    """The tests that count: those that their cell has not replaced."""
    return [test for test in tests.values() if not test["replaced"]]


def verdict(tests: Mapping[str, HypothesisTest]) -> tuple[Outcome, str]:
    """What all tests say together, and the sentence of the one that decides.

    One that speaks against it refutes; else one without an answer leaves it open.
    """
    outcomes: tuple[Outcome, ...] = ("refuted", "inconclusive", "supported")
    for outcome in outcomes:
        for test in reversed(standing(tests)):
            if test["outcome"] == outcome:
                return outcome, f"{test['name']}: {test['reason']}"
    return "inconclusive", "no test of it stands"


def after_tests(now: str, found: Outcome) -> str:
    """The state once the tests said something: a role that still fits them stays."""
    stays = (now in _CAUSES and found == "supported") or now == "ruled_out"
    return now if stays else found


def after_a_test(told: TestOutcome, before: Hypothesis, after: Hypothesis) -> TestOutcome:
    """What a test said, with what it took away: a cause that it does not leave standing."""
    was = before["state"]
    if was in ("root_cause", "contributing") and after["state"] != was:
        return {**told, "fell_from": was}
    return told


def _said(state: str) -> str:
    return state.replace("_", " ")


def _place(state: str) -> int:
    return _ORDER.index(state) if state in _ORDER else len(_ORDER)
