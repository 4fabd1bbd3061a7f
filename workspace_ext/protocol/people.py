"""Who somebody is on a Jupyter server, as its browsers are told."""

from __future__ import annotations

from typing import Literal, TypedDict


class Me(TypedDict):
    """Who the browser's user is on this server, and what they may do here.

    ``may`` holds some of: read, comment, edit (notebooks and files), run (code), open (begin an
    investigation), pin (move it), review (move it on), approve (judge the work of others), close
    (archive a review), people (give others a role).
    """

    name: str
    display_name: str
    role: Literal["lead", "responder", "viewer"]
    may: list[
        Literal[
            "read", "comment", "edit", "run", "open", "pin", "review", "approve", "close", "people"
        ]
    ]


class Member(TypedDict):
    """Somebody who may log in to this server."""

    name: str
    display_name: str
    role: Literal["lead", "responder", "viewer"]
