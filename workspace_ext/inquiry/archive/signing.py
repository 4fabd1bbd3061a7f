"""Signing an archive: an in-toto statement over the bag's manifests, in a DSSE envelope.

The signature stands beside what it signs, as ``signature.dsse.json`` in the bag, and is in none of
its manifests. Ed25519 is deterministic: signing twice gives the same bytes. It is checked by
`auditor.signature`. Sources: https://github.com/secure-systems-lab/dsse, https://in-toto.io/Statement/v1
"""

from __future__ import annotations

import base64
import json
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from workspace_ext.foundation.errors import BadInput, Unavailable
from workspace_ext.inquiry.archive import auditor
from workspace_ext.inquiry.archive.container import bag_name, part_info, readable_json
from workspace_ext.inquiry.archive.reader import Archive

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_PREDICATE = "https://github.com/investigation-workspace/investigation-workspace/archive/v1"


class Signer:
    """Signs archives with one key.

    Args:
        path: An Ed25519 private key without a passphrase, as PEM (PKCS 8) or OpenSSH.

    Raises:
        Unavailable: The package ``cryptography`` is not installed.
        BadInput: The file cannot be read, or holds no such key.
    """

    def __init__(self, path: Path) -> None:
        self._key = _load(path)

    def sign(self, path: Path) -> str:
        """Adds the signature to an archive that has none.

        Args:
            path: The zip file.

        Returns:
            The name of the key, as `auditor.signature` tells it.
        """
        with Archive(path) as archive:
            uid = archive.manifest.investigation
            manifests = archive.bag_digests()
        public = self._key.public_key().public_bytes_raw()
        name = f"SHA256:{sha256(public).hexdigest()[:16]}"
        statement = {
            "_type": auditor.STATEMENT_TYPE,
            "subject": [
                {"name": each, "digest": {"sha256": digest}}
                for each, digest in sorted(manifests.items())
            ],
            "predicateType": _PREDICATE,
            "predicate": {"investigation": uid, "publicKey": base64.b64encode(public).decode()},
        }
        payload = json.dumps(statement, sort_keys=True).encode()
        signed = self._key.sign(auditor.before_signing(auditor.PAYLOAD_TYPE, payload))
        envelope = {
            "payloadType": auditor.PAYLOAD_TYPE,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{"keyid": name, "sig": base64.b64encode(signed).decode()}],
        }
        with zipfile.ZipFile(path, "a") as zipped:
            info = part_info(f"{bag_name(uid)}/{auditor.SIGNATURE}")
            zipped.writestr(info, readable_json(envelope))
        return name


def _load(path: Path) -> Ed25519PrivateKey:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import (
            load_pem_private_key,
            load_ssh_private_key,
        )
    except ImportError as error:
        raise Unavailable(
            "signing needs the package cryptography",
            hint="pip install 'investigation-workspace[sign]'",
            code="no_cryptography",
        ) from error
    try:
        content = path.read_bytes()
        is_ssh = b"OPENSSH PRIVATE KEY" in content
        key = (load_ssh_private_key if is_ssh else load_pem_private_key)(content, None)
    except OSError as error:
        raise _no_key(path, error.strerror or str(error)) from error
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise _no_key(path, "holds no private key (PEM or OpenSSH) without a passphrase") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path, "holds a key of another kind")
    return key


def _no_key(path: Path, why: str) -> BadInput:
    return BadInput(
        f"{path} is no key to sign with: {why}",
        hint="make one: openssl genpkey -algorithm ed25519 -out key.pem, and for the others"
        " openssl pkey -in key.pem -pubout -out key.pub",
        code="bad_key",
    )
