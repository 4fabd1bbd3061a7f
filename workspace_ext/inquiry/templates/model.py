"""What a template is: frozen, and pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from workspace_ext.foundation.errors import BadInput
from workspace_ext.protocol.messages import TemplateRef
from workspace_ext.protocol.templates import TemplateNext

ParamType = Literal["window", "service", "string", "int", "float", "bool", "choice", "duration"]
PARAM_TYPES: tuple[str, ...] = get_args(ParamType)
Status = Literal["draft", "stable", "deprecated"]
STATUSES: tuple[str, ...] = get_args(Status)

_EXAMPLES: dict[str, object] = {
    "service": "cart",
    "string": "…",
    "int": 1,
    "float": 1.0,
    "bool": True,
    "duration": "30s",
}


@dataclass(frozen=True)
class Problem:
    """Something wrong in a template file; ``line`` is 1-based, None where there is none."""

    path: Path
    line: int | None
    message: str

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else str(self.path)
        return f"{where}: {self.message}"


class BadTemplate(BadInput):
    """A template file that cannot be used; carries its problems."""

    code = "bad_template"

    def __init__(self, problems: list[Problem]) -> None:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(
            f"{problems[0]}{more}",
            hint="run jupyter investigation templates check",
        )
        self.problems = problems


@dataclass(frozen=True)
class Param:
    """One declared parameter."""

    name: str
    type: ParamType
    optional: bool = False
    default: object = None
    minimum: float | None = None
    maximum: float | None = None
    of: tuple[str, ...] = ()
    help: str = ""

    @property
    def required(self) -> bool:
        """Whether a call must give it; windows come from the investigation."""
        return not (self.optional or self.default is not None or self.type == "window")

    @property
    def names(self) -> tuple[str, ...]:
        """The ``$names`` it binds: two for a window, else its own."""
        if self.type == "window":
            return (f"{self.name}_start", f"{self.name}_end")
        return (self.name,)

    def describe(self) -> dict[str, Any]:
        """The form that travels."""
        return {
            "name": self.name,
            "type": self.type,
            "required": self.required,
            "default": self.default,
            "min": self.minimum,
            "max": self.maximum,
            "of": list(self.of),
            "help": self.help,
        }


def bare_name(path: Path) -> str:
    """The name in a template's path: ``shift`` of ``latency/shift@2.sql``."""
    return path.stem.partition("@")[0]


@dataclass(frozen=True)
class Next:
    """A question that a row of the answer leads to.

    Attributes:
        template: Which template asks it.
        when: For which rows, as a condition over columns and parameters; empty for all.
        columns: Parameter of that template → the column of the row that fills it.
        given: Parameter of that template → the parameter of this one that fills it.
        values: Parameter of that template → its value.
    """

    template: str
    when: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters of that template which it fills."""
        return (*self.columns, *self.given, *self.values)

    def describe(self) -> TemplateNext:
        """As the header says it."""
        given = {name: f"${other}" for name, other in self.given.items()}
        values = {n: f"'{v}'" if isinstance(v, str) else v for n, v in self.values.items()}
        told: TemplateNext = {"template": self.template}
        if self.when:
            told["when"] = self.when
        return {**told, "params": {**self.columns, **given, **values}}


@dataclass(frozen=True)
class Template:
    """One question: a header, one SELECT, and perhaps a Python step after it.

    ``digest`` is over the file's bytes; ``columns`` says what those of its columns mean that their
    names do not tell.
    """

    id: str
    version: int
    title: str
    question: str
    status: Status
    params: Mapping[str, Param]
    requires: tuple[str, ...]
    returns: Mapping[str, str]
    interesting: str
    reason: str
    quiet: str
    covers: tuple[str, ...]
    not_covered: tuple[str, ...]
    chart: Mapping[str, Any] | None
    references: tuple[str, ...]
    sql: str
    placeholders: frozenset[str]
    digest: str
    path: Path
    step: str = ""
    next: tuple[Next, ...] = ()
    replaced_by: str = ""
    open: str = ""
    empty: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """All ``$names`` that its parameters bind."""
        return tuple(name for param in self.params.values() for name in param.names)

    def cautions(self) -> list[str]:
        """What goes with each answer of it."""
        if self.status != "deprecated":
            return []
        instead = f"; ask {self.replaced_by} instead" if self.replaced_by else ""
        return [f"template {self.id} v{self.version} is deprecated{instead}"]

    def ref(self) -> TemplateRef:
        """Which template, exactly."""
        return {"id": self.id, "version": self.version, "digest": self.digest}

    def describe(self) -> dict[str, Any]:
        """Everything that help shows, as JSON."""
        return {
            **self.ref(),
            "title": self.title,
            "question": self.question,
            "status": self.status,
            "params": [param.describe() for param in self.params.values()],
            "requires": list(self.requires),
            "returns": dict(self.returns),
            "columns": dict(self.columns),
            "interesting": self.interesting,
            "covers": list(self.covers),
            "not_covered": list(self.not_covered),
            "chart": dict(self.chart) if self.chart else None,
            "references": list(self.references),
            "example": self.example(),
            "picture": self.picture.is_file(),
            "step": self.step,
            "replaced_by": self.replaced_by,
            "next": [each.describe() for each in self.next],
        }

    @property
    def picture(self) -> Path:
        """Where a picture of an example result lies, if there is one."""
        return self.path.with_suffix(".example.svg")

    def example(self) -> str:
        """A call that a person can copy: the required parameters, and one more."""
        shown = [param for param in self.params.values() if param.required]
        if not shown:
            left = [p for p in self.params.values() if p.default is None]
            shown = [p for p in left if p.type not in ("window", "string")]
        arguments = [f", {param.name}={_example(param)!r}" for param in shown[:2]]
        return f'investigation.run("{self.id}"{"".join(arguments)})'


def _example(param: Param) -> object:
    if param.of:
        return param.of[0]
    return _EXAMPLES[param.type]
