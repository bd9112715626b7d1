"""`Retriever` over Elasticsearch: BM25 and kNN in one round trip, fused here."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Self
from weakref import WeakKeyDictionary

from elasticsearch import AsyncElasticsearch, NotFoundError

from retrievers.analysis import language_of
from retrievers.elastic import queries as bodies
from retrievers.elastic.bulk import BulkReport, write
from retrievers.elastic.mapping import FORMAT, document_id, index_body
from retrievers.elastic.node import KNN_SINCE, CompatibleNode, connect, version
from retrievers.elastic.settings import ElasticsearchSettings
from retrievers.elastic.translation import missing, response_error, told
from retrievers.encoder import Encoder, MiniLMEncoder
from retrievers.errors import IndexFormatError
from retrievers.fusion import rrf
from retrievers.passage import Hit, Passage


class ElasticsearchRetriever:
    """A corpus on a node. Implements `Retriever`; one object may serve several event loops.

    The corpus is an alias: indexing builds a new index beside the old one and swaps the alias when
    it is whole, so a search sees the one or the other and never a part.

    Parameters
    ----------
    settings
        The node and the corpus.
    encoder
        Makes the vectors for kNN; None for BM25 alone.
    node_class
        The transport of one request; tests count or break requests with it.
    """

    def __init__(
        self,
        settings: ElasticsearchSettings,
        encoder: Encoder | None = None,
        *,
        node_class: type[CompatibleNode] = CompatibleNode,
    ) -> None:
        self.settings = settings
        self.notices: list[str] = []
        """What is done without, in sentences for the user: no kNN, a part of the shards."""
        self._encoder = encoder
        self._node_class = node_class
        # A connection pool belongs to its event loop, and a synchronous caller makes many loops.
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncElasticsearch] = (
            WeakKeyDictionary()
        )
        self._dense: bool | None = None

    def __repr__(self) -> str:
        return f"ElasticsearchRetriever({self.settings.url!r})"

    @classmethod
    def from_url(cls, url: str, encoder: Encoder | None = None) -> Self:
        """Name a corpus by `es://host:port/corpus`, with the encoder that ships by default.

        Nothing is sent yet: see `check`.
        """
        return cls(ElasticsearchSettings.from_url(url), encoder or MiniLMEncoder())

    # ── searching ─────────────────────────────────────────────────────────────────────────────

    async def check(self) -> None:
        """Look once whether the corpus is there, is ours, and has vectors; `search` calls it.

        Raises
        ------
        retrievers.errors.IndexNotFoundError
            Where the node has no such corpus.
        retrievers.errors.IndexFormatError
            Where it is not an index of ours, or of another version.
        retrievers.errors.RetrieverError
            Where the node is down, slow, or refuses us.
        """
        if self._dense is not None:
            return
        with told(self.settings):
            client = await self._client()
            answer = await client.indices.get_mapping(index=self.settings.corpus)
        dense = self._encoder is not None
        for index, found in answer.body.items():
            meta = found["mappings"].get("_meta", {})
            if meta.get("hoptree_format") != FORMAT:
                raise IndexFormatError(
                    f"the index {index!r} at {self.settings.address} was not made by this version "
                    f"of hoptree (format {meta.get('hoptree_format')}, this one reads {FORMAT}): "
                    "choose another corpus name, or delete it and index again"
                )
            if self._encoder is not None and meta.get("dimensions") != self._encoder.dimensions:
                dense = False
                self._notice(
                    f"the corpus {self.settings.corpus!r} has no vectors of this encoder: it is "
                    "searched by words alone (BM25)"
                )
        self._dense = dense

    async def search(self, queries: Sequence[str], k: int = 10) -> list[list[Hit]]:
        """Rank by BM25 and kNN, fuse by RRF, in one `_msearch` for all the queries.

        Chinese queries are ranked by BM25 alone, as the encoder that ships is English.

        Raises
        ------
        retrievers.errors.RetrieverError
            As `check`; nothing is retried after `settings.timeout` seconds.
        """
        asked = [i for i, query in enumerate(queries) if query.strip()]
        results: list[list[Hit]] = [[] for _ in queries]
        if not asked or k < 1:
            return results
        await self.check()
        depth = max(bodies.DEPTH, k)
        vectors = await self._vectors([queries[i] for i in asked])
        searches = [bodies.lexical(queries[i], depth) for i in asked]
        of_vector = {i: len(searches) + n for n, i in enumerate(asked[j] for j in vectors)}
        searches += [bodies.dense(vector, depth) for vector in vectors.values()]
        answers = await self._msearch(searches)
        for position, i in enumerate(asked):
            dense = answers[of_vector[i]] if i in of_vector else []
            results[i] = _fused(answers[position], dense, k)
        return results

    async def _vectors(self, queries: list[str]) -> dict[int, list[float]]:
        """Return the vector of each English query by its position."""
        english = [i for i, query in enumerate(queries) if language_of(query) == "en"]
        if not self._dense or self._encoder is None or not english:
            return {}
        vectors = await asyncio.to_thread(self._encoder.encode, [queries[i] for i in english])
        return dict(zip(english, vectors.tolist(), strict=True))

    async def _msearch(self, searches: list[dict[str, Any]]) -> list[list[Passage]]:
        lines = [line for body in searches for line in ({}, body)]
        with told(self.settings):
            client = await self._client()
            answer = await client.msearch(index=self.settings.corpus, searches=lines)
        found = []
        for response in answer.body["responses"]:
            if "error" in response:
                self._dense = None  # another process may have swapped the corpus: look again
                raise response_error(self.settings, response.get("status", 500), response)
            if response["_shards"]["failed"] or response["timed_out"]:
                self._notice(
                    f"a part of the corpus {self.settings.corpus!r} did not answer: passages in "
                    "it were not found"
                )
            hits = response["hits"]["hits"]
            found.append([Passage.model_validate(hit["_source"]["passage"]) for hit in hits])
        return found

    async def get(self, ids: Sequence[str]) -> list[Passage]:
        """Return the passages with these ids, in this order, leaving out unknown ids."""
        if not ids:
            return []
        with told(self.settings):
            client = await self._client()
            wanted = [document_id(i) for i in ids]
            answer = await client.mget(index=self.settings.corpus, ids=wanted)
        docs = answer.body["docs"]
        if any(_index_is_missing(doc) for doc in docs):
            raise missing(self.settings)
        return [Passage.model_validate(d["_source"]["passage"]) for d in docs if d.get("found")]

    async def count(self) -> int:
        """Return the number of passages."""
        with told(self.settings):
            client = await self._client()
            answer = await client.count(index=self.settings.corpus)
        return int(answer.body["count"])

    # ── indexing ──────────────────────────────────────────────────────────────────────────────

    async def index(
        self, passages: Iterable[Passage] | AsyncIterable[Passage], *, replace: bool = True
    ) -> BulkReport:
        """Write passages; a passage whose id is there already is overwritten.

        Parameters
        ----------
        passages
            Read one by one.
        replace
            Build the corpus anew and swap it in at the end, or else add to what is there. A new
            corpus with failures is thrown away and the old one goes on: see `BulkReport.live`.

        Raises
        ------
        retrievers.errors.RetrieverError
            Where the node fails as a whole. What was live before still is.
        """
        with told(self.settings):
            client = await self._client()
            olds = await self._behind_alias(client)
            if replace or not olds:
                return await self._rebuild(client, passages, olds)
            await self.check()
            report = await write(client, olds[0], passages, self._encoder if self._dense else None)
            await client.indices.refresh(index=olds[0])
            report.live = True
            return report

    async def _rebuild(
        self,
        client: AsyncElasticsearch,
        passages: Iterable[Passage] | AsyncIterable[Passage],
        olds: list[str],
    ) -> BulkReport:
        encoder = self._encoder if await self._has_knn(client) else None
        corpus = self.settings.corpus
        new = f"{corpus}.{uuid.uuid4().hex[:12]}"
        await client.indices.create(
            index=new, **index_body(encoder.dimensions if encoder else None)
        )
        live = False
        try:
            report = await write(client, new, passages, encoder)
            await client.indices.refresh(index=new)
            if not report.failed:
                swap = [{"add": {"index": new, "alias": corpus}}]
                swap += [{"remove_index": {"index": old}} for old in olds]
                await client.indices.update_aliases(actions=swap)
                live = report.live = True
        finally:
            if not live:
                # What went wrong first is what must be told.
                with suppress(Exception):
                    await client.indices.delete(index=new)
        self._dense = None
        return report

    async def _behind_alias(self, client: AsyncElasticsearch) -> list[str]:
        """Return the indices that serve the corpus: one, or none where it is new."""
        corpus = self.settings.corpus
        try:
            return list((await client.indices.get_alias(name=corpus)).body)
        except NotFoundError:
            if await client.indices.exists(index=corpus):
                raise IndexFormatError(
                    f"{corpus!r} at {self.settings.address} is an index that hoptree did not make: "
                    "choose another corpus name"
                ) from None
            return []

    async def _has_knn(self, client: AsyncElasticsearch) -> bool:
        if self._encoder is None:
            return False
        running = await version(client)
        if running is not None and running < KNN_SINCE:
            self._notice(
                f"Elasticsearch {running[0]}.{running[1]} has no int8 kNN search (it came with "
                f"{KNN_SINCE[0]}.{KNN_SINCE[1]}): the corpus is searched by words alone (BM25)"
            )
            return False
        return True

    # ── connection ────────────────────────────────────────────────────────────────────────────

    async def _client(self) -> AsyncElasticsearch:
        loop = asyncio.get_running_loop()
        for other in [other for other in self._clients if other.is_closed()]:
            await self._clients.pop(other).close()
        if loop not in self._clients:
            self._clients[loop] = connect(self.settings, self._node_class)
        return self._clients[loop]

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()

    def _notice(self, sentence: str) -> None:
        if sentence not in self.notices:
            self.notices.append(sentence)


def _fused(lexical: list[Passage], dense: list[Passage], k: int) -> list[Hit]:
    passages = {passage.id: passage for passage in (*lexical, *dense)}
    lexical_rank = {passage.id: rank for rank, passage in enumerate(lexical)}
    dense_rank = {passage.id: rank for rank, passage in enumerate(dense)}
    return [
        Hit(
            passage=passages[found],
            score=score,
            lexical_rank=lexical_rank.get(found),
            dense_rank=dense_rank.get(found),
        )
        for found, score in rrf([list(lexical_rank), list(dense_rank)])[:k]
    ]


def _index_is_missing(doc: dict[str, Any]) -> bool:
    return bool(doc.get("error", {}).get("type") == "index_not_found_exception")
