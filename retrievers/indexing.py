"""The writing side of the embedded index: what is new, in batches, each one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from retrievers.analysis import language_of, terms
from retrievers.documents import Document, split
from retrievers.encoder import Encoder, quantise
from retrievers.index_file import writing
from retrievers.loaders import LoadFailure
from retrievers.names import title_key
from retrievers.passage import Passage
from retrievers.seen import Seen

BATCH = 256
"""Passages encoded and committed at once; a document is never divided between two batches."""


class IndexReport(BaseModel):
    """What an indexing run did, in documents."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    failed: list[LoadFailure] = Field(default_factory=list)
    passages: int = 0
    """Passages in the index after the run."""


def write(
    db: sqlite3.Connection,
    encoder: Encoder,
    documents: Iterable[Document | LoadFailure],
    *,
    prune: bool,
    progress: Callable[[int], None] | None,
) -> IndexReport:
    """Do what `EmbeddedIndex.index` says, on a connection that nobody else uses meanwhile."""
    with Seen() as seen:
        return _write_all(db, encoder, documents, seen, prune=prune, progress=progress)


def _write_all(
    db: sqlite3.Connection,
    encoder: Encoder,
    documents: Iterable[Document | LoadFailure],
    seen: Seen,
    *,
    prune: bool,
    progress: Callable[[int], None] | None,
) -> IndexReport:
    report = IndexReport()
    batch: list[tuple[Document, list[Passage]]] = []
    done = size = 0
    for done, document in enumerate(_fresh(db, documents, seen, report), 1):
        if document is not None:
            batch.append((document, list(split(document))))
            size += len(batch[-1][1])
        if done % BATCH == 0 or size >= BATCH:
            _write(db, encoder, batch, report)
            batch, size = [], 0
            if progress:
                progress(done)
    _write(db, encoder, batch, report)
    if prune and not report.failed:
        known = db.execute("SELECT id FROM documents").fetchall()
        with writing(db):
            report.deleted = sum(remove(db, row[0]) for row in known if row[0] not in seen)
    [report.passages] = db.execute("SELECT count(*) FROM passages").fetchone()
    if progress:
        progress(done)
    return report


def _fresh(
    db: sqlite3.Connection,
    documents: Iterable[Document | LoadFailure],
    seen: Seen,
    report: IndexReport,
) -> Iterator[Document | None]:
    """Yield the documents that must be written, and None for each that need not be."""
    for document in unique(documents, seen, report):
        if document is None:
            yield None
            continue
        query = "SELECT digest FROM documents WHERE id = ?"
        row = db.execute(query, (document.id,)).fetchone()
        if row is not None and row[0] == seen[document.id]:
            report.unchanged += 1
            yield None
        else:
            yield document


def unique(
    documents: Iterable[Document | LoadFailure], seen: Seen, report: IndexReport
) -> Iterator[Document | None]:
    """Yield each document once, and None for what is a failure or was there before.

    `seen` is filled with their digests; failures go into the report, and so does a document whose
    id stood on a different one.
    """
    for document in documents:
        if isinstance(document, LoadFailure):
            report.failed.append(document)
            yield None
            continue
        digest = document.digest
        if (before := seen.get(document.id)) is not None:
            if before != digest:
                reason = f"another document has the id {document.id!r}: the first one is kept"
                report.failed.append(failure(document, reason))
            yield None
            continue
        seen[document.id] = digest
        yield document


def _write(
    db: sqlite3.Connection,
    encoder: Encoder,
    batch: list[tuple[Document, list[Passage]]],
    report: IndexReport,
) -> None:
    """Write the documents in one transaction, and count them once it is committed."""
    if not batch:
        return
    # Before the transaction: encoding takes seconds, and another writer would wait for them.
    vectors = encoded(encoder, [passage for _, passages in batch for passage in passages])
    added = changed = 0
    failed = []
    with writing(db):
        for document, passages in batch:
            if taken := _taken(db, passages):
                reason = f"its passage {taken[0]!r} has the id of one of {taken[1]!r}: rename it"
                failed.append(failure(document, reason))
                continue
            replaced = remove(db, document.id)
            changed += replaced
            added += not replaced
            db.execute(
                "INSERT INTO documents VALUES (?, ?, ?)",
                (document.id, document.digest, document.file),
            )
            for passage in passages:
                _add(db, passage, vectors.get(key(passage)))
    report.added += added
    report.changed += changed
    report.failed += failed


def failure(document: Document, reason: str) -> LoadFailure:
    """Return the failure of a document that could be read but not be written."""
    return LoadFailure(place=document.file or document.id, reason=reason)


def encoded(
    encoder: Encoder, passages: list[Passage]
) -> dict[tuple[str, str], NDArray[np.float32]]:
    """Return the vectors of the passages that the encoder understands, by their keys."""
    texts = {key(p): f"{p.title}. {p.text}" if p.title else p.text for p in passages}
    texts = {of: text for of, text in texts.items() if language_of(text) == "en"}
    return dict(zip(texts, encoder.encode(list(texts.values())), strict=True)) if texts else {}


def key(passage: Passage) -> tuple[str, str]:
    """Return what tells a passage from all others of a run."""
    # The id alone will not do: a document may be called what a passage of another one is.
    return passage.document, passage.id


def _taken(db: sqlite3.Connection, passages: list[Passage]) -> tuple[str, str] | None:
    """Return the first passage id that another document holds, and that document's id."""
    for passage in passages:
        query = "SELECT document FROM passages WHERE id = ? AND document != ?"
        row = db.execute(query, (passage.id, passage.document)).fetchone()
        if row is not None:
            return passage.id, row[0]
    return None


def _add(db: sqlite3.Connection, passage: Passage, vector: NDArray[np.float32] | None) -> None:
    blob = quantise(vector).tobytes() if vector is not None else None
    number = db.execute(
        "INSERT INTO passages (id, document, title_key, record, vector) VALUES (?, ?, ?, ?, ?)",
        (
            passage.id,
            passage.document,
            title_key(passage.title) or None,
            passage.model_dump_json(),
            blob,
        ),
    ).lastrowid
    title, body = (" ".join(terms(text)) for text in (passage.title, passage.text))
    db.execute("INSERT INTO terms (rowid, title, body) VALUES (?, ?, ?)", (number, title, body))


def remove(db: sqlite3.Connection, document: str) -> int:
    """Delete a document and its passages, inside a transaction; return 1, or 0 if unknown."""
    mine = "SELECT number FROM passages WHERE document = ?"
    db.execute(f"DELETE FROM terms WHERE rowid IN ({mine})", (document,))
    db.execute("DELETE FROM passages WHERE document = ?", (document,))
    return db.execute("DELETE FROM documents WHERE id = ?", (document,)).rowcount
