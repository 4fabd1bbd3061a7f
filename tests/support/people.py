"""An identity provider with a table of people, for servers that several use at once."""

from __future__ import annotations

import hmac
from typing import Any

from jupyter_server.auth import Authorizer, IdentityProvider, User
from traitlets import default

TOKENS = {"alice": "token-of-alice", "bob": "token-of-bob", "carol": "token-of-carol"}
"""Carol may only read."""


class People(IdentityProvider):
    """Knows everybody by a token of their own."""

    @default("token")
    def _token_default(self) -> str:
        return ""

    @property
    def auth_enabled(self) -> bool:
        return True

    def get_user_token(self, handler: Any) -> User | None:
        given = self.get_token(handler) or ""
        for name, token in TOKENS.items():
            if hmac.compare_digest(given, token):
                return User(name, name.title(), name.title(), name[0].upper())
        return None


class Readers(Authorizer):
    """Lets Carol read, and the others do everything."""

    def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:
        return user.username != "carol" or action == "read"
