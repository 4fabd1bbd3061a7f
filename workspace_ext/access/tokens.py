"""Tokens: what a caller of the broker shows.

The service token is random, new at each start of the broker, and stands in the store's
``broker.json``, which only the store's owner can read. A kernel's token says the kernel, the user
and the notebook it was made for, signed with the store's secret; it holds for as long as the
kernel lives (`kernels`), also when the broker was restarted meanwhile.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Collection
from typing import Any

from workspace_ext.access.kernels import Kernels
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
        kernels: Those that live. None where the store itself ends with its kernel, as a replay's
            does: every token that it signed holds then.
    """

    def __init__(self, secret: bytes, kernels: Kernels | None = None) -> None:
        if len(secret) < 16:
            raise ValueError("the secret must have 16 bytes at least")
        self._key = hmac.digest(secret, _CONTEXT, hashlib.sha256)
        self.service_token = secrets.token_urlsafe(32)
        self._kernels = kernels

    def kernel_token(self, *, kernel: str, user: str, notebook: str = "") -> str:
        """A token for one kernel, which acts for one user.

        Args:
            kernel: The kernel's id.
            user: The name of the user as the Jupyter server authenticated them.
            notebook: The path of the notebook the kernel was started for.

        Raises:
            BadInput: Kernel or user is empty.
            Unavailable: It cannot be noted that the kernel lives.
        """
        if not kernel or not user:
            raise BadInput(
                "a kernel's token needs the kernel's id and its user",
                hint='give {"kernel": …, "user": …, "notebook": …}',
            )
        if self._kernels is not None:
            self._kernels.began(kernel)
        claims = {"kernel": kernel, "user": user, "notebook": notebook}
        body = _encode(canonical_json(claims))
        return f"{_PREFIX}.{body}.{_encode(self._sign(body))}"

    def revoke(self, kernels: Collection[str]) -> None:
        """Ends the tokens of kernels that are gone; one that had none is no trouble.

        Raises:
            Unavailable: It cannot be noted.
        """
        if self._kernels is not None:
            self._kernels.ended(kernels)

    def principal(self, token: str) -> Principal:
        """Who shows this token; ``Bearer `` before it is allowed.

        Raises:
            Denied: It is none of ours, or its kernel is gone.
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
        if self._kernels is not None and not self._kernels.lives(claims["kernel"]):
            raise Denied(
                "the token's kernel was shut down, or asked nothing for a month",
                hint="shut the kernel down and start it again: it gets another token",
                code="token_ended",
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
