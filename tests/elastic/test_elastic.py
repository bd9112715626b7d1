"""The Elasticsearch retriever on a real node (see elastic_node.py for what that node is)."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from elastic_node import Connect
from elastic_transport import HttpHeaders
from numpy.typing import NDArray

from retrievers.elastic import (
    ElasticsearchRetriever,
    ElasticsearchSettings,
    NodeBusyError,
    NodeRefusedError,
    NodeTimeoutError,
    NodeUnreachableError,
    NodeUnsupportedError,
)
from retrievers.elastic.node import CompatibleNode
from retrievers.encoder import MiniLMEncoder
from retrievers.errors import IndexFormatError, IndexNotFoundError, IndexWriteError
from retrievers.passage import Passage, Retriever

PASSAGES = [
    Passage(
        id="curie",
        title="Marie Curie",
        text="Marie Curie was born in Warsaw and discovered polonium and radium in Paris.",
        document="curie-life",
        source="encyclopedia",
        url="https://example.org/curie?a=1&b=2",
        offset=17,
        metadata={
            "year": 1867,
            "tags": ["physics", "chemistry"],
            "nested": {"π": 3.25, "no": None},
        },
    ),
    Passage(id="warsaw", title="Warsaw", text="Warsaw is the capital city of Poland."),
    Passage(id="film", title="Casablanca", text="A 1942 film by Michael Curtiz.", time_start=1.5),
    Passage(id="长江", title="武汉长江大桥", text="武汉长江大桥于1957年建成，连接汉阳与武昌。"),
    Passage(id="北京", title="北京", text="北京是中华人民共和国的首都，故宫位于其中心。"),
    Passage(id="x" * 700, title="Long", text="An id longer than the node allows."),
]


def ids(hits: Sequence[Any]) -> list[str]:
    return [hit.passage.id for hit in hits]


class CountingNode(CompatibleNode):
    """Sends each request to the real node, and writes down what was sent."""

    sent: list[tuple[str, str, bytes]]

    async def perform_request(  # type: ignore[override]
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        **rest: Any,
    ) -> Any:
        self.sent.append((method, target, body or b""))
        return await super().perform_request(method, target, body, headers, **rest)


def counting() -> type[CountingNode]:
    return type("CountingNode", (CountingNode,), {"sent": []})


# ── searching ─────────────────────────────────────────────────────────────────────────────────


async def test_is_a_retriever_and_rebuilds_each_passage_exactly(connect: Connect) -> None:
    retriever = connect()
    report = await retriever.index(PASSAGES)
    assert isinstance(retriever, Retriever)
    assert (report.sent, report.indexed, report.failed, report.live) == (6, 6, [], True)
    assert await retriever.count() == 6
    wanted = [p.id for p in reversed(PASSAGES)]
    assert await retriever.get([*wanted[:2], "unknown", *wanted[2:]]) == PASSAGES[::-1]
    assert await retriever.get([]) == []


async def test_english_search_stems_and_weighs_titles(connect: Connect) -> None:
    retriever = connect()
    await retriever.index(PASSAGES)
    born, capitals, nothing = await retriever.search(
        ["Who discovers radium?", "capitals of Poland", "zebra"], k=2
    )
    assert ids(born)[0] == "curie"
    assert ids(capitals)[0] == "warsaw"
    assert nothing == []
    assert born[0].lexical_rank == 0 and born[0].dense_rank is None


async def test_chinese_search_and_latin_names_across_languages(connect: Connect) -> None:
    retriever = connect()
    mixed = Passage(id="居里", title="居里夫人", text="居里夫人（Marie Curie）发现了镭和钋。")
    await retriever.index([*PASSAGES, mixed])
    bridge, capital, name = await retriever.search(
        ["长江大桥是哪一年建成的？", "中国的首都是哪里", "Curie"]
    )
    assert ids(bridge)[0] == "长江"
    assert ids(capital)[0] == "北京"
    assert set(ids(name)) >= {"curie", "居里"}


async def test_knn_finds_what_shares_no_word_with_the_query(
    connect: Connect, encoder: MiniLMEncoder
) -> None:
    retriever = connect(encoder)
    await retriever.index(PASSAGES)
    [hits] = await retriever.search(["movie director"], k=3)
    assert ids(hits)[0] == "film"
    assert hits[0].lexical_rank is None and hits[0].dense_rank == 0
    [chinese] = await retriever.search(["故宫"])
    assert all(hit.dense_rank is None for hit in chinese)
    assert retriever.notices == []


async def test_many_queries_are_one_round_trip(connect: Connect, encoder: MiniLMEncoder) -> None:
    node = counting()
    retriever = connect(encoder, node_class=node)
    await retriever.index(PASSAGES)
    await retriever.check()
    node.sent.clear()
    results = await retriever.search(["radium", "首都", " ", "capital of Poland"] * 4, k=3)
    assert [bool(hits) for hits in results] == [True, True, False, True] * 4
    assert [(method, "_msearch" in target) for method, target, _ in node.sent] == [("POST", True)]


async def test_knn_request_keeps_to_the_published_contract(
    connect: Connect, encoder: MiniLMEncoder
) -> None:
    """Contract: keys and bounds of the `knn` section as the search API specification has them."""
    node = counting()
    retriever = connect(encoder, node_class=node)
    await retriever.index(PASSAGES)
    await retriever.search(["radium"], k=7)
    lines = [json.loads(line) for line in node.sent[-1][2].splitlines()]
    [knn] = [line["knn"] for line in lines if "knn" in line]
    assert set(knn) == {"field", "query_vector", "k", "num_candidates"}
    assert len(knn["query_vector"]) == encoder.dimensions
    assert knn["k"] <= knn["num_candidates"] <= 10_000
    [created] = [json.loads(b) for m, _, b in node.sent if m == "PUT" and b"dense_vector" in b]
    vector = created["mappings"]["properties"]["vector"]
    assert vector["dims"] == 384 and vector["index_options"] == {"type": "int8_hnsw"}


async def test_a_very_long_or_odd_query_is_answered(connect: Connect) -> None:
    retriever = connect()
    await retriever.index(PASSAGES)
    queries = [
        "radium " * 5000,
        "首都北京故宫" * 2000,
        '"\\ AND OR (',
        "* ? ~",
        "\n",
        "🚀",
        "\ud800 radium",
    ]
    queries.append(" ".join(f"word{i}" for i in range(3000)))
    results = await retriever.search(queries)
    assert ids(results[0])[0] == "curie" and ids(results[1])[0] == "北京"
    assert await retriever.search([]) == []


def test_one_retriever_serves_event_loop_after_event_loop(node: str, connect: Connect) -> None:
    retriever = connect()

    async def once() -> int:
        return await retriever.count()

    async def fill() -> None:
        await retriever.index(PASSAGES)

    asyncio.run(fill())
    assert [asyncio.run(once()) for _ in range(3)] == [6, 6, 6]


# ── indexing ──────────────────────────────────────────────────────────────────────────────────


async def test_indexing_twice_changes_nothing(connect: Connect) -> None:
    retriever = connect()
    await retriever.index(PASSAGES)
    await retriever.index(PASSAGES, replace=False)
    assert await retriever.count() == 6
    changed = PASSAGES[1].model_copy(update={"text": "Warsaw lies on the Vistula."})
    report = await retriever.index([changed], replace=False)
    assert report.live and await retriever.count() == 6
    assert await retriever.get(["warsaw"]) == [changed]


async def test_searches_see_the_old_corpus_until_the_new_one_is_whole(connect: Connect) -> None:
    retriever = connect()
    await retriever.index(PASSAGES)
    during = []

    async def slowly() -> AsyncIterator[Passage]:
        for number in range(300):
            if number % 150 == 0:
                during.append(await retriever.count())
            yield Passage(id=f"new-{number}", text=f"Sentence number {number}.")

    report = await retriever.index(slowly())
    assert during == [6, 6]
    assert report.indexed == 300 and await retriever.count() == 300
    client = await retriever._client()
    left = (await client.indices.get(index=f"{retriever.settings.corpus}*")).body
    assert len(left) == 1


async def test_a_reader_that_fails_leaves_the_old_corpus_and_no_litter(connect: Connect) -> None:
    retriever = connect()
    await retriever.index(PASSAGES)

    async def broken() -> AsyncIterator[Passage]:
        yield PASSAGES[0]
        raise OSError("the file vanished")

    with pytest.raises(OSError, match="vanished"):
        await retriever.index(broken())
    assert await retriever.count() == 6
    client = await retriever._client()
    assert len((await client.indices.get(index=f"{retriever.settings.corpus}*")).body) == 1


class FakeEncoder:
    """Gives one text a vector that the node refuses: cosine is not defined for length zero."""

    dimensions = 384

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.full((len(texts), 384), 384**-0.5, dtype=np.float32)
        for row, text in enumerate(texts):
            if text.startswith("Casablanca"):
                vectors[row] = 0
        return vectors


async def test_a_passage_the_node_refuses_is_reported_and_the_rest_is_kept(
    connect: Connect,
) -> None:
    retriever = connect(FakeEncoder())
    report = await retriever.index([p for p in PASSAGES if p.id != "film"])
    assert report.live
    report = await retriever.index(PASSAGES, replace=False)
    assert (report.sent, report.indexed) == (6, 5)
    assert [failure.id for failure in report.failed] == ["film"]
    assert "cosine" in report.failed[0].reason
    rebuilt = await retriever.index(PASSAGES)
    assert not rebuilt.live and rebuilt.failed and await retriever.count() == 5


async def test_a_read_only_corpus_is_reported_and_a_flood_of_refusals_stops_the_run(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    retriever = connect()
    await retriever.index(PASSAGES)
    client = await retriever._client()
    # What a node does by itself when its disk passes the flood-stage watermark; it answers 429.
    monkeypatch.setattr("retrievers.elastic.bulk.FIRST_BACKOFF", 0.01)
    monkeypatch.setattr("retrievers.elastic.bulk.MAX_RETRIES", 2)
    await client.indices.put_settings(
        index=retriever.settings.corpus, settings={"index.blocks.read_only_allow_delete": True}
    )
    report = await retriever.index(PASSAGES[:2], replace=False)
    assert [failure.id for failure in report.failed] == ["curie", "warsaw"]
    assert "read-only" in report.failed[0].reason
    monkeypatch.setattr("retrievers.elastic.bulk.MAX_FAILURES", 3)
    with pytest.raises(IndexWriteError, match=r"refused 3 passages.*read-only"):
        await retriever.index(PASSAGES, replace=False)
    assert await retriever.count() == 6


async def test_passages_turned_away_under_load_are_sent_again(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrievers.elastic.bulk.FIRST_BACKOFF", 0.01)

    class FakeBusyNode(CompatibleNode):
        """Answers 429 to the first two bulk requests."""

        left = 2

        async def perform_request(  # type: ignore[override]
            self, method: str, target: str, *rest: Any, **more: Any
        ) -> Any:
            answer = await super().perform_request(method, target, *rest, **more)
            if "_bulk" in target and FakeBusyNode.left:
                FakeBusyNode.left -= 1
                return answer._replace(meta=replace(answer.meta, status=429))
            return answer

    retriever = connect(node_class=FakeBusyNode)
    report = await retriever.index(PASSAGES)
    assert FakeBusyNode.left == 0
    assert report.indexed == 6 and await retriever.count() == 6


async def test_an_old_node_without_knn_is_told_and_searched_by_words(
    connect: Connect, encoder: MiniLMEncoder
) -> None:
    class FakeOldNode(CompatibleNode):
        """Says that it is 8.4, which has no int8 HNSW."""

        async def perform_request(  # type: ignore[override]
            self, method: str, target: str, *rest: Any, **more: Any
        ) -> Any:
            answer = await super().perform_request(method, target, *rest, **more)
            if target.startswith("/_nodes"):
                body = json.dumps({"nodes": {"a": {"version": "8.4.3"}}}).encode()
                return answer._replace(body=body)
            return answer

    retriever = connect(encoder, node_class=FakeOldNode)
    await retriever.index(PASSAGES)
    assert "8.4 has no int8 kNN" in retriever.notices[0]
    [hits] = await retriever.search(["radium"])
    assert ids(hits) == ["curie"]
    assert "by words alone" in retriever.notices[1]


# ── what can go wrong ─────────────────────────────────────────────────────────────────────────


async def test_missing_corpus_is_said_with_the_remedy(connect: Connect) -> None:
    retriever = connect(corpus="test-nowhere")
    for call in (retriever.search(["x"]), retriever.count(), retriever.get(["x"])):
        with pytest.raises(IndexNotFoundError, match=r"no corpus 'test-nowhere'.*hoptree index"):
            await call


async def test_an_index_of_someone_else_is_refused_and_left_alone(connect: Connect) -> None:
    retriever = connect()
    client = await retriever._client()
    await client.indices.create(
        index=retriever.settings.corpus, mappings={"properties": {"body": {"type": "text"}}}
    )
    with pytest.raises(IndexFormatError, match="not made by this version of hoptree"):
        await retriever.search(["x"])
    with pytest.raises(IndexFormatError, match="did not make"):
        await retriever.index(PASSAGES)
    assert await client.indices.exists(index=retriever.settings.corpus)


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


# The test node has no security module and is never overloaded: these answers are the documented
# ones, from a server of ours.
@pytest.mark.parametrize(
    ("status", "kind", "error", "message"),
    [
        (401, "security_exception", NodeRefusedError, "refused the password of the user 'ann'"),
        (403, "security_exception", NodeRefusedError, "'ann' may not do this"),
        (429, "es_rejected_execution_exception", NodeBusyError, "overloaded"),
    ],
)
async def test_refusals_are_said_in_one_sentence_without_the_password(
    status: int, kind: str, error: type[Exception], message: str
) -> None:
    body = {"error": {"type": kind, "reason": "because"}, "status": status}
    server, port = await _answering(status, body)
    retriever = ElasticsearchRetriever.from_url(f"es://ann:hunter2@127.0.0.1:{port}/corpus")
    async with server:
        with pytest.raises(error, match=message) as told:
            await retriever.search(["x"])
        await retriever.aclose()
    assert "hunter2" not in str(told.value)


async def test_a_node_that_never_answers_times_out() -> None:
    server, port = await _answering(200, None)
    retriever = ElasticsearchRetriever.from_url(f"es://127.0.0.1:{port}/corpus?timeout=0.2")
    async with server:
        with pytest.raises(NodeTimeoutError, match=r"did not answer within 0\.2 s"):
            await retriever.search(["x"])
        await retriever.aclose()


@pytest.mark.parametrize(
    ("status", "product", "reason"),
    [
        (200, "none", ""),
        (
            400,
            "Elasticsearch",
            "Accept version must be either version 7 or 6: a compatible version",
        ),
    ],
)
async def test_what_is_not_a_supported_elasticsearch_is_named_so(
    status: int, product: str, reason: str
) -> None:
    body = {"error": {"type": "media_type_header_exception", "reason": reason}}
    server, port = await _answering(status, body, product)
    retriever = ElasticsearchRetriever.from_url(f"es://127.0.0.1:{port}/corpus")
    async with server:
        with pytest.raises(NodeUnsupportedError, match="is not Elasticsearch 8 or 9"):
            await retriever.search(["x"])
        await retriever.aclose()


def test_settings_repr_hides_the_password() -> None:
    settings = ElasticsearchSettings.from_url("es+https://ann:hunter2@host:9243/wiki?timeout=5")
    assert (settings.host, settings.port, settings.corpus) == ("host", 9243, "wiki")
    assert settings.url == "es+https://host:9243/wiki" and settings.timeout == 5
    assert settings.password and settings.password.get_secret_value() == "hunter2"
    retriever = ElasticsearchRetriever(settings)
    assert "hunter2" not in repr(settings) + str(settings) + repr(retriever) + settings.url
