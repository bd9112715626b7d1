"""The writing side of a corpus: what is new, in batches, resumable after a kill at any point.

What is on the node says which documents are there, whole and unchanged: each passage carries its
document's digest and number of passages. So nothing is kept beside the index, a document that was
half written when the process died is written again, and ids are the passages' own, so that writing
twice changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from elasticsearch import AsyncElasticsearch
from elasticsearch.helpers import async_scan

from retrievers.documents import Document, split
from retrievers.elastic.bulk import Operation, patiently, send
from retrievers.elastic.mapping import document_body, document_id
from retrievers.encoder import Encoder
from retrievers.errors import IndexWriteError
from retrievers.indexing import IndexReport, encoded, failure, key, unique
from retrievers.loaders import LoadFailure
from retrievers.passage import Passage
from retrievers.seen import Seen

BATCH_DOCUMENTS, BATCH_CHARACTERS = 256, 300_000
"""Documents, and characters in them, at which a batch is full."""
PAGE = 1000
"""Documents or passages asked of the node at once."""
MAX_REFUSALS = 1000
"""Documents refused by the node at which indexing stops: then it is the node, not the documents."""


async def write(
    client: AsyncElasticsearch,
    index: str,
    encoder: Encoder | None,
    documents: Iterable[Document | LoadFailure],
    *,
    prune: bool,
    progress: Callable[[int], None] | None,
) -> IndexReport:
    """Do what `ElasticsearchRetriever.aindex` says, on an index that is there."""
    with Seen(document_id) as seen:
        return await _write_all(client, index, encoder, documents, seen, prune, progress)


async def _write_all(
    client: AsyncElasticsearch,
    index: str,
    encoder: Encoder | None,
    documents: Iterable[Document | LoadFailure],
    seen: Seen,
    prune: bool,
    progress: Callable[[int], None] | None,
) -> IndexReport:
    report = IndexReport()
    done = refusals = 0
    await client.indices.refresh(index=index)
    for taken, batch in _batches(unique(documents, seen, report)):
        refusals += await _write(client, index, encoder, batch, seen, report)
        if refusals >= MAX_REFUSALS:
            raise IndexWriteError(
                f"indexing was stopped as the node refused {refusals} documents, the last one "
                f"because of: {report.failed[-1].reason}"
            )
        done += taken
        if progress:
            progress(done)
    if prune and not report.failed:
        async for names in _documents(client, index):
            gone = [name for name in names if name not in seen]
            report.deleted += await _delete(client, index, gone)
    await client.indices.refresh(index=index)
    counted = await patiently(lambda: client.count(index=index))
    report.passages = counted.body["count"]
    return report


async def delete(client: AsyncElasticsearch, index: str, ids: Sequence[str]) -> int:
    """Delete documents by id; return how many there were."""
    await client.indices.refresh(index=index)
    there = await _states(client, index, [document_id(id_) for id_ in ids])
    deleted = await _delete(client, index, list(there))
    await client.indices.refresh(index=index)
    return deleted


def _batches(documents: Iterable[Document | None]) -> Iterator[tuple[int, list[Document]]]:
    """Yield batches, each with how many items of the input it took."""
    batch: list[Document] = []
    taken = size = 0
    for document in documents:
        taken += 1
        if document is not None:
            batch.append(document)
            size += len(document.text)
        if taken == BATCH_DOCUMENTS or size >= BATCH_CHARACTERS:
            yield taken, batch
            batch, taken, size = [], 0, 0
    if taken:
        yield taken, batch


async def _write(
    client: AsyncElasticsearch,
    index: str,
    encoder: Encoder | None,
    batch: list[Document],
    digests: Seen,
    report: IndexReport,
) -> int:
    """Write what is new or changed in the batch; return how many documents the node refused."""
    states = await _states(client, index, [document_id(document.id) for document in batch])
    new = [d for d in batch if states.get(document_id(d.id)) != digests[d.id]]
    report.unchanged += len(batch) - len(new)
    parts = {document.id: list(split(document)) for document in new}
    owners = await _owners(client, index, parts)
    failed: dict[str, str] = {}
    for document in new:
        ids = {document_id(passage.id) for passage in parts[document.id]}
        other = next((i for i in ids if owners.setdefault(i, document.id) != document.id), None)
        if other is not None:
            failed[document.id] = (
                f"its passage {other!r} has the id of one of {owners[other]!r}: rename it"
            )
    writable = [p for d in new if d.id not in failed for p in parts[d.id]]
    operations = await _operations(writable, encoder, digests, parts)
    refused = await send(client, index, operations)
    broken = {p.document: p.id for p in writable if document_id(p.id) in refused}
    for of, id_ in broken.items():
        failed[of] = f"the node refused its passage {id_!r}: {refused[document_id(id_)]}"
    changed = [d for d in new if d.id not in failed and document_id(d.id) in states]
    if changed:
        written = {operation.id for operation in operations}
        old = {"terms": {"document": [document_id(document.id) for document in changed]}}
        stale = [id_ async for id_ in _passages(client, index, old) if id_ not in written]
        await _remove(client, index, stale)
    report.changed += len(changed)
    report.added += len(new) - len(failed) - len(changed)
    report.failed += [failure(d, failed[d.id]) for d in new if d.id in failed]
    return len(broken)


async def _operations(
    passages: list[Passage],
    encoder: Encoder | None,
    digests: Seen,
    parts: dict[str, list[Passage]],
) -> list[Operation]:
    vectors = await asyncio.to_thread(encoded, encoder, passages) if encoder is not None else {}
    operations = []
    for passage in passages:
        vector = vectors.get(key(passage))
        # The node keeps bytes; five decimals are more than they hold, and halve the request.
        sent = np.round(vector.astype(np.float64), 5).tolist() if vector is not None else None
        of = passage.document
        body = document_body(passage, sent, digests[of], len(parts[of]))
        operations.append(Operation(document_id(passage.id), body))
    return operations


async def _states(client: AsyncElasticsearch, index: str, ids: list[str]) -> dict[str, str | None]:
    """Return the digest of each document that is there, None where it is not whole."""
    states: dict[str, str | None] = {}
    for start in range(0, len(ids), PAGE):
        some = ids[start : start + PAGE]
        digests = {
            "terms": {"field": "digest", "size": 2},
            "aggs": {"parts": {"max": {"field": "parts"}}},
        }
        per_document = {"terms": {"field": "document", "size": PAGE}, "aggs": {"digests": digests}}
        ask = partial(
            client.search,
            index=index,
            size=0,
            query={"terms": {"document": some}},
            aggs={"documents": per_document},
            allow_partial_search_results=False,
        )
        answer = await patiently(ask)
        for found in answer.body["aggregations"]["documents"]["buckets"]:
            [first, *others] = found["digests"]["buckets"]
            whole = not others and first["doc_count"] == first["parts"]["value"]
            states[found["key"]] = first["key"] if whole else None
    return states


async def _owners(
    client: AsyncElasticsearch, index: str, parts: dict[str, list[Passage]]
) -> dict[str, str]:
    """Return whose the passages are that have one of these passages' ids, by `_id`."""
    ids = [document_id(passage.id) for passages in parts.values() for passage in passages]
    owners: dict[str, str] = {}
    for start in range(0, len(ids), PAGE):
        some = ids[start : start + PAGE]
        ask = partial(client.mget, index=index, ids=some, source_includes=["passage.document"])
        answer = await patiently(ask)
        owners |= {
            doc["_id"]: doc["_source"]["passage"]["document"]
            for doc in answer.body["docs"]
            if doc.get("found")
        }
    return owners


