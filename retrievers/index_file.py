"""The file of the embedded index: its schema, its opening, its transactions, its errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retrievers.errors import IndexFormatError, IndexNotFoundError, IndexWriteError

FILE = "hoptree.sqlite"
VERSION = 3
"""Raised whenever the schema changes, or `analysis.terms` or `names.title_key` so that what they
stored no longer fits."""

# The terms are made by `analysis`. The tokenizer `ascii` only splits them at spaces: `unicode61`
# would cut some of them again, at characters newer than its tables. detail=full, because bm25()
# reads every matching row again without it: 2 ms a query against 7 ms on 3,000 passages.
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS documents "
    "(id TEXT PRIMARY KEY, digest TEXT NOT NULL, file TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS passages (number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, "
    "document TEXT NOT NULL, title_key TEXT, record TEXT NOT NULL, vector BLOB)",
    "CREATE INDEX IF NOT EXISTS passages_document ON passages (document)",
    "CREATE INDEX IF NOT EXISTS passages_title_key ON passages (title_key) "
    "WHERE title_key IS NOT NULL",
    "CREATE VIRTUAL TABLE IF NOT EXISTS terms USING fts5 (title, body, tokenize='ascii')",
    f"PRAGMA user_version = {VERSION}",
)


def make(folder: Path) -> None:
    """Make the index file in `folder` where there is none; several processes may try at once.

    Raises
    ------
    IndexWriteError
        Where the folder or the file cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise IndexWriteError(f"cannot make an index at {folder}: {error}") from error
    if not (folder / FILE).exists():
        with told(folder):
            _lay_out(folder / FILE)


def connect(folder: Path) -> sqlite3.Connection:
    """Open the index file of `folder`, in autocommit mode, for use from any thread.

    Raises
    ------
    IndexNotFoundError
        Where there is none.
    IndexFormatError
        Where the file is not an index of this version.
    """
    file = folder / FILE
    if not file.is_file():
        raise IndexNotFoundError(
            f"there is no index at {folder}: make one with `hoptree index FILES… --index {folder}`"
        )
    with told(folder):
        connection = _open(file)
        try:
            version, tables = _state(connection)
            if version == 0 and tables == 0:
                # Killed between making the file and making its tables.
                _lay_out(file)
                version, tables = _state(connection)
            if version != VERSION:
                raise IndexFormatError(
                    f"{file} was made by another version of hoptree (format {version}, this one "
                    f"reads {VERSION}): delete the folder and index again"
                )
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
    return connection


def _open(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)


def _state(connection: sqlite3.Connection) -> tuple[int, int]:
    # Of one moment: another process may lay the tables out between the two questions.
    with snapshot(connection):
        [version] = connection.execute("PRAGMA user_version").fetchone()
        [tables] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return version, tables


def _lay_out(file: Path) -> None:
    connection = _open(file)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # One transaction: a kill leaves either an empty file or a whole schema.
        with writing(connection):
            for statement in _SCHEMA:
                connection.execute(statement)
    finally:
        connection.close()


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing: commit at the end, roll back when anything was raised, commit included."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself where the disk was full.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Show every statement inside one state of the file, whatever is written meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


_DISK = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_ACCESS = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, which name the folder and the remedy."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        # The low byte is the primary code; the rest says more of the same.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _DISK:
            raise IndexWriteError(
                f"the index at {folder} could not be written: the disk is full or failed "
                f"({error}); what was indexed before is intact: free space and run it again"
            ) from error
        if code in _ACCESS:
            raise IndexWriteError(f"the index at {folder} cannot be used: {error}") from error
        if code == sqlite3.SQLITE_NOTADB:
            raise IndexFormatError(
                f"{folder / FILE} is not a hoptree index ({error}): name another folder"
            ) from error
        if code in _DAMAGE:
            raise IndexFormatError(
                f"the index at {folder} is damaged ({error}): delete the folder and index again"
            ) from error
        raise
