"""The roles of people, and what each of them may do.

A viewer reads and comments; a responder does the work; a lead also says who is what, and archives
reviews. What an incident needs is never kept for the lead, who may not be there when it happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from workspace_ext.foundation.errors import BadInput

Role = Literal["lead", "responder", "viewer"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From the one who may most to the one who may least."""

Ability = Literal[
    "read", "comment", "edit", "run", "open", "pin", "review", "approve", "close", "people"
]
"""What people do: see everything; say something; change notebooks and other files; use kernels and
terminals; begin an investigation; move its pin; move its review on; approve, or send back, the work
of others; archive a review; give others a role."""
ABILITIES: tuple[Ability, ...] = get_args(Ability)

_OF_VIEWERS = frozenset[Ability]({"read", "comment"})
_OF_LEADS = frozenset[Ability]({"close", "people"})
_OF_THE_NAMED = frozenset[Ability]({"approve"})

_DOING: dict[Ability, str] = {
    "read": "see what is here",
    "comment": "comment",
    "edit": "change notebooks and files",
    "run": "run code",
    "open": "begin an investigation",
    "pin": "move the pin",
    "review": "move a review on",
    "approve": "judge the work of others",
    "close": "archive a review",
    "people": "say who may do what",
}


@dataclass(frozen=True)
class Decision:
    """Whether something is allowed, why, and what to do where it is not."""

    allowed: bool
    reason: str
    hint: str = ""


def may(role: Role, ability: Ability, *, anonymous: bool = False) -> Decision:
    """Whether somebody may do something, and why.

    Args:
        role: Theirs, as the server knows it.
        ability: What they want to do.
        anonymous: Whether the server knows them by nothing but a name it drew for their browser.
            Two browsers of one person are two such people, so an approval by one proves nothing.
    """
    doing = _DOING[ability]
    if role == "viewer" and ability not in _OF_VIEWERS:
        return Decision(
            allowed=False,
            reason=f"you are a viewer here: you see everything and may comment, but not {doing}",
            hint="ask a lead for the role of a responder",
        )
    if role != "lead" and ability in _OF_LEADS:
        return Decision(
            allowed=False,
            reason=f"you are a {role} here, and only a lead may {doing}",
            hint="ask a lead to do it",
        )
    if anonymous and ability in _OF_THE_NAMED:
        return Decision(
            allowed=False,
            reason=f"this server does not know who you are, and only who is known may {doing}",
            hint="let everybody log in by name: jupyter investigation people add NAME",
        )
    return Decision(allowed=True, reason=f"a {role} may {doing}")


def abilities(role: Role, *, anonymous: bool = False) -> list[Ability]:
    """All that somebody may do."""
    return [one for one in ABILITIES if may(role, one, anonymous=anonymous).allowed]


def role_named(text: str) -> Role:
    """A role by its name.

    Raises:
        BadInput: There is no such role.
    """
    if text not in ROLES:
        raise BadInput(f"there is no role {text!r}", hint=f"choose one of {', '.join(ROLES)}")
    return text
