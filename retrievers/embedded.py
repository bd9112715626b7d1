"""The embedded index: one SQLite file, no server.

SQLite is the single source of truth, because its transactions are what keeps an index whole when
the process is killed or the disk is full. FTS5 ranks by BM25 over terms that `analysis` made (so
English and Chinese share one table); int8 vectors lie beside the passages as blobs, and usearch
compares them by brute force with SIMD, exactly: 1 ms for 10,000 passages, with nothing to rebuild.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from retrievers.analysis import language_of, terms
from retrievers.documents import Document, split
from retrievers.encoder import Encoder, MiniLMEncoder, quantise
from retrievers.errors import IndexFormatError, IndexNotFoundError, IndexWriteError
from retrievers.fusion import rrf
from retrievers.loaders import LoadFailure
from retrievers.passage import Hit, Passage

FILE = "hoptree.sqlite"
VERSION = 1
DEPTH = 50
"""Passages taken from each of the two rankings before they are fused."""
TITLE_WEIGHT = 1.5
BATCH = 128
"""Documents encoded and committed at once."""
MAX_QUERY_TERMS = 256

_SCHEMA = """
CREATE TABLE documents (id TEXT PRIMARY KEY, digest TEXT NOT NULL, file TEXT NOT NULL);
CREATE TABLE passages (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, document TEXT NOT NULL,
    record TEXT NOT NULL, vector BLOB NOT NULL);
CREATE INDEX passages_document ON passages (document);
CREATE VIRTUAL TABLE terms USING fts5 (
    title, body, detail=column, tokenize="unicode61 remove_diacritics 0");
"""


class IndexReport(BaseModel):
    """What an indexing run did, in documents."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    failed: list[LoadFailure] = []
    passages: int = 0
    """Passages in the index after the run."""


