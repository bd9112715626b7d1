"""Which documents an indexing run has come across, kept on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from retrievers.errors import IndexWriteError


class Seen:
    """The digests of a run's documents by id: a dictionary of them would grow with the corpus.

    Ids that `key` maps to one are one. Used by the thread that made it, and closed by `with`.

    Raises
    ------
    retrievers.errors.IndexWriteError
        From each method, where the folder for temporary files is full.
    """

    def __init__(self, key: Callable[[str], str] = str) -> None:
        self._key = key
        # The empty name is a file of SQLite's own, which vanishes with the connection.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16000;"
            "CREATE TABLE seen (id TEXT PRIMARY KEY, digest BLOB NOT NULL) WITHOUT ROWID; BEGIN"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def get(self, id_: str) -> str | None:
        """Return the digest noted for a document; None where it was not come across."""
        with _told():
            query = "SELECT digest FROM seen WHERE id = ?"
            row = self._db.execute(query, (self._key(id_),)).fetchone()
        return row[0].hex() if row is not None else None

    def __getitem__(self, id_: str) -> str:
        if (digest := self.get(id_)) is None:
            raise KeyError(id_)
        return digest

    def __contains__(self, id_: str) -> bool:
        return self.get(id_) is not None

    def __setitem__(self, id_: str, digest: str) -> None:
        row = (self._key(id_), bytes.fromhex(digest))
        with _told():
            self._db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", row)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise IndexWriteError(
            f"the folder for temporary files cannot be written to ({error}): free space there, or "
            "name another one with SQLITE_TMPDIR, and run it again"
        ) from error
