"""The Python types of how people work together, as they travel; see `messages`."""

from __future__ import annotations

from typing import TypedDict


class PinMove(TypedDict):
    """Who moved the pin last, when and why."""

    by: str
    at: str
    why: str


class ActionItem(TypedDict):
    """Something to be done, by whom (empty: by nobody yet), and whether it is."""

    id: str
    text: str
    owner: str
    done: bool
    done_by: str | None
    done_at: str | None
    by: str
    at: str
    cell: str | None


class AgendaItem(TypedDict):
    """A point of the agenda, and the minutes set aside for it."""

    id: str
    title: str
    minutes: int


class Agenda(TypedDict):
    """What is to be gone through. ``since`` is when the current item began, ``by`` who began it."""

    items: list[AgendaItem]
    current: str | None
    since: str | None
    by: str | None
