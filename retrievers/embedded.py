"""The embedded index: one SQLite file, no server.

SQLite is the single source of truth, because its transactions are what keeps an index whole when
the process is killed or the disk is full. FTS5 ranks by BM25 over terms that `analysis` made (so
English and Chinese share one table), and finds names written out; titles have a B-tree; int8
vectors lie beside the passages as blobs, and usearch compares them by brute force with SIMD,
exactly: 1 ms for 10,000 passages, with nothing to rebuild.
The encoder knows English only: Chinese passages have no vector, Chinese questions need none.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from retrievers.analysis import language_of, terms
from retrievers.common_terms import DEEPER, LARGE, CommonTerms
from retrievers.documents import Document
from retrievers.encoder import Encoder, MiniLMEncoder, quantise
from retrievers.errors import IndexFormatError
from retrievers.fusion import Rankings, fused_hits
from retrievers.index_file import connect, make, snapshot, told, writing
from retrievers.indexing import IndexReport, remove, write
from retrievers.loaders import LoadFailure
from retrievers.names import NamedTitles, names
from retrievers.passage import Hit, Passage

__all__ = ["EmbeddedIndex", "IndexReport"]

DEPTH = 50
"""Passages taken from a ranking before it is fused with the others."""
TITLE_WEIGHT = 2.0
"""Weight of a term in the title against one in the text (on the training set of 2WikiMultihopQA,
recall@5 of BM25 is 67.5, 68.2, 68.9, 69.4 at 1, 1.5, 2, 3)."""
MAX_QUERY_TERMS = 256
MAX_TITLED = 1000
"""Passages of named titles that are looked at, before they are ranked."""


class EmbeddedIndex:
    """An index in a folder. Implements `Retriever`; safe to share between threads.

    Searching never waits for an indexing run, in this process or in another: a search sees the
    index as the last finished batch left it, and so does whoever opens it after a kill.
    """

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        self.folder = folder
        self._encoder = encoder
        self._reader: sqlite3.Connection | None = connect(folder)
        self._reading = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._indexing = threading.RLock()
        self._vectors: NDArray[np.int8] = np.zeros((0, encoder.dimensions), dtype=np.int8)
        self._numbers: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._common: CommonTerms | None = None
        self._loaded_version: int | None = None

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
        return cls(Path(folder), encoder or MiniLMEncoder())

    @classmethod
    def create(cls, folder: str | Path, encoder: Encoder | None = None) -> Self:
        """Open the index in `folder`, making it where there is none.

        Raises
        ------
        IndexWriteError
            Where it cannot be made.
        IndexFormatError
            Where the file there is not an index of this version.
        """
        make(Path(folder))
        return cls.open(folder, encoder)

    def _db(self) -> sqlite3.Connection:
        if self._reader is None:
            raise IndexFormatError(f"the index at {self.folder} was closed: open it again")
        return self._reader

    # ── searching ─────────────────────────────────────────────────────────────────────────────

    async def search(self, queries: Sequence[str], k: int = 10) -> list[list[Hit]]:
        """Rank by BM25, vectors, named titles and names, fused by RRF. Chinese has no vectors."""
        return await asyncio.to_thread(self._search, list(queries), k)

    def _search(self, queries: list[str], k: int) -> list[list[Hit]]:
        english = [
            i
            for i, query in enumerate(queries)
            if any(map(str.isalnum, query)) and language_of(query) == "en"
        ]
        vectors = self._encoder.encode([queries[i] for i in english]) if english else None
        with self._reading, told(self.folder), snapshot(self._db()):
            self._refresh()
            depth = max(DEPTH, k)
            dense: list[list[int]] = [[] for _ in queries]
            if vectors is not None:
                for i, found in zip(english, self._dense(vectors, depth), strict=True):
                    dense[i] = found
            rankings = [self._rankings(*of, depth) for of in zip(queries, dense, strict=True)]
            return [fused_hits(found, k, self._records) for found in rankings]

    def _rankings(self, query: str, dense: list[int], depth: int) -> Rankings[int]:
        lexical = self._lexical(query, depth)
        return Rankings(
            lexical, dense, self._titled(query, lexical), self._mentioning(query, depth)
        )

    def _lexical(self, query: str, depth: int) -> list[int]:
        wanted = list(dict.fromkeys(terms(query)))[:MAX_QUERY_TERMS]
        if not wanted:
            return []
        rare, common = self._common.apart(wanted) if self._common else (wanted, [])
        rows = self._db().execute(
            f"SELECT rowid, bm25(terms, {TITLE_WEIGHT}, 1.0) AS cost FROM terms "
            "WHERE terms MATCH ? ORDER BY cost, rowid LIMIT ?",
            (" OR ".join(f'"{term}"' for term in rare), depth * DEEPER if common else depth),
        )
        ranked = list(rows)
        if self._common and common:
            ranked = [(n, cost - self._common_part(common, n)) for n, cost in ranked]
            ranked.sort(key=lambda row: (row[1], row[0]))
        return [row[0] for row in ranked[:depth]]

    def _titled(self, query: str, lexical: Sequence[int]) -> list[int]:
        """Return the passage of each title that the query names; of namesakes, BM25's best."""
        titles = NamedTitles(query)
        rows = self._db().execute(
            "SELECT title_key, number FROM passages "
            "WHERE title_key IN (SELECT value FROM json_each(?)) LIMIT ?",
            (json.dumps(titles.keys), MAX_TITLED),
        )
        places = {number: place for place, number in enumerate(lexical)}
        best: dict[str, tuple[int, int]] = {}
        for key, number in rows:
            this = places.get(number, len(places)), number
            best[key] = min(best.get(key, this), this)
        return titles.ranking({key: number for key, (_, number) in best.items()})

    def _mentioning(self, query: str, depth: int) -> list[int]:
        """Return the passages that write out names of the query, by BM25 of the names."""
        phrases = [terms(name) for name in names(query)]
        if self._common:
            phrases = [phrase for phrase in phrases if not self._common.holds(phrase)]
        quoted = dict.fromkeys(f'"{" ".join(phrase)}"' for phrase in phrases if phrase)
        if not quoted:
            return []
        rows = self._db().execute(
            f"SELECT rowid, bm25(terms, {TITLE_WEIGHT}, 1.0) AS cost FROM terms "
            "WHERE terms MATCH ? ORDER BY cost, rowid LIMIT ?",
            (" OR ".join(quoted), depth),
        )
        return [row[0] for row in rows]

    def _common_part(self, common: Sequence[str], number: int) -> float:
        assert self._common
        query = "SELECT title, body FROM terms WHERE rowid = ?"
        title, body = self._db().execute(query, (number,)).fetchone()
        return self._common.adds(common, title, body, TITLE_WEIGHT)

    def _dense(self, vectors: NDArray[np.float32], depth: int) -> list[list[int]]:
        if not len(self._numbers):
            return [[] for _ in vectors]
        from usearch.index import MetricKind
        from usearch.index import search as brute_force

        count = min(depth, len(self._numbers))
        matches = brute_force(self._vectors, quantise(vectors), count, MetricKind.Cos, exact=True)
        keys = np.asarray(matches.keys).reshape(len(vectors), count)
        return [[int(self._numbers[key]) for key in row] for row in keys]

    def _records(self, numbers: list[int]) -> dict[int, Passage]:
        marks = ",".join("?" * len(numbers))
        rows = self._db().execute(
            f"SELECT number, record FROM passages WHERE number IN ({marks})", numbers
        )
        return {number: Passage.model_validate_json(record) for number, record in rows}

    def _refresh(self) -> None:
        """Load the vectors again where the file was changed, by our writer or another process."""
        [version] = self._db().execute("PRAGMA data_version").fetchone()
        if version == self._loaded_version:
            return
        query = "SELECT number, vector FROM passages WHERE vector IS NOT NULL ORDER BY number"
        rows = self._db().execute(query).fetchall()
        joined = b"".join(row[1] for row in rows)
        if len(joined) != len(rows) * self._encoder.dimensions:
            raise IndexFormatError(
                f"the index at {self.folder} was made with another encoder: its vectors have not "
                f"{self._encoder.dimensions} dimensions"
            )
        self._numbers = np.array([row[0] for row in rows], dtype=np.int64)
        self._vectors = np.frombuffer(joined, dtype=np.int8).reshape(
            len(rows), self._encoder.dimensions
        )
        [passages] = self._db().execute("SELECT count(*) FROM passages").fetchone()
        self._common = CommonTerms.sampled(self._db(), passages) if passages >= LARGE else None
        self._loaded_version = version

    async def get(self, ids: Sequence[str]) -> list[Passage]:
        """Return the passages with these ids, in this order, leaving out unknown ids."""
        return await asyncio.to_thread(self._get, list(ids))

    def _get(self, ids: list[str]) -> list[Passage]:
        found = []
        with self._reading, told(self.folder), snapshot(self._db()):
            for wanted in ids:
                query = "SELECT record FROM passages WHERE id = ?"
                row = self._db().execute(query, (wanted,)).fetchone()
                if row is not None:
                    found.append(Passage.model_validate_json(row[0]))
        return found

    async def count(self) -> int:
        """Return the number of passages."""
        return await asyncio.to_thread(self.passages)

    def passages(self) -> int:
        """Return the number of passages; the sync form of `count`."""
        with self._reading, told(self.folder):
            [number] = self._db().execute("SELECT count(*) FROM passages").fetchone()
            return int(number)

    async def aclose(self) -> None:
        """Close the file. Waits for an indexing run to end."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Close the file; the sync form of `aclose`."""
        with self._indexing, self._reading:
            for connection in (self._writer, self._reader):
                if connection is not None:
                    connection.close()
            self._writer = self._reader = None

    # ── indexing ──────────────────────────────────────────────────────────────────────────────

    async def aindex(
        self,
        documents: Iterable[Document | LoadFailure],
        *,
        prune: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> IndexReport:
        """Do what `index` does, in a thread: `documents` is read and `progress` called there."""
        return await asyncio.to_thread(self.index, documents, prune=prune, progress=progress)

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
            Read one by one; load failures among them go into the report, and so does a document
            whose id stood already on a different one of this run: the first one wins.
        prune
            Delete the documents that are not among `documents`. Skipped where one failed,
            since what could not be read has not vanished.
        progress
            Called with the number of documents done so far.

        Raises
        ------
        IndexWriteError
            Where the disk is full or the file cannot be written. Finished batches stay.
        """
        with self._indexing, told(self.folder):
            writer = self._writing_db()
            return write(writer, self._encoder, documents, prune=prune, progress=progress)

    def delete(self, ids: Sequence[str]) -> int:
        """Delete documents by id; return how many there were."""
        with self._indexing, told(self.folder), writing(db := self._writing_db()):
            return sum(remove(db, document) for document in ids)

    async def adelete(self, ids: Sequence[str]) -> int:
        """Do what `delete` does, in a thread."""
        return await asyncio.to_thread(self.delete, ids)

    def _writing_db(self) -> sqlite3.Connection:
        # A connection of its own: a reader inside a transaction would hold its writes back.
        self._db()
        if self._writer is None:
            self._writer = connect(self.folder)
        return self._writer
