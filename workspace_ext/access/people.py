"""The people of a Jupyter server: a file of names, roles and hashed tokens.

A token is ``NAME.SECRET``: the name leads to the one entry to compare with, so that a request
costs one hash however many people there are. The secret has 256 random bits; it is shown once and
kept as scrypt (RFC 7914) of it with a salt of the person's own.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from workspace_ext.access.roles import Role, role_named
from workspace_ext.foundation.errors import BadInput, Conflict, Damaged, NotFound, Unavailable
from workspace_ext.storage.files import write_whole

ENVIRONMENT = "INVESTIGATION_PEOPLE"
FILE_NAME = "investigation-people.json"

_SCHEMA = 1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")
_RANDOM_NAME = re.compile(r"[0-9a-f]{32}")  # Jupyter's own for people without a name
_DISPLAY_LENGTH = 80
_COST, _BLOCK, _LANES = 2**12, 8, 1  # 12 ms: an unguessable secret needs no more


@dataclass(frozen=True)
class Person:
    """Somebody who may log in.

    Attributes:
        name: What they are called in the record; never changes.
        display_name: What others see.
        role: What they do in an investigation.
        salt: Hexadecimal; another one with each token, so it also names the token.
        hash: scrypt of the token's secret, hexadecimal.
    """

    name: str
    display_name: str
    role: Role
    salt: str
    hash: str

    def owns(self, secret: str) -> bool:
        """Whether a secret is this person's."""
        return hmac.compare_digest(_hash(secret, self.salt), self.hash)


def people_file() -> Path:
    """``$INVESTIGATION_PEOPLE``, else a file in Jupyter's configuration folder."""
    from jupyter_core.paths import jupyter_config_dir

    return Path(os.environ.get(ENVIRONMENT) or Path(jupyter_config_dir()) / FILE_NAME)


