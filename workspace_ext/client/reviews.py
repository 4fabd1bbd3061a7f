"""The broker's routes of reviews and comments, as methods."""

from __future__ import annotations

from typing import cast

from workspace_ext.client.calls import Calls, part
from workspace_ext.client.calls import investigation as _investigation
from workspace_ext.foundation.actor import system_user
from workspace_ext.protocol.reviews import Changes, Review, ScriptUse, TemplateUse, Thread


class ReviewCalls(Calls):
    """Part of `BrokerClient`. Who is not named is the operating system's user."""

    def review(self, uid: str) -> Review:
        """How the review of an investigation stands, with its comments."""
        return cast(Review, self._json("GET", _investigation(uid, "review")))

    def act_on_review(self, uid: str, action: str, **said: str) -> Review:
        """Moves a review on; see `ReviewAction`.

        Args:
            uid: The investigation.
            action: request, approve, changes or archive.
            said: ``reason``, ``actor``, and ``digest`` of the version that the person looked at.

        Raises:
            BadInput: It may not follow.
            Denied: An author may not judge their own work.
            Conflict: The notebook was saved again meanwhile.
        """
        body = {"actor": str(system_user()), **said, "action": action}
        return cast(Review, self._json("POST", _investigation(uid, "review"), body=body))

    def postmortem(self, uid: str) -> str:
        """The investigation as a post-mortem in Markdown."""
        path = _investigation(uid, "postmortem")
        return self._transport.content("GET", path, seconds=None).decode()

    def review_template(
        self, template: str, *, version: int | None = None, reason: str = "", actor: str = ""
    ) -> TemplateUse:
        """Says that somebody looked through a template as it is now; the newest version."""
        body = {"version": version, "reason": reason, "actor": actor or str(system_user())}
        found = self._json("POST", f"/v1/templates/{part(template)}/reviews", body=body)
        return cast(TemplateUse, found)

    def review_script(
        self, name: str, digest: str, *, reason: str = "", actor: str = ""
    ) -> ScriptUse:
        """Says that somebody looked through a script of this content."""
        body = {"name": name, "digest": digest, "reason": reason}
        body["actor"] = actor or str(system_user())
        return cast(ScriptUse, self._json("POST", "/v1/scripts/reviews", body=body))

    def comment(self, uid: str, text: str, **place: str | None) -> Thread:
        """Says something; ``cell``, ``hypothesis`` or ``thread`` is the place, ``actor`` who."""
        body = {"actor": str(system_user()), **place, "text": text}
        return cast(Thread, self._json("POST", _investigation(uid, "comments"), body=body))

    def settle(self, uid: str, thread: str, *, resolved: bool, actor: str | None = None) -> Thread:
        """Resolves a thread of comments, or opens it again."""
        body = {"actor": actor or str(system_user()), "thread": thread, "resolved": resolved}
        return cast(Thread, self._json("POST", _investigation(uid, "threads"), body=body))

    def changes(self, uid: str, *, since: str | None = None, actor: str | None = None) -> Changes:
        """What changed since the person last looked, or since a time; see `ReviewService`."""
        body = {"actor": actor or str(system_user()), "since": since}
        return cast(Changes, self._json("POST", _investigation(uid, "changes"), body=body))
