"""The Python types of reviews and comments, as they travel; see `messages`."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

ReviewState = Literal["draft", "in_review", "approved", "changes_requested", "archived"]
ReviewAction = Literal["request", "approve", "changes", "archive"]


class Lapse(TypedDict):
    """The first change after an approval: ``what`` is a phrase, as in "cell 3f was run"."""

    seq: int
    at: str
    by: str
    what: str


class ReviewStep(TypedDict):
    """That somebody moved the review on, and what they had before them.

    ``revision`` and ``digest`` name the newest version of the notebook then (0 and "" before the
    first), ``seq`` and ``head`` the last entry of the ledger.
    """

    action: ReviewAction
    state: ReviewState
    by: str
    at: str
    reason: str
    revision: int
    digest: str
    seq: int
    head: str


class Comment(TypedDict):
    """What somebody said; never changed."""

    id: str
    text: str
    by: str
    at: str


class Thread(TypedDict):
    """Comments on one cell or one hypothesis; it has the id of its first comment."""

    id: str
    cell: str | None
    hypothesis: str | None
    comments: list[Comment]
    resolved_by: str | None
    resolved_at: str | None


class TemplateUse(TypedDict):
    """A template as an investigation used it: by whom this very text was looked through.

    ``by`` is None for one that nobody reviewed, and "release" for one that ships with the product.
    """

    id: str
    version: int
    digest: str
    by: str | None
    at: str | None
    queries: list[str]


class ScriptUse(TypedDict):
    """A script that cells used (a Python file beside the notebook), by whom it was looked through.

    ``by`` is None for one that nobody reviewed, ``cells`` are those of the runs that used it.
    """

    name: str
    digest: str
    by: str | None
    at: str | None
    cells: list[str]


class Review(TypedDict):
    """How the review of an investigation stands.

    ``label`` says the state in words, as in "approved, lapsed: version 4 was saved by bob";
    ``lapse`` is set once an approval no longer holds; ``actions`` is what may be done next.
    """

    investigation: str
    state: ReviewState
    label: str
    actions: list[ReviewAction]
    lapse: Lapse | None
    revision: int
    digest: str
    authors: list[str]
    steps: list[ReviewStep]
    threads: dict[str, Thread]
    templates: list[TemplateUse]
    scripts: NotRequired[list[ScriptUse]]


class Change(TypedDict):
    """One line of what changed: ``kind`` is cell, run, hypothesis, comment and so on."""

    kind: str
    subject: str
    what: str
    by: list[str]
    at: str


class Changes(TypedDict):
    """What changed in an investigation since a person last looked (None: they never did)."""

    investigation: str
    who: str
    since: str | None
    until: str
    seq: int
    changes: list[Change]
