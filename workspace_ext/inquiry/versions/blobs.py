"""Texts under their digests, each kept once, small.

Many are a little different from one before: the same cell edited, the same table computed
again. Such a text is compressed with the earlier one as dictionary (DEFLATE's preset dictionary,
RFC 1950, which reaches 32 KB back). A dictionary is always a text kept whole, so that reading
one takes two rows at most.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, column, select, table
from sqlalchemy.dialects.sqlite import insert

from workspace_ext.foundation.canonical import PREFIX, digest_text
from workspace_ext.foundation.errors import Damaged

TABLE = """
CREATE TABLE blobs (
  id INTEGER NOT NULL PRIMARY KEY, digest BLOB NOT NULL UNIQUE, base INTEGER, content BLOB NOT NULL
);
"""

_BLOBS = table("blobs", column("id"), column("digest"), column("base"), column("content"))
_WINDOW = 32 * 1024
_RAW = -15  # no header, no checksum: the digest is one
_WORTH_IT = 0.7
_LARGE = 1 << 20
_PAGE = 500  # bound values in one statement; SQLite takes 32,766


@dataclass(frozen=True)
class Packed:
    """A text ready to be written; compressing is done before a transaction begins."""

    digest: str
    base: int | None
    content: bytes


def known(connection: Connection, digests: Iterable[str]) -> dict[str, int]:
    """The ids of those texts that are kept already."""
    rows = _rows(connection, _BLOBS.c.digest, map(_raw, digests), _BLOBS.c.id)
    return {PREFIX + row.digest.hex(): row.id for row in rows}


def digests(connection: Connection, ids: Iterable[int] | None) -> dict[int, str]:
    """The digests of texts, by their ids; of all when None."""
    rows: Iterable[Row[Any]]
    if ids is None:
        rows = connection.execute(select(_BLOBS.c.id, _BLOBS.c.digest))
    else:
        rows = _rows(connection, _BLOBS.c.id, ids, _BLOBS.c.digest)
    return {row.id: PREFIX + row.digest.hex() for row in rows}


def pack(connection: Connection, digest: str, text: str, *, like: str | None = None) -> Packed:
    """Compresses a text.

    Args:
        connection: For reading what it is like.
        digest: Of the text.
        text: The text.
        like: The digest of an earlier text that it may resemble.
    """
    content = text.encode()
    whole = _deflate(content, b"")
    base = None if like is None else _base_of(connection, like)
    if base is not None:
        number, dictionary = base
        small = _deflate(content, dictionary)
        if len(small) < _WORTH_IT * len(whole):
            return Packed(digest, number, small)
    return Packed(digest, None, whole)


def put(connection: Connection, packed: Iterable[Packed]) -> None:
    """Writes texts; those that are there already stay as they are."""
    for each in packed:
        row = {"digest": _raw(each.digest), "base": each.base, "content": each.content}
        connection.execute(insert(_BLOBS).on_conflict_do_nothing(), row)


def put_texts(connection: Connection, texts: Mapping[str, str]) -> None:
    """Writes texts by their digests, whole."""
    there = known(connection, texts)
    put(
        connection,
        [pack(connection, digest, text) for digest, text in texts.items() if digest not in there],
    )


def texts(connection: Connection, digests: Iterable[str]) -> dict[str, str]:
    """The kept ones of these texts, by digest.

    Raises:
        Damaged: One is not what was written.
    """
    wanted = map(_raw, digests)
    rows = list(_rows(connection, _BLOBS.c.digest, wanted, _BLOBS.c.base, _BLOBS.c.content))
    needed = {row.base for row in rows} - {None}
    bases: dict[int | None, bytes] = {None: b""}
    for row in _rows(connection, _BLOBS.c.id, needed, _BLOBS.c.content):
        bases[row.id] = _inflate(row.content, b"")
    return {
        PREFIX + row.digest.hex(): _checked(
            row.digest, _inflate(row.content, bases.get(row.base, b""))
        )
        for row in rows
    }


def changed(connection: Connection) -> frozenset[str]:
    """The digests of all texts that are not what was written. Reads everything."""
    whole: dict[int, bytes] = {}
    wrong = set()
    query = select(_BLOBS.c.id, _BLOBS.c.digest, _BLOBS.c.base, _BLOBS.c.content)
    for row in connection.execute(query.order_by(_BLOBS.c.id)):  # a base comes before its users
        try:
            base = b"" if row.base is None else whole.get(row.base, b"")
            content = _inflate(row.content, base)
            _checked(row.digest, content)
        except Damaged:
            wrong.add(PREFIX + row.digest.hex())
            continue
        if row.base is None:
            whole[row.id] = content[-_WINDOW:]
    return frozenset(wrong)


def _rows(
    connection: Connection,
    key: ColumnElement[Any],
    values: Iterable[Any],
    *columns: ColumnElement[Any],
) -> Iterator[Row[Any]]:
    """Some columns, and the key, of the rows whose key is one of these values."""
    wanted = list(dict.fromkeys(values))
    for start in range(0, len(wanted), _PAGE):
        some = key.in_(wanted[start : start + _PAGE])
        yield from connection.execute(select(key, *columns).where(some))


def _base_of(connection: Connection, like: str) -> tuple[int, bytes] | None:
    """The id and content of the text kept whole behind an earlier one."""
    query = select(_BLOBS.c.id, _BLOBS.c.base).where(_BLOBS.c.digest == _raw(like))
    row = connection.execute(query).first()
    if row is None:
        return None
    number = row.id if row.base is None else row.base
    content = connection.execute(select(_BLOBS.c.content).where(_BLOBS.c.id == number)).scalar()
    return None if content is None else (number, _inflate(content, b""))


def _deflate(content: bytes, dictionary: bytes) -> bytes:
    level = 6 if len(content) > _LARGE else 9
    if dictionary:
        packer = zlib.compressobj(level, zlib.DEFLATED, _RAW, zdict=dictionary[-_WINDOW:])
    else:
        packer = zlib.compressobj(level, zlib.DEFLATED, _RAW)
    return packer.compress(content) + packer.flush()


def _inflate(content: bytes, dictionary: bytes) -> bytes:
    unpacker = (
        zlib.decompressobj(_RAW, zdict=dictionary[-_WINDOW:])
        if dictionary
        else zlib.decompressobj(_RAW)
    )
    try:
        return unpacker.decompress(content) + unpacker.flush()
    except zlib.error as error:
        raise _damaged() from error


def _checked(digest: bytes, content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise _damaged() from error
    if _raw(digest_text(text)) != digest:
        raise _damaged()
    return text


def _raw(digest: str) -> bytes:
    return bytes.fromhex(digest.removeprefix(PREFIX))


def _damaged() -> Damaged:
    return Damaged(
        "a part of a saved version is not what was written",
        hint="see what was changed with: jupyter investigation verify --store DIR",
        code="version_damaged",
    )
