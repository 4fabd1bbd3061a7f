"""Tokens: what a caller of the broker shows.

The service token is random, new at each start of the broker, and stands in the store's
``broker.json``, which only the store's owner can read. A kernel's token is stateless: the
kernel, the user and the notebook it was made for, signed with the store's secret, so that it
outlives a restart of the broker.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from typing import Any

from workspace_ext.access.model import Principal
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.canonical import canonical_json
from workspace_ext.foundation.errors import BadInput, Denied, InvestigationError

_PREFIX = "ik1"
_CONTEXT = b"investigation kernel token 1\0"


class Tokens:
    """Makes tokens and tells what they stand for.

    Args:
        secret: The store's secret (`StoreFolder.secret`).
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError("the secret must have 16 bytes at least")
        self._key = hmac.digest(secret, _CONTEXT, hashlib.sha256)
        self.service_token = secrets.token_urlsafe(32)

    def kernel_token(self, *, kernel: str, user: str, notebook: str = "") -> str:
        """A token for one kernel, which acts for one user.

        Args:
            kernel: The kernel's id.
            user: The name of the user as the Jupyter server authenticated them.
            notebook: The path of the notebook the kernel was started for.

        Raises:
            BadInput: Kernel or user is empty.
        """
        if not kernel or not user:
            raise BadInput(
                "a kernel's token needs the kernel's id and its user",
                hint='give {"kernel": …, "user": …, "notebook": …}',
            )
        claims = {"kernel": kernel, "user": user, "notebook": notebook}
        body = _encode(canonical_json(claims))
        return f"{_PREFIX}.{body}.{_encode(self._sign(body))}"

    def principal(self, token: str) -> Principal:
        """Who shows this token; ``Bearer `` before it is allowed.

        Raises:
            Denied: It is none of ours.
        """
        token = token.removeprefix("Bearer ").strip()
        if hmac.compare_digest(token.encode(), self.service_token.encode()):
            return Principal(Actor("service", "jupyter-investigation"), "service")
        claims = self._claims(token)
        if claims is None:
            raise Denied(
                "the token is not valid for this store",
                hint="restart the kernel, or use the broker.json of this store",
                code="bad_token",
            )
        return Principal(
            Actor("kernel", claims["kernel"]),
            "kernel",
            on_behalf_of=Actor("user", claims["user"]),
            kernel=claims["kernel"],
            notebook=claims["notebook"] or None,
        )

    def _claims(self, token: str) -> dict[str, Any] | None:
        prefix, _, rest = token.partition(".")
        body, _, signature = rest.partition(".")
        try:
            given = _decode(signature)
            if prefix != _PREFIX or not hmac.compare_digest(given, self._sign(body)):
                return None
            claims = json.loads(_decode(body))
        except (ValueError, binascii.Error, InvestigationError):
            return None
        return claims if isinstance(claims, dict) else None

    def _sign(self, body: str) -> bytes:
        return hmac.digest(self._key, body.encode(), hashlib.sha256)


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
