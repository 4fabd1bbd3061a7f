"""The ``investigation`` object: everything an analyst asks and says, in one place."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.errors import BadInput
from workspace_ext.foundation.ids import new_id, stable_id
from workspace_ext.protocol.messages import InvestigationState
from workspace_kernel.ahead import answered_by
from workspace_kernel.asking import Asker
from workspace_kernel.cards import Card
from workspace_kernel.catalogue import Catalogue
from workspace_kernel.connection import Connection
from workspace_kernel.events import Reporter
from workspace_kernel.files import digest_file
from workspace_kernel.help import TemplateHelp, TemplateList
from workspace_kernel.hypothesis import Hypothesis, evidence_ids
from workspace_kernel.quality import Quality
from workspace_kernel.result import Result
from workspace_kernel.values import text_of, window_of

if TYPE_CHECKING:
    from workspace_ext.widgets.board import Board
    from workspace_ext.widgets.form import TemplateForm
    from workspace_ext.widgets.timeline import Timeline


class Investigation:
    """Asks templates and SQL, states hypotheses, and keeps what was found.

    Examples::

        investigation.templates()                        # what can be asked
        investigation.run("triage.overview")             # one question, one call
        h = investigation.hypothesis("the cart exhausts its pool", predicts="slow, not failing")
        h.test("latency.shift", service="cart")          # counts for or against it
        investigation.conclude(root_cause="…", confidence=0.8, evidence=[…])
    """

    def __init__(self, connection: Connection | None = None) -> None:
        self._connection = connection or Connection()
        self._asker = Asker(self._connection)
        self._reporter = Reporter(self._connection)
        self._catalogue = Catalogue(self._connection)

    # -- asking ------------------------------------------------------------------------------

    def run(
        self,
        template: str,
        /,
        *,
        version: int | None = None,
        follows: str | Result = "",
        **params: Any,
    ) -> Result:
        """Runs a template: ``investigation.run("latency.shift", service="cart")``.

        Args:
            template: Its id, as in ``"latency.shift"``; Tab completes it.
            version: An older version, when the newest is not wanted.
            follows: The answer that led to this question: a result, or the template that gave it
                (its newest answer; ``"latency.shift#1f3a"`` is the one whose id begins so). The
                record keeps the path; an answer that is not there is no reason not to ask.
            params: Its parameters; windows default to the investigation's.
        """
        parent = self._led_here(follows) if follows else ""
        return self._asker.template(template, params, version=version, parent=parent)

    def sql(self, query: str, /, **params: Any) -> Result:
        """Runs one SELECT: ``investigation.sql("SELECT * FROM logs LIMIT $n", n=9)``.

        Its tables are ``spans, logs, metrics, events, services``.

        Args:
            query: The SQL; ``$name`` stands for a value, and ``$window_start``, ``$window_end``,
                ``$baseline_start``, ``$baseline_end`` for the investigation's own.
            params: The values.
        """
        return self._asker.sql(query, params)

    def templates(self) -> TemplateList:
        """All templates, with the question each answers: ``investigation.templates()``."""
        return TemplateList(tuple(self._catalogue.templates()))

    def help(self, template: str | None = None, /) -> TemplateHelp | TemplateList:
        """What a template asks, takes and covers: ``investigation.help("latency.shift")``."""
        if template is None:
            return self.templates()
        return TemplateHelp(self._catalogue.template(template))

    def quality(self, service: str | None = None, *, window: Any = None) -> Quality:
        """How far the data can be trusted: ``investigation.quality(service="cart")``.

        In the investigation's window, and at its pin.

        Args:
            service: The only one wanted.
            window: Another window, as ``"START/END"`` or a pair of times.
        """
        state = self.state
        span = state["window"]
        if window is not None:
            span = window_of(window, "window")  # type: ignore[assignment]
        text = f"{span['start']}/{span['end']}" if span else None
        client = self._connection.client
        return Quality(client.quality(text, service=service, pin=state["pin"]))

    # -- controls ----------------------------------------------------------------------------

    def form(self, template: str, /) -> TemplateForm:
        """A template's form, to fill in and run: ``investigation.form("latency.shift")``."""
        from workspace_kernel.controls import form

        return form(self._connection, template)

    def board(self) -> Board:
        """The hypotheses, to state and judge them in the notebook: ``investigation.board()``."""
        from workspace_kernel.controls import board

        return board(self._connection)

    def timeline(self) -> Timeline:
        """What happened so far, by whom, and what came of it: ``investigation.timeline()``."""
        from workspace_kernel.controls import timeline

        return timeline(self._connection)

    # -- saying ------------------------------------------------------------------------------

    def hypothesis(self, text: str, predicts: str = "") -> Hypothesis:
        """States a claim: ``investigation.hypothesis("the pool is too small", predicts="…")``.

        Stated again, it is the same one.
        A claim that stands in a text cell (*Hypothesis: …*) is taken up by the same words.
        """
        said = _said(text, "hypothesis")
        return Hypothesis(said, self._reporter, self._asker).propose(text_of(predicts, "predicts"))

    def note(self, text: str) -> Card:
        """Keeps a remark: ``investigation.note("the traffic is a load test's")``."""
        return self._keep("note", text)

    def finding(self, text: str) -> Card:
        """Keeps what was found out: ``investigation.finding("errors begin after the calls")``."""
        return self._keep("finding", text)

    def decide(self, text: str, because: str = "") -> Card:
        """Keeps a decision: ``investigation.decide("roll back", because="it began then")``."""
        said, because = _said(text, "decision"), text_of(because, "because")
        self._once("decision.made", f"{said}\0{because}", {"text": said, "because": because})
        return Card("Decision", said, (f"Because {because}",) if because else ())

    def action(self, text: str, owner: str | None = None, *, done: bool | None = None) -> Card:
        """Keeps what is to be done: ``investigation.action("add an alert", owner="carol")``.

        The same text again is the same action.

        Args:
            text: What.
            owner: By whom.
            done: Whether it is done; ticking it off in the panel is the same.
        """
        said = _said(text, "action")
        owner = None if owner is None else text_of(owner, "owner")
        key = stable_id(self.uid, "action", " ".join(said.split()).casefold())
        known = self.state["actions"].get(key)
        if known is None:
            data: dict[str, Any] = {"text": said, "owner": owner or ""}
            self._reporter.report("action.added", key, data, event_id=key)
        wanted = {"owner": owner if known else None, "done": done}
        now = known or {"owner": None, "done": False}
        changed = {
            name: value
            for name, value in wanted.items()
            if value is not None and value != now.get(name)
        }
        if changed:
            self._reporter.report("action.changed", key, {"action": key, **changed})
        found = self.state["actions"][key]
        whose = f"For {found['owner'] or 'nobody yet'}"
        return Card("Action", found["text"], (whose,), "done" if found["done"] else "to do")

    def conclude(
        self,
        root_cause: str,
        *,
        confidence: float,
        evidence: Any = (),
        hypothesis: Hypothesis | None = None,
        despite: str = "",
    ) -> Card:
        """Says the cause: ``investigation.conclude("…", confidence=0.8, evidence=[slower])``.

        Args:
            root_cause: In a sentence.
            confidence: From 0 to 1.
            evidence: The results that carry it.
            hypothesis: The hypothesis that has proved to be the cause; refused when its tests
                failed or had no data.
            despite: Why it is the cause all the same; the hypothesis is marked with it.
        """
        sure = isinstance(confidence, (int, float)) and not isinstance(confidence, bool)
        if not sure or not 0 <= confidence <= 1:
            raise BadInput(
                f"confidence={confidence!r} is not between 0 and 1",
                hint="write 0.8 for eighty percent",
                code="bad_confidence",
            )
        if hypothesis is not None and not isinstance(hypothesis, Hypothesis):
            raise BadInput(
                f"hypothesis is a {type(hypothesis).__name__}",
                hint='give what investigation.hypothesis("…") returned',
                code="bad_hypothesis",
            )
        said, carried_by = _said(root_cause, "root cause"), evidence_ids(evidence)
        data = {
            "root_cause": said,
            "confidence_percent": round(confidence * 100),
            "evidence": carried_by,
            "hypothesis": hypothesis.id if hypothesis else None,
        }
        known = self.state["conclusion"]
        if (
            known is None
            or any(known.get(key) != value for key, value in data.items())
            or (hypothesis is not None and hypothesis.state != "root_cause")
        ):
            told = {**data, "override": despite} if despite else data
            self._reporter.report("conclusion.reached", self.uid, told, rationale=said)
        count = len(carried_by)
        details = (
            f"Confidence {data['confidence_percent']} %",
            f"Evidence: {count} quer{'y' if count == 1 else 'ies'}",
        )
        return Card("Conclusion", said, details, "root cause")

    def outcome(self, *, correct: bool, because: str) -> Card:
        """Says, later, how it turned out: ``investigation.outcome(correct=True, because="…")``.

        Many of these show how well stated confidence holds: ``jupyter investigation calibration``.
        """
        reason = _said(because, "reason")
        data = {"correct": bool(correct)}
        self._reporter.report("outcome.recorded", self.uid, data, rationale=reason)
        return Card("Outcome", "it was right" if correct else "it was wrong", (reason,))

    def file(self, path: str | Path) -> Path:
        """Records that this cell reads a file: its name, size and digest.

        Returns:
            The path, as in ``pd.read_csv(investigation.file("orders.csv"))``.

        Raises:
            NotFound: There is no such file.
        """
        read = Path(path)
        size, digest = digest_file(read)
        name = read.name if read.is_absolute() else read.as_posix()
        data = {"name": name, "size": size, "digest": digest}
        self._reporter.report("file.read", name[-256:], data)
        return read

    def scope(
        self,
        window: Any = None,
        baseline: Any = None,
        services: Iterable[str] | None = None,
        title: str | None = None,
        severity: str | None = None,
    ) -> Card:
        """Sets what is looked at: ``investigation.scope(window="START/END", title="…")``.

        The same again changes nothing, and no argument shows it.

        Args:
            window: When it hurts, as ``"START/END"`` or a pair of times.
            baseline: When it was fine; the time just before the window when never given.
            services: Which services are in question.
            title: What the investigation is called.
            severity: As your organisation writes it.
        """
        told = {"title": title, "severity": severity}
        wanted: dict[str, Any] = {
            name: text_of(value, name) for name, value in told.items() if value is not None
        }
        for name, value in (("window", window), ("baseline", baseline)):
            if value is not None:
                wanted[name] = window_of(value, name)
        if services is not None:
            wanted["services"] = _names(services)
        state = self.state
        known: dict[str, Any] = {**state}
        changed = {
            name: value
            for name, value in wanted.items()
            if value is not None and known[name] != value
        }
        if changed:
            self._reporter.report("investigation.scoped", self._reporter.uid, changed)
        now = {**known, **changed}
        return Card("Investigation", now["title"], _scope(now))

    # -- looking -----------------------------------------------------------------------------

    @property
    def state(self) -> InvestigationState:
        """Everything that is known of this investigation, as plain data."""
        return self._reporter.state()

    @property
    def uid(self) -> str:
        """The id under which it is recorded."""
        return self._reporter.uid

    def _led_here(self, follows: str | Result) -> str:
        """The id of the answer that a question follows from; empty when it is not known."""
        if isinstance(follows, Result):
            return follows.run_id
        if not isinstance(follows, str):
            raise BadInput(
                f"follows is a {type(follows).__name__}",
                hint='give a result, or the template that led here, as in "latency.shift"',
                code="bad_follows",
            )
        return answered_by(self.state["queries"].values(), follows)

    def _keep(self, what: str, text: str) -> Card:
        said = _said(text, what)
        self._once(f"{what}.added", said, {"text": said})
        return Card(what.capitalize(), said)

    def _once(self, kind: str, content: str, data: dict[str, Any]) -> None:
        cell = self._reporter.cell
        event = stable_id(self.uid, kind, cell, content) if cell else new_id()
        self._reporter.report(kind, event, data, event_id=event)

    def __repr__(self) -> str:
        return repr(_overview({**self.state}))

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        card = _overview({**self.state})
        return {"text/plain": repr(card), "text/html": card._repr_html_()}


def _names(services: Iterable[str]) -> list[str]:
    if isinstance(services, str):
        return [services]
    if not isinstance(services, Iterable):
        raise BadInput(
            f"services is a {type(services).__name__}, not a list of names",
            hint='as in services=["cart", "checkout"]',
            code="not_text",
        )
    return [text_of(service, "services") for service in services]


def _said(text: str, what: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise BadInput(f"the {what} is empty", hint="say it in a sentence", code="empty_text")
    return text.strip()


def _scope(state: dict[str, Any]) -> tuple[str, ...]:
    """What is looked at: the same whenever the same cell runs, whatever was found meanwhile."""
    details = [
        f"{name.capitalize()} {state[name]['start']} to {state[name]['end']}"
        for name in ("window", "baseline")
        if state[name]
    ]
    if state["services"]:
        details.append(f"Services {', '.join(state['services'])}")
    return (*details, f"Data up to batch {state['pin']}")


def _overview(state: dict[str, Any]) -> Card:
    claims = [
        f"{claim['state'].replace('_', ' ').capitalize()}: {claim['text']}"
        for claim in state["hypotheses"].values()
    ]
    return Card("Investigation", state["title"], (*_scope(state), *claims), state["state"])
