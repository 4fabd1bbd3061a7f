"""The table of who looked at which investigation, and how far it was then."""

from __future__ import annotations

from sqlalchemy import Connection, column, select, table
from sqlalchemy.dialects.sqlite import insert

from workspace_ext.storage.migrations import Migration

MIGRATIONS = (
    Migration(
        1,
        "looks",
        """
CREATE TABLE looks (
  investigation VARCHAR NOT NULL, person VARCHAR NOT NULL, seq INTEGER NOT NULL,
  at VARCHAR NOT NULL, PRIMARY KEY (investigation, person)
);
""",
    ),
)

_LOOKS = table("looks", column("investigation"), column("person"), column("seq"), column("at"))


def last_look(connection: Connection, uid: str, person: str) -> tuple[int, str] | None:
    """How far the ledger went when somebody last looked, and when that was."""
    found = connection.execute(
        select(_LOOKS.c.seq, _LOOKS.c.at).where(
            _LOOKS.c.investigation == uid, _LOOKS.c.person == person
        )
    ).first()
    return None if found is None else (int(found.seq), str(found.at))


def looked(connection: Connection, uid: str, person: str, seq: int, at: str) -> None:
    """Somebody looks now; a look never goes back."""
    statement = insert(_LOOKS).values(investigation=uid, person=person, seq=seq, at=at)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["investigation", "person"],
            set_={"seq": statement.excluded.seq, "at": statement.excluded.at},
            where=_LOOKS.c.seq <= statement.excluded.seq,
        )
    )
