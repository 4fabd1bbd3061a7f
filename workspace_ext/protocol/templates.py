"""The Python types of what travels about query templates. The contract is ``schemas/*.json``."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class TemplateParam(TypedDict):
    """One declared parameter; ``required`` says whether a call must give it."""

    name: str
    type: Literal["window", "service", "string", "int", "float", "bool", "choice", "duration"]
    required: bool
    default: str | int | float | bool | None
    min: float | None
    max: float | None
    of: list[str]
    help: str


class TemplateNext(TypedDict):
    """What to ask after an answer: a template, and where its parameters come from.

    ``params`` has columns of a row, ``$parameters`` of this template, numbers, and ``'texts'``.
    """

    template: str
    when: NotRequired[str]
    params: NotRequired[dict[str, Any]]


class StepRef(TypedDict):
    """Which Python step ran after a template's SQL, and the package that brought it."""

    name: str
    version: str


class NextStep(TypedDict):
    """A question that rows of an answer lead to, with what fills its parameters.

    A row gives ``params``, and for each entry of ``columns`` its value there. ``rows`` are the
    positions of the rows that it makes sense for, of the first thousand; None for any row.
    """

    template: str
    title: str
    question: str
    params: dict[str, Any]
    columns: dict[str, str]
    rows: list[int] | None


class TemplateInfo(TypedDict):
    """Everything that a person wants to know of a template before asking it."""

    id: str
    version: int
    digest: str
    title: str
    question: str
    status: Literal["draft", "stable", "deprecated"]
    params: list[TemplateParam]
    requires: list[str]
    returns: dict[str, str]
    interesting: str
    covers: list[str]
    not_covered: list[str]
    chart: dict[str, Any] | None
    references: list[str]
    example: str  # a call that a person can copy
    picture: bool  # whether there is one of an example result
    step: NotRequired[str]  # the Python step after its SQL; empty without one
    columns: NotRequired[dict[str, str]]  # what columns mean whose names do not tell
    replaced_by: NotRequired[str]  # of one that is deprecated
    next: NotRequired[list[TemplateNext]]


class TemplateProblem(TypedDict):
    """Why a template file is left out; ``file`` is relative to its library's folder."""

    file: str
    line: int | None
    message: str


class Gallery(TypedDict):
    """What can be asked of a store: templates, those that are broken, and services by name."""

    templates: list[TemplateInfo]
    problems: list[TemplateProblem]
    services: list[str]
