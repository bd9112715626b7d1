"""What can go wrong with a node, and what is said of it: an error in one sentence, never a hang."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import elasticsearch
import pytest
from elastic_node import Connect, Installation, running
from elastic_samples import DOCUMENTS, ids
from elastic_transport import AiohttpHttpNode, HttpHeaders
from elasticsearch import AsyncElasticsearch, BadRequestError

from retrievers.documents import Document
from retrievers.elastic import (
    ElasticsearchRetriever,
    NodeBusyError,
    NodeRequestError,
    NodeTimeoutError,
    NodeUnreachableError,
    NodeUnsupportedError,
)
from retrievers.elastic.node import CompatibleNode, version
from retrievers.elastic.node import connect as open_client
from retrievers.errors import IndexNotFoundError, IndexWriteError
from retrievers.notices import listening

# ── on the real node ──────────────────────────────────────────────────────────────────────────


async def test_missing_corpus_is_said_with_the_remedy(connect: Connect) -> None:
    retriever = connect(corpus="test-nowhere")
    calls = (
        retriever.search(["x"]),
        retriever.count(),
        retriever.get(["x"]),
        retriever.adelete(["x"]),
    )
    for call in calls:
        with pytest.raises(IndexNotFoundError, match=r"no corpus 'test-nowhere'.*hoptree index"):
            await call


# What a node does by itself when its disk passes the flood-stage watermark; it answers 429.
@pytest.mark.parametrize("block", ["index.blocks.read_only_allow_delete", "index.blocks.write"])
async def test_corpus_that_takes_no_writes_ends_the_run_at_once_and_is_still_searched(
    connect: Connect, block: str
) -> None:
    retriever = connect()
    await retriever.aindex(DOCUMENTS)
    client = await retriever._client()
    await client.indices.put_settings(index=retriever.settings.corpus, settings={block: True})

    with pytest.raises(IndexWriteError, match=r"lets nothing be written.*free space"):
        await retriever.aindex([Document(id="new", text="A new text.")])
    [hits] = await retriever.search(["radium"])
    assert ids(hits) == ["curie"]


async def _shard_without_a_home(retriever: ElasticsearchRetriever) -> None:
    """Put a second index behind the corpus whose only shard no node may hold."""
    client = await retriever._client()
    corpus = retriever.settings.corpus
    meta = (await client.indices.get_mapping(index=corpus)).body[f"{corpus}.1"]["mappings"]["_meta"]
    await client.indices.create(
        index=f"{corpus}-red",
        mappings={"_meta": meta},
        settings={"index.routing.allocation.require._name": "nowhere"},
        aliases={corpus: {}},
        wait_for_active_shards=0,
    )


async def test_missing_part_of_the_corpus_is_told_and_the_rest_searched(connect: Connect) -> None:
    retriever = connect()
    await retriever.aindex(DOCUMENTS)
    await _shard_without_a_home(retriever)
    told: list[str] = []
    with listening(told.append):
        [hits] = await retriever.search(["radium"])

    assert ids(hits) == ["curie"]
    assert "a part of the corpus" in told[0]


async def test_corpus_with_all_of_its_shards_missing_is_an_error(connect: Connect) -> None:
    retriever = connect()
    await retriever.aindex(DOCUMENTS)
    await _shard_without_a_home(retriever)
    client = await retriever._client()
    await client.indices.delete(index=f"{retriever.settings.corpus}.1")

    for call in (retriever.search(["radium"]), retriever.count()):
        with pytest.raises(NodeRequestError, match=r"no part of the corpus.*hoptree doctor"):
            await call


# ── on an overloaded node ─────────────────────────────────────────────────────────────────────


async def _overload(client: AsyncElasticsearch, on: bool) -> None:
    """Let the node turn away all requests of more than a few bytes, as one short of memory does."""
    limit = {"network.breaker.inflight_requests.limit": "9b" if on else None}
    await client.cluster.put_settings(persistent=limit)


async def test_search_on_an_overloaded_node_ends_at_once_with_what_to_do(connect: Connect) -> None:
    retriever = connect()
    await retriever.aindex(DOCUMENTS)
    client = await retriever._client()
    await _overload(client, on=True)
    try:
        with pytest.raises(NodeBusyError, match=r"overloaded.*ask again later"):
            await retriever.search(["radium"])
    finally:
        await _overload(client, on=False)
    assert await retriever.search(["radium"])


@pytest.mark.parametrize("storm", [4, 1000])
async def test_indexing_waits_until_a_storm_of_429_is_over_and_loses_nothing(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, storm: int
) -> None:
    monkeypatch.setattr("retrievers.elastic.bulk.FIRST_BACKOFF", 0.001)
    statuses: list[int] = []

    class RelievedNode(CompatibleNode):
        """The real node, overloaded from its first bulk request until it said 429 so often."""

        async def perform_request(  # type: ignore[override]
            self, method: str, target: str, *rest: Any, **more: Any
        ) -> Any:
            if "_bulk" in target and not statuses:
                await _overload(other, on=True)
            answer = await super().perform_request(method, target, *rest, **more)
            if statuses or answer.meta.status == 429:
                statuses.append(answer.meta.status)
            if len(statuses) == storm:
                await _overload(other, on=False)
            return answer

    retriever = connect(node_class=RelievedNode)
    other = open_client(retriever.settings)
    texts = [Document(id=f"n{n}", text=f"Sentence number {n}.") for n in range(700)]
    try:
        if storm == 1000:
            with pytest.raises(NodeBusyError, match="run the same command again"):
                await retriever.aindex(texts)
            await _overload(other, on=False)
        report = await retriever.aindex(texts)
    finally:
        await _overload(other, on=False)
        await other.close()

    assert set(statuses[:4]) == {429}
    assert (report.added + report.unchanged, report.passages, report.failed) == (700, 700, [])


async def test_indexing_on_a_node_that_was_overloaded_before_ends_with_what_to_do(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrievers.elastic.bulk.FIRST_BACKOFF", 0.001)
    retriever = connect()
    await retriever.aindex(DOCUMENTS)
    client = await retriever._client()
    await _overload(client, on=True)
    try:
        with pytest.raises(NodeBusyError, match="run the same command again"):
            await retriever.aindex(DOCUMENTS)
    finally:
        await _overload(client, on=False)
    assert (await retriever.aindex(DOCUMENTS)).unchanged == len(DOCUMENTS)


# ── on a node that does not speak our version ─────────────────────────────────────────────────


async def test_server_of_another_major_version_is_named_so(connect: Connect) -> None:
    class FakeOtherClient(CompatibleNode):
        """Asks for the API of a version that neither server has, as a client too new would."""

        async def perform_request(  # type: ignore[override]
            self, method: str, target: str, body: Any = None, headers: Any = None, **rest: Any
        ) -> Any:
            headers = {"accept": "application/vnd.elasticsearch+json; compatible-with=11"}
            return await AiohttpHttpNode.perform_request(
                self, method, target, body, HttpHeaders(headers), **rest
            )

    retriever = connect(node_class=FakeOtherClient)
    with pytest.raises(NodeUnsupportedError, match="is not Elasticsearch 8 or 9"):
        await retriever.search(["x"])


async def test_both_servers_speak_the_version_that_we_ask_for(connect: Connect) -> None:
    """The locked client is a 9, whose own headers a server 8 refuses: see `CompatibleNode`."""
    retriever = connect()
    await retriever.aindex(DOCUMENTS)
    [running_version] = {await version(await retriever._client())}
    plain = AsyncElasticsearch(retriever.settings.address)
    try:
        assert running_version is not None
        assert running_version[0] in (8, 9)
        if running_version[0] < elasticsearch.__version__[0]:
            with pytest.raises(BadRequestError, match="media_type_header_exception"):
                await plain.count(index=retriever.settings.corpus)
        else:
            assert (await plain.count(index=retriever.settings.corpus)).body["count"]
    finally:
        await plain.close()


# ── on a node that dies ───────────────────────────────────────────────────────────────────────


async def test_run_that_the_node_died_in_is_completed_when_it_is_back(
    tmp_path: Path, installation: Installation
) -> None:
    texts = [Document(id=f"n{n}", text=f"编号{n}的短文。") for n in range(700)]
    home = tmp_path / "home"
    with running(home, installation) as first:
        retriever = ElasticsearchRetriever.from_url(f"es://127.0.0.1:{first.port}/corpus")

        def killing() -> Iterator[Document]:
            yield from texts[:600]
            first.kill()
            yield from texts[600:]

        with pytest.raises(NodeUnreachableError, match="is it running"):
            await retriever.aindex(killing())
        with pytest.raises(NodeUnreachableError, match="is it running"):
            await retriever.search(["短文"])
        await retriever.aclose()
    with running(home, installation) as second:
        retriever = ElasticsearchRetriever.from_url(f"es://127.0.0.1:{second.port}/corpus")
        report = await retriever.aindex(texts)
        await retriever.aclose()

    assert report.added + report.unchanged == report.passages == 700
    assert report.unchanged >= 256


# ── from a server of ours ─────────────────────────────────────────────────────────────────────


async def _answering(
    status: int, body: dict[str, Any] | None, product: str = "Elasticsearch"
) -> tuple[asyncio.Server, int]:
    """A server that gives one answer to everything, or none at all."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if body is None:
            await reader.read()
        payload = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} X\r\nX-elastic-product: {product}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode() + payload)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def test_node_down_is_said_with_the_remedy() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    retriever = ElasticsearchRetriever.from_url(f"es://elastic:secret@127.0.0.1:{port}/corpus")
    with pytest.raises(NodeUnreachableError, match="docker compose up") as told:
        await retriever.search(["x"])
    assert "secret" not in str(told.value)
    await retriever.aclose()
    await retriever.aclose()


async def test_node_that_never_answers_times_out() -> None:
    server, port = await _answering(200, None)
    retriever = ElasticsearchRetriever.from_url(f"es://127.0.0.1:{port}/corpus?timeout=0.2")
    async with server:
        for call in (retriever.search(["x"]), retriever.aindex(DOCUMENTS)):
            with pytest.raises(NodeTimeoutError, match=r"did not answer within 0\.2 s"):
                await call
        await retriever.aclose()


async def test_what_is_not_elasticsearch_is_named_so() -> None:
    server, port = await _answering(200, {}, product="none")
    retriever = ElasticsearchRetriever.from_url(f"es://127.0.0.1:{port}/corpus")
    async with server:
        with pytest.raises(NodeUnsupportedError, match="is not Elasticsearch 8 or 9"):
            await retriever.search(["x"])
        await retriever.aclose()