async def _documents(client: AsyncElasticsearch, index: str) -> AsyncIterator[list[str]]:
    """Yield the names of all documents that are there, page by page."""
    after: dict[str, Any] = {}
    while True:
        pages = {"size": PAGE, "sources": [{"document": {"terms": {"field": "document"}}}], **after}
        ask = partial(
            client.search,
            index=index,
            size=0,
            aggs={"documents": {"composite": pages}},
            allow_partial_search_results=False,
        )
        answer = await patiently(ask)
        found = answer.body["aggregations"]["documents"]
        yield [bucket["key"]["document"] for bucket in found["buckets"]]
        if "after_key" not in found:
            return
        after = {"after": found["after_key"]}


async def _passages(
    client: AsyncElasticsearch, index: str, query: dict[str, Any]
) -> AsyncIterator[str]:
    async for hit in async_scan(
        client, index=index, query={"query": query, "_source": False}, size=PAGE
    ):
        yield hit["_id"]


async def _delete(client: AsyncElasticsearch, index: str, documents: list[str]) -> int:
    for start in range(0, len(documents), PAGE):
        some = {"terms": {"document": documents[start : start + PAGE]}}
        await _remove(client, index, [id_ async for id_ in _passages(client, index, some)])
    return len(documents)


async def _remove(client: AsyncElasticsearch, index: str, ids: list[str]) -> None:
    refused = await send(client, index, [Operation(id_) for id_ in ids])
    if refused:
        id_, reason = next(iter(refused.items()))
        raise IndexWriteError(
            f"the node did not delete {len(refused)} passages, {id_!r} among them ({reason}): run "
            "it again"
        )
