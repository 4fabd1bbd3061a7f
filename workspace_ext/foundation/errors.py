"""The one error tree.

Every error has a ``code`` (stable, for programs), a message that says what was wrong and
where, and a ``hint`` that says what to do next. Edges map a class to an HTTP status and to
an exit code by the two class attributes, and nowhere else.

::

    InvestigationError
    ├── BadInput          what was given is wrong                  400, exit 2
    │   └── NotFound      it names something that is not there     404, exit 2
    ├── Denied            who asks may not                         403, exit 2
    ├── Conflict          somebody else holds or changed it        409, exit 3
    ├── LimitExceeded     time, rows or memory ran out             422, exit 3
    ├── Unavailable       a process, disk or port is not there     503, exit 3
    └── Damaged           what was kept is not what was written    500, exit 1
"""

from __future__ import annotations

from typing import Any, ClassVar


class InvestigationError(Exception):
    """Base of all errors that a user may see.

    Args:
        message: What was wrong, and where.
        hint: What to do next.
        code: Stable name for programs; the class's own code when not given.
    """

    code: str = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def to_dict(self) -> dict[str, str]:
        """The form that travels: ``kind`` names the class of the tree, for `from_dict`."""
        return {
            "kind": next(kind.__name__ for kind in type(self).__mro__ if kind.__name__ in _KINDS),
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
        }


class BadInput(InvestigationError):
    """What was given is wrong: a parameter, a file, a query."""

    code = "bad_input"
    status = 400
    exit_code = 2


class NotFound(BadInput):
    """A name that leads nowhere: a template, a notebook, an investigation."""

    code = "not_found"
    status = 404


class Denied(InvestigationError):
    """Who asks may not do this."""

    code = "denied"
    status = 403
    exit_code = 2


class Conflict(InvestigationError):
    """Somebody else holds it, or changed it meanwhile."""

    code = "conflict"
    status = 409
    exit_code = 3


class LimitExceeded(InvestigationError):
    """A query or an upload used up its time, rows, bytes or memory."""

    code = "limit_exceeded"
    status = 422
    exit_code = 3


class Unavailable(InvestigationError):
    """A process, a disk or a port that is needed is not there."""

    code = "unavailable"
    status = 503
    exit_code = 3


class Damaged(InvestigationError):
    """What was kept is not what was written: a store, a ledger, an archive."""

    code = "damaged"
    status = 500
    exit_code = 1


_KINDS: dict[str, type[InvestigationError]] = {
    kind.__name__: kind
    for kind in (
        InvestigationError,
        BadInput,
        NotFound,
        Denied,
        Conflict,
        LimitExceeded,
        Unavailable,
        Damaged,
    )
}


def from_dict(value: dict[str, Any]) -> InvestigationError:
    """Rebuilds an error from `InvestigationError.to_dict`, as a client does with an answer."""
    kind = _KINDS.get(str(value.get("kind")), InvestigationError)
    return kind(
        str(value.get("message", "unknown error")),
        hint=str(value.get("hint", "")),
        code=str(value["code"]) if "code" in value else None,
    )