class People:
    """Everybody in a people file. What another process changes is seen at the next call.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, ...] | None = None
        self._people: dict[str, Person] = {}
        self._proven: dict[bytes, Person] = {}

    def all(self) -> Mapping[str, Person]:
        """Everybody, by name; nobody when there is no file.

        Raises:
            Conflict: The file is of a newer version.
            Damaged: The file is none of ours.
            Unavailable: It cannot be read.
        """
        stamp = self._stat()
        if stamp != self._stamp or stamp is None:
            self._stamp, self._people, self._proven = None, {}, {}
            self._people = self._read() if stamp else {}
            self._stamp = stamp
        return self._people

    def find(self, token: str) -> Person | None:
        """Whose token this is; None when it is nobody's.

        Raises:
            Conflict: The file is of a newer version.
            Damaged: The file is none of ours.
            Unavailable: It cannot be read.
        """
        name, _, secret = token.rpartition(".")
        person = self.all().get(name)
        if person is None:
            return None
        key = hashlib.sha256(token.encode(errors="replace")).digest()
        if key not in self._proven:
            if not person.owns(secret):
                return None
            self._proven[key] = person
        return person

    def add(self, name: str, *, display_name: str = "", role: Role = "responder") -> str:
        """Adds somebody, and makes the file if it is not there; their token.

        Raises:
            BadInput: The name, the display name or the role is wrong.
            Conflict: Somebody of this name is there already, or the file is of a newer version.
            Damaged: The file is none of ours.
            Unavailable: It cannot be read or written.
        """
        display_name = " ".join(display_name.split()) or name
        _check(name, display_name, role)
        secret, salt = secrets.token_urlsafe(32), secrets.token_hex(16)
        with self._changing() as people:
            taken = next((one for one in people if one.casefold() == name.casefold()), None)
            if taken is not None:
                raise Conflict(
                    f"there is a person {taken!r} already",
                    hint="choose another name, or remove that one first to make a new token",
                    code="person_exists",
                )
            people[name] = Person(name, display_name, role, salt, _hash(secret, salt))
        return f"{name}.{secret}"

    def give(self, name: str, role: Role) -> None:
        """Gives somebody another role; their token stays.

        Raises:
            BadInput: There is no such role.
            NotFound: There is nobody of this name.
            Conflict: The file is of a newer version.
            Damaged: The file is none of ours.
            Unavailable: It cannot be read or written.
        """
        role_named(role)
        with self._changing() as people:
            people[name] = replace(_known(people, name), role=role)

    def remove(self, name: str) -> None:
        """Takes somebody's access away.

        Raises:
            NotFound: There is nobody of this name.
            Conflict: The file is of a newer version.
            Damaged: The file is none of ours.
            Unavailable: It cannot be read or written.
        """
        with self._changing() as people:
            del people[_known(people, name).name]

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Person]]:
        folder = self.path.absolute().parent
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(folder, os.O_RDONLY)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two who add at once both stay
            people = dict(self.all())
            yield people
            kept = {
                one.name: {k: v for k, v in asdict(one).items() if k != "name"}
                for one in people.values()
            }
            text = json.dumps({"schema": _SCHEMA, "people": kept}, indent=2) + "\n"
            write_whole(self.path, text, mode=0o600)
        except OSError as error:
            raise self._unusable(error) from error
        finally:
            os.close(lock)

    def _stat(self) -> tuple[int, ...] | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from error
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> dict[str, Person]:
        try:
            whole = json.loads(self.path.read_bytes())
        except OSError as error:
            raise self._unusable(error) from error
        except ValueError as error:
            raise self._damaged("it is no JSON") from error
        schema = whole.get("schema") if isinstance(whole, dict) else None
        if isinstance(schema, int) and schema > _SCHEMA:
            raise Conflict(
                f"{self.path} was written by a newer version (schema {schema})",
                hint="upgrade investigation-workspace",
                code="newer_people_file",
            )
        if schema != _SCHEMA or not isinstance(whole.get("people"), dict):
            raise self._damaged('its "schema" or its "people" is missing')
        return {name: self._person(name, one) for name, one in whole["people"].items()}

    def _person(self, name: str, entry: Any) -> Person:
        try:
            person = Person(name=name, **entry)
            _check(person.name, person.display_name, person.role)
            bytes.fromhex(person.salt + person.hash)
        except (ValueError, TypeError, BadInput) as error:
            raise self._damaged(
                f"the entry of {name!r} is not as `people add` writes it"
            ) from error
        return person

    def _damaged(self, why: str) -> Damaged:
        return Damaged(
            f"{self.path} is no people file: {why}",
            hint="put a copy of it back, or delete it and add everybody again; until then nobody"
            " can log in",
            code="bad_people_file",
        )

    def _unusable(self, error: OSError) -> Unavailable:
        return Unavailable(
            f"cannot use {self.path}: {error.strerror or error}",
            hint=f"check its permissions, or name another with ${ENVIRONMENT}",
        )


def _known(people: Mapping[str, Person], name: str) -> Person:
    if name not in people:
        raise NotFound(
            f"there is no person {name!r}",
            hint="see: jupyter investigation people list",
            code="no_person",
        )
    return people[name]


def _check(name: object, display_name: object, role: object) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or _RANDOM_NAME.fullmatch(name):
        raise BadInput(
            f"{name!r} is no name for a person",
            hint="up to 63 letters, digits and . _ @ -, as in ada or ada@example.org",
            code="bad_name",
        )
    if not isinstance(display_name, str) or not 0 < len(display_name) <= _DISPLAY_LENGTH:
        raise BadInput(
            f"the display name of {name} has not 1 to {_DISPLAY_LENGTH} characters",
            hint='as in --display "Ada Lovelace"',
            code="bad_name",
        )
    role_named(str(role))


def _hash(secret: str, salt: str) -> str:
    given = secret.encode(errors="replace")
    digest = hashlib.scrypt(given, salt=bytes.fromhex(salt), n=_COST, r=_BLOCK, p=_LANES)
    return digest.hex()
