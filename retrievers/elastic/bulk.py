"""Streaming passages into an index."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from itertools import islice
from typing import Any

from elasticsearch import AsyncElasticsearch
from elasticsearch.helpers import async_streaming_bulk
from pydantic import BaseModel

from retrievers.elastic.mapping import document_body, document_id
from retrievers.encoder import Encoder
from retrievers.errors import IndexWriteError
from retrievers.passage import Passage

BATCH = 128
"""Passages encoded at once."""
CHUNK_BYTES = 8 * 2**20
MAX_FAILURES = 1000
"""Refused passages at which indexing stops: then it is the node (a full disk), not the passages."""
MAX_RETRIES = 6
FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 30.0
"""Seconds waited after a 429; doubled each time."""


class BulkFailure(BaseModel):
    """A passage that the node did not take, and why."""

    id: str
    reason: str


class BulkReport(BaseModel):
    """What an indexing run did."""

    sent: int = 0
    indexed: int = 0
    failed: list[BulkFailure] = []
    live: bool = False
    """Whether searches see the result: a rebuilt corpus with failures does not go live."""


async def write(
    client: AsyncElasticsearch,
    index: str,
    passages: Iterable[Passage] | AsyncIterable[Passage],
    encoder: Encoder | None,
) -> BulkReport:
    """Send passages to `index`, holding one batch in memory; a passage of a known id is replaced.

    The next batch is read only when the node took the last one, and passages it turned away with
    429 are sent again after a growing pause.

    Raises
    ------
    retrievers.errors.IndexWriteError
        Where the node refuses MAX_FAILURES passages.
    """
    report = BulkReport()
    results = async_streaming_bulk(
        client,
        _actions(index, passages, encoder),
        chunk_size=BATCH,
        max_chunk_bytes=CHUNK_BYTES,
        max_retries=MAX_RETRIES,
        initial_backoff=FIRST_BACKOFF,
        max_backoff=LONGEST_BACKOFF,
        raise_on_error=False,
    )
    async for ok, item in results:
        report.sent += 1
        if ok:
            report.indexed += 1
        else:
            [outcome] = item.values()
            report.failed.append(BulkFailure(id=outcome["_id"], reason=_reason(outcome)))
            if len(report.failed) == MAX_FAILURES:
                raise IndexWriteError(
                    f"indexing was stopped as the node refused {MAX_FAILURES} passages, the first "
                    f"one because of: {report.failed[0].reason}"
                )
    return report


async def _actions(
    index: str, passages: Iterable[Passage] | AsyncIterable[Passage], encoder: Encoder | None
) -> AsyncIterator[dict[str, Any]]:
    async for batch in _batches(passages):
        vectors: list[list[float] | None] = [None] * len(batch)
        if encoder is not None:
            texts = [f"{p.title}. {p.text}" for p in batch]
            vectors = (await asyncio.to_thread(encoder.encode, texts)).tolist()
        for passage, vector in zip(batch, vectors, strict=True):
            yield {
                "_op_type": "index",
                "_index": index,
                "_id": document_id(passage.id),
                "_source": document_body(passage, vector),
            }


async def _batches(
    passages: Iterable[Passage] | AsyncIterable[Passage],
) -> AsyncIterator[list[Passage]]:
    if isinstance(passages, AsyncIterable):
        batch = []
        async for passage in passages:
            batch.append(passage)
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch
        return
    stream = iter(passages)
    while batch := list(islice(stream, BATCH)):
        yield batch


def _reason(outcome: dict[str, Any]) -> str:
    error = outcome.get("error") or outcome
    if not isinstance(error, dict):
        return str(error)
    cause = error.get("caused_by") or {}
    return ": ".join(str(r) for r in (error.get("reason"), cause.get("reason")) if r)