class EmbeddedIndex:
    """An index in a folder. Implements `Retriever`; safe to share between threads.

    Other processes may search while one writes. A writer that is killed leaves the index as it was
    after its last batch.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection, encoder: Encoder) -> None:
        self.folder = folder
        self._connection: sqlite3.Connection | None = connection
        self._encoder = encoder
        self._lock = threading.RLock()
        self._vectors: NDArray[np.int8] = np.zeros((0, encoder.dimensions), dtype=np.int8)
        self._numbers: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._loaded_version = -1

    # ── opening ───────────────────────────────────────────────────────────────────────────────

    @classmethod
    def open(cls, folder: str | Path, encoder: Encoder | None = None) -> Self:
        """Open an existing index.

        Raises
        ------
        IndexNotFoundError
            Where there is none.
        IndexFormatError
            Where the file is not an index of this version.
        """
        folder = Path(folder)
        if not (folder / FILE).is_file():
            raise IndexNotFoundError(
                f"there is no index at {folder}: make one with `hoptree index FILES… "
                f"--index {folder}`"
            )
        return cls(folder, _connect(folder / FILE), encoder or MiniLMEncoder())

    @classmethod
    def create(cls, folder: str | Path, encoder: Encoder | None = None) -> Self:
        """Open the index in `folder`, making it where there is none."""
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / FILE).exists():
                _make(folder / FILE)
        except (OSError, sqlite3.OperationalError) as error:
            raise IndexWriteError(f"cannot make an index at {folder}: {error}") from error
        return cls.open(folder, encoder)

    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            raise IndexFormatError(f"the index at {self.folder} was closed")
        return self._connection

    # ── searching ─────────────────────────────────────────────────────────────────────────────

    async def search(self, queries: Sequence[str], k: int = 10) -> list[list[Hit]]:
        """Rank by BM25 and by vector, fuse by RRF. Chinese queries are ranked by BM25 alone."""
        return await asyncio.to_thread(self._search, list(queries), k)

    def _search(self, queries: list[str], k: int) -> list[list[Hit]]:
        english = [i for i, q in enumerate(queries) if q.strip() and language_of(q) == "en"]
        vectors = self._encoder.encode([queries[i] for i in english]) if english else None
        with self._lock, _told(self.folder):
            self._refresh()
            depth = max(DEPTH, k)
            lexical = [self._lexical(query, depth) for query in queries]
            dense: list[list[int]] = [[] for _ in queries]
            if vectors is not None:
                for i, found in zip(english, self._dense(vectors, depth), strict=True):
                    dense[i] = found
            return [self._fused(a, b, k) for a, b in zip(lexical, dense, strict=True)]

    def _lexical(self, query: str, depth: int) -> list[int]:
        wanted = list(dict.fromkeys(terms(query)))[:MAX_QUERY_TERMS]
        if not wanted:
            return []
        match = " OR ".join(f'"{term}"' for term in wanted)
        rows = self._db().execute(
            f"SELECT rowid FROM terms WHERE terms MATCH ? "
            f"ORDER BY bm25(terms, {TITLE_WEIGHT}, 1.0), rowid LIMIT ?",
            (match, depth),
        )
        return [row[0] for row in rows]

    def _dense(self, vectors: NDArray[np.float32], depth: int) -> list[list[int]]:
        if not len(self._numbers):
            return [[] for _ in vectors]
        from usearch.index import MetricKind
        from usearch.index import search as brute_force

        count = min(depth, len(self._numbers))
        matches = brute_force(self._vectors, quantise(vectors), count, MetricKind.Cos, exact=True)
        keys = np.atleast_2d(matches.keys)
        return [[int(self._numbers[key]) for key in row] for row in keys]

    def _fused(self, lexical: list[int], dense: list[int], k: int) -> list[Hit]:
        fused = rrf([[str(n) for n in lexical], [str(n) for n in dense]])[:k]
        records = self._records([int(number) for number, _ in fused])
        in_lexical = {n: rank for rank, n in enumerate(lexical)}
        in_dense = {n: rank for rank, n in enumerate(dense)}
        return [
            Hit(
                passage=records[int(number)],
                score=score,
                lexical_rank=in_lexical.get(int(number)),
                dense_rank=in_dense.get(int(number)),
            )
            for number, score in fused
        ]

    def _records(self, numbers: list[int]) -> dict[int, Passage]:
        marks = ",".join("?" * len(numbers))
        rows = self._db().execute(
            f"SELECT number, record FROM passages WHERE number IN ({marks})", numbers
        )
        return {number: Passage.model_validate_json(record) for number, record in rows}

    def _refresh(self) -> None:
        """Load the vectors again where the file was changed, by us or by another process."""
        [version] = self._db().execute("PRAGMA data_version").fetchone()
        if version == self._loaded_version:
            return
        rows = self._db().execute("SELECT number, vector FROM passages ORDER BY number").fetchall()
        self._numbers = np.array([row[0] for row in rows], dtype=np.int64)
        joined = b"".join(row[1] for row in rows)
        self._vectors = np.frombuffer(joined, dtype=np.int8).reshape(
            len(rows), self._encoder.dimensions
        )
        self._loaded_version = version

    async def get(self, ids: Sequence[str]) -> list[Passage]:
        """Return the passages with these ids, in this order, leaving out unknown ids."""

        def work() -> list[Passage]:
            found = []
            with self._lock, _told(self.folder):
                for wanted in ids:
                    row = (
                        self._db()
                        .execute("SELECT record FROM passages WHERE id = ?", (wanted,))
                        .fetchone()
                    )
                    if row is not None:
                        found.append(Passage.model_validate_json(row[0]))
            return found

        return await asyncio.to_thread(work)

    async def count(self) -> int:
        """Return the number of passages."""
        return await asyncio.to_thread(self.passages)

    def passages(self) -> int:
        """Return the number of passages; the sync form of `count`."""
        with self._lock, _told(self.folder):
            [number] = self._db().execute("SELECT count(*) FROM passages").fetchone()
            return int(number)

    async def aclose(self) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; the sync form of `aclose`."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    # ── indexing ──────────────────────────────────────────────────────────────────────────────

    def index(
        self,
        documents: Iterable[Document | LoadFailure],
        *,
        prune: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> IndexReport:
        """Add new documents, replace changed ones, skip the rest.

        Parameters
        ----------
        documents
            Read one by one; load failures among them go into the report.
        prune
            Delete the documents that are not among `documents`. Skipped where one failed to load,
            since what could not be read has not vanished.
        progress
            Called with the number of documents done so far.

        Raises
        ------
        IndexWriteError
            Where the disk is full or the file cannot be written. Finished batches stay.
        """
        report = IndexReport()
        seen: dict[str, str] = {}
        stream = self._fresh(documents, seen, report)
        with self._lock, _told(self.folder):
            done = 0
            while batch := list(islice(stream, BATCH)):
                self._write([document for document in batch if document is not None])
                done += len(batch)
                if progress:
                    progress(done)
            if prune and not report.failed:
                known = self._db().execute("SELECT id FROM documents").fetchall()
                gone = [row[0] for row in known if row[0] not in seen]
                report.deleted = self.delete(gone)
            report.passages = self.passages()
        return report

    def _fresh(
        self, documents: Iterable[Document | LoadFailure], seen: dict[str, str], report: IndexReport
    ) -> Iterator[Document | None]:
        """Yield the documents that must be written, and None for each that need not be."""
        for document in documents:
            if isinstance(document, LoadFailure):
                report.failed.append(document)
                yield None
                continue
            digest = document.digest
            if document.id in seen:
                if seen[document.id] != digest:
                    reason = f"another document has the id {document.id!r}: the first one is kept"
                    report.failed.append(LoadFailure(place=document.file, reason=reason))
                yield None
                continue
            seen[document.id] = digest
            row = (
                self._db()
                .execute("SELECT digest FROM documents WHERE id = ?", (document.id,))
                .fetchone()
            )
            if row is None:
                report.added += 1
            elif row[0] == digest:
                report.unchanged += 1
                yield None
                continue
            else:
                report.changed += 1
            yield document

    def _write(self, documents: list[Document]) -> None:
        if not documents:
            return
        passages = [passage for document in documents for passage in split(document)]
        vectors = quantise(self._encoder.encode([f"{p.title}. {p.text}" for p in passages]))
        with self._transaction() as db:
            for document in documents:
                _remove(db, document.id)
                db.execute(
                    "INSERT INTO documents VALUES (?, ?, ?)",
                    (document.id, document.digest, document.file),
                )
            for passage, vector in zip(passages, vectors, strict=True):
                cursor = db.execute(
                    "INSERT INTO passages (id, document, record, vector) VALUES (?, ?, ?, ?)",
                    (passage.id, passage.document, passage.model_dump_json(), vector.tobytes()),
                )
                db.execute(
                    "INSERT INTO terms (rowid, title, body) VALUES (?, ?, ?)",
                    (
                        cursor.lastrowid,
                        " ".join(terms(passage.title)),
                        " ".join(terms(passage.text)),
                    ),
                )
        self._loaded_version = -1

    def delete(self, ids: Sequence[str]) -> int:
        """Delete documents by id; return how many there were."""
        with self._lock, _told(self.folder):
            with self._transaction() as db:
                removed = sum(_remove(db, document) for document in ids)
            self._loaded_version = -1
            return removed

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db())


class _Transaction:
    """BEGIN IMMEDIATE … COMMIT, or ROLLBACK when anything was raised inside."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> sqlite3.Connection:
        self._db.execute("BEGIN IMMEDIATE")
        return self._db

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        if kind is None:
            self._db.execute("COMMIT")
        elif self._db.in_transaction:
            self._db.execute("ROLLBACK")


