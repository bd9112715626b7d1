"""`Retriever` over Elasticsearch: all rankings in one round trip, fused here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self
from weakref import WeakKeyDictionary

from elasticsearch import AsyncElasticsearch

from retrievers.analysis import language_of
from retrievers.connection import ElasticsearchConnection
from retrievers.documents import Document
from retrievers.elastic import queries as bodies
from retrievers.elastic.corpus import generations, make, refuse_format, swap
from retrievers.elastic.health import examine
from retrievers.elastic.indexing import delete, write
from retrievers.elastic.mapping import document_id, passage_of
from retrievers.elastic.node import CompatibleNode, connect
from retrievers.elastic.queries import Filter
from retrievers.elastic.settings import ElasticsearchSettings
from retrievers.elastic.translation import missing, response_error, told
from retrievers.embedded import DEPTH
from retrievers.encoder import Encoder, MiniLMEncoder
from retrievers.finding import Finding
from retrievers.fusion import Rankings, fused_hits
from retrievers.indexing import IndexReport
from retrievers.loaders import LoadFailure
from retrievers.names import NamedTitles, names
from retrievers.notices import notice
from retrievers.passage import Hit, Passage


class ElasticsearchRetriever:
    """A corpus on a node. Implements `Retriever`; one object may serve several event loops.

    What a search had to do without (no kNN, a part of the shards) is told through
    `retrievers.notices`.

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
        self._encoder = encoder
        self._node_class = node_class
        # A connection pool belongs to its event loop, and a synchronous caller makes many loops.
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncElasticsearch] = (
            WeakKeyDictionary()
        )
        self._dense: bool | None = None
        """Whether the corpus has vectors; None until it was looked at."""

    def __repr__(self) -> str:
        return f"ElasticsearchRetriever({self.settings.url!r})"

    @property
    def address(self) -> str:
        """The corpus as `es://host:port/corpus`, without a password."""
        return self.settings.url

    @classmethod
    def from_url(
        cls,
        url: str,
        encoder: Encoder | None = None,
        connection: ElasticsearchConnection | None = None,
    ) -> Self:
        """Name a corpus by `es://host:port/corpus`, with the encoder that ships by default.

        Nothing is sent yet: see `check`.
        """
        return cls(ElasticsearchSettings.from_url(url, connection), encoder or MiniLMEncoder())

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
            refuse_format(self.settings, index, meta)
            if self._encoder is not None and meta.get("dimensions") != self._encoder.dimensions:
                dense = False
        self._dense = dense

    async def search(
        self,
        queries: Sequence[str],
        k: int = 10,
        *,
        only: Filter | None = None,
        highlight: bool = False,
    ) -> list[list[Hit]]:
        """Rank by BM25, kNN, titles and names, fused by RRF, in one `_msearch` for all queries.

        Chinese queries are ranked without kNN, as the encoder that ships is English.

        Parameters
        ----------
        queries, k
            As `Retriever.search` has them.
        only
            Which passages may be found.
        highlight
            Whether each hit says where the words of its query stand: see `Hit.spans`.

        Raises
        ------
        retrievers.errors.RetrieverError
            As `check`; nothing is retried after `settings.timeout` seconds.
        """
        asked = [i for i, query in enumerate(queries) if any(map(str.isalnum, query))]
        results: list[list[Hit]] = [[] for _ in queries]
        if not asked or k < 1:
            return results
        await self.check()
        if self._encoder is not None and not self._dense:
            notice(
                f"the corpus {self.settings.corpus!r} has no vectors of this encoder: it is "
                "searched by words alone (BM25)"
            )
        form = (max(DEPTH, k), only or Filter(), highlight)
        vectors = await self._vectors({i: queries[i] for i in asked})
        titles = {i: NamedTitles(queries[i]) for i in asked}
        searches: dict[tuple[str, int], dict[str, Any]] = {}
        for i in asked:
            searches["lexical", i] = bodies.lexical(queries[i], *form)
            if i in vectors:
                searches["dense", i] = bodies.dense(queries[i], vectors[i], *form)
            if keys := titles[i].keys:
                searches["title", i] = bodies.titled(queries[i], keys, *form)
            if found := names(queries[i]):
                searches["phrase", i] = bodies.mentioning(queries[i], found, *form)
        answers = dict(zip(searches, await self._msearch(list(searches.values())), strict=True))
        for i in asked:
            of = {name: hits for (name, query), hits in answers.items() if query == i}
            results[i] = _fused(of, titles[i], k)
        return results

    async def _vectors(self, queries: dict[int, str]) -> dict[int, list[float]]:
        """Return the vectors of the English ones among the queries."""
        english = {i: query for i, query in queries.items() if language_of(query) == "en"}
        if not self._dense or self._encoder is None or not english:
            return {}
        vectors = await asyncio.to_thread(self._encoder.encode, list(english.values()))
        return dict(zip(english, vectors.tolist(), strict=True))

    async def _msearch(self, searches: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
        """Return the hits of each search, as the node has them."""
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
                notice(
                    f"a part of the corpus {self.settings.corpus!r} did not answer: passages in "
                    "it were not found"
                )
            found.append(response["hits"]["hits"])
        return found

    async def get(self, ids: Sequence[str]) -> list[Passage]:
        """Return the passages with these ids, in this order, leaving out unknown ids."""
        wanted = [document_id(i) for i in ids if i]
        if not wanted:
            return []
        with told(self.settings):
            client = await self._client()
            answer = await client.mget(index=self.settings.corpus, ids=wanted)
        docs = answer.body["docs"]
        if any(_index_is_missing(doc) for doc in docs):
            raise missing(self.settings)
        return [passage_of(doc["_source"]) for doc in docs if doc.get("found")]

    async def count(self) -> int:
        """Return the number of passages."""
        with told(self.settings):
            client = await self._client()
            answer = await client.count(index=self.settings.corpus)
        return int(answer.body["count"])

    # ── indexing ──────────────────────────────────────────────────────────────────────────────

    async def aindex(
        self,
        documents: Iterable[Document | LoadFailure],
        *,
        prune: bool = False,
        rebuild: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> IndexReport:
        """Add new documents, replace changed ones, skip the rest, as `EmbeddedIndex.index` does.

        Parameters
        ----------
        documents
            Read one by one; a batch of them is held. Failures among them go into the report.
        prune
            Delete the documents that are not among `documents`. Skipped where one failed.
        rebuild
            Fill a new index with all of `documents` and swap it in at the end, where none failed.
            Searches see the old one until then. A rebuild that was stopped is gone on with.
        progress
            Called with the number of documents done so far.

        Raises
        ------
        retrievers.errors.RetrieverError
            Where the node fails as a whole. What was written until then stays.
        """
        with told(self.settings):
            client = await self._client()
            there = await generations(client, self.settings)
            if there and not rebuild:
                await self.check()
                encoder = self._encoder if self._dense else None
                return await write(
                    client, next(iter(there)), encoder, documents, prune=prune, progress=progress
                )
            new = await make(client, self.settings, self._encoder, list(there))
            made = (await client.indices.get_mapping(index=new)).body[new]["mappings"]
            encoder = self._encoder if made["_meta"]["dimensions"] is not None else None
            report = await write(
                client, new, encoder, documents, prune=prune or rebuild, progress=progress
            )
            self._dense = None
            if there and report.failed:
                notice(
                    f"the rebuilt corpus is not searched yet, as {len(report.failed)} documents "
                    "failed: mend them, or leave them out, and run the same command again"
                )
            elif there:
                await swap(client, self.settings, new, list(there))
            return report

    async def adelete(self, ids: Sequence[str]) -> int:
        """Delete documents by id; return how many there were."""
        await self.check()
        with told(self.settings):
            return await delete(await self._client(), self.settings.corpus, ids)

    async def examine(self) -> list[Finding]:
        """Look at the node, the corpus on it and whether they fit us, for `hoptree doctor`."""
        dimensions = self._encoder.dimensions if self._encoder is not None else None
        return await examine(await self._client(), self.settings, dimensions)

    # ── connection ────────────────────────────────────────────────────────────────────────────

    async def _client(self) -> AsyncElasticsearch:
        loop = asyncio.get_running_loop()
        await self._close_left_behind()
        if loop not in self._clients:
            self._clients[loop] = connect(self.settings, self._node_class)
        return self._clients[loop]

    async def _close_left_behind(self) -> None:
        for loop in [loop for loop in self._clients if loop.is_closed()]:
            await self._clients.pop(loop).close()

    async def aclose(self) -> None:
        """Close the connections of this event loop, and those of loops that have ended."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()
        await self._close_left_behind()


def _fused(found: dict[str, list[dict[str, Any]]], titles: NamedTitles, k: int) -> list[Hit]:
    """Fuse the lists of one query, by the name of each in `Rankings`."""
    sources = {hit["_id"]: hit for hits in found.values() for hit in hits}

    def passages(found: list[str]) -> dict[str, Passage]:
        return {id_: passage_of(sources[id_]["_source"]) for id_ in found}

    rankings = {name: [hit["_id"] for hit in hits] for name, hits in found.items()}
    titled = {hit["fields"]["title_key"][0]: hit["_id"] for hit in found.get("title", ())}
    rankings["title"] = titles.ranking(titled)
    hits = fused_hits(Rankings(**rankings), k, passages)
    return [hit.model_copy(update={"spans": _spans(sources, hit.passage)}) for hit in hits]


def _spans(sources: dict[str, dict[str, Any]], passage: Passage) -> tuple[tuple[int, int], ...]:
    return bodies.spans(sources[document_id(passage.id)], passage.text)


def _index_is_missing(doc: dict[str, Any]) -> bool:
    return bool(doc.get("error", {}).get("type") == "index_not_found_exception")