class _told:
    """Turns SQLite's errors into ours, which name the folder and the remedy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, sqlite3.OperationalError):
            text = str(error)
            if "full" in text or "disk I/O" in text:
                raise IndexWriteError(
                    f"the index at {self._folder} could not be written: the disk is full or failed "
                    f"({text}); what was indexed before is intact: free space and run it again"
                ) from error
            if "readonly" in text or "locked" in text or "unable to open" in text:
                raise IndexWriteError(
                    f"the index at {self._folder} cannot be written: {text}"
                ) from error
        if isinstance(error, sqlite3.DatabaseError):
            raise IndexFormatError(
                f"the index at {self._folder} is damaged ({error}): delete the folder and index "
                "again"
            ) from error


def _remove(db: sqlite3.Connection, document: str) -> int:
    for [number] in db.execute(
        "SELECT number FROM passages WHERE document = ?", (document,)
    ).fetchall():
        db.execute("DELETE FROM terms WHERE rowid = ?", (number,))
    db.execute("DELETE FROM passages WHERE document = ?", (document,))
    return db.execute("DELETE FROM documents WHERE id = ?", (document,)).rowcount


def _make(file: Path) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # One transaction: a kill leaves either an empty file or a whole schema.
        connection.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")
    finally:
        connection.close()


def _connect(file: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            file, timeout=30, isolation_level=None, check_same_thread=False
        )
        [version] = connection.execute("PRAGMA user_version").fetchone()
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise IndexFormatError(f"{file} is not a hoptree index ({error})") from error
    if version == 0 and tables == 0:
        # Killed between making the file and making its tables.
        connection.close()
        _make(file)
        return _connect(file)
    if version != VERSION:
        connection.close()
        raise IndexFormatError(
            f"{file} was made by another version of hoptree (format {version}, this one reads "
            f"{VERSION}): delete the folder and index again"
        )
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection
