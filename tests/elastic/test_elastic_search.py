"""What the Elasticsearch retriever does beyond the conformance suite, on a real node."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from elastic_node import Connect
from elastic_samples import DOCUMENTS, OLD_NODES, PASSAGES, counting, ids

from retrievers.documents import Document
from retrievers.elastic import ElasticsearchRetriever, Filter
from retrievers.elastic.node import CompatibleNode
from retrievers.encoder import MiniLMEncoder
from retrievers.notices import listening


@pytest.fixture
async def corpus(connect: Connect) -> ElasticsearchRetriever:
    """The documents on the node, searched by words alone."""
    retriever = connect()
    await retriever.aindex(DOCUMENTS)
    return retriever


async def test_each_passage_is_rebuilt_exactly(corpus: ElasticsearchRetriever) -> None:
    wanted = [p.id for p in reversed(PASSAGES)]

    assert await corpus.get([*wanted[:2], "unknown", *wanted[2:]]) == PASSAGES[::-1]


async def test_english_search_stems_and_weighs_titles(corpus: ElasticsearchRetriever) -> None:
    born, capitals, nothing = await corpus.search(
        ["Who discovers radium?", "capitals of Poland", "zebra"], k=2
    )

    assert ids(born)[0] == "curie"
    assert ids(capitals)[0] == "warsaw"
    assert nothing == []
    assert born[0].lexical_rank == 0
    assert born[0].dense_rank is None


async def test_latin_names_are_found_across_languages(corpus: ElasticsearchRetriever) -> None:
    mixed = Document(id="居里", title="居里夫人", text="居里夫人（Marie Curie）发现了镭和钋。")
    await corpus.aindex([mixed])
    [name] = await corpus.search(["Curie"])

    assert set(ids(name)) >= {"curie", "居里"}


async def test_chinese_questions_are_ranked_by_words_alone(
    connect: Connect, encoder: MiniLMEncoder
) -> None:
    retriever = connect(encoder)
    await retriever.aindex(DOCUMENTS)
    told: list[str] = []
    with listening(told.append):
        english, chinese = await retriever.search(["movie director", "故宫"], k=3)

    assert ids(english)[0] == "film"
    assert english[0].dense_rank == 0
    assert ids(chinese) == ["北京"]
    assert chinese[0].dense_rank is None
    assert told == []


async def test_many_queries_are_one_round_trip(connect: Connect, encoder: MiniLMEncoder) -> None:
    node = counting()
    retriever = connect(encoder, node_class=node)
    await retriever.aindex(DOCUMENTS)
    await retriever.check()
    node.sent.clear()
    queries = ["radium", "首都", " ", "capital of Poland", "Where was Marie Curie born?"]
    results = await retriever.search(queries * 4, k=3)

    assert [bool(hits) for hits in results] == [True, True, False, True, True] * 4
    assert (results[-1][0].title_rank, results[-1][0].phrase_rank) == (0, 0)
    assert [(method, "_msearch" in target) for method, target, _ in node.sent] == [("POST", True)]


async def test_knn_request_keeps_to_the_published_contract(
    connect: Connect, encoder: MiniLMEncoder
) -> None:
    """Contract: keys and bounds of the `knn` section as the search API specification has them."""
    node = counting()
    retriever = connect(encoder, node_class=node)
    await retriever.aindex(DOCUMENTS)
    await retriever.search(["radium"], k=7, only=Filter(sources=("cinema",)))
    lines = [json.loads(line) for line in node.sent[-1][2].splitlines()]
    [knn] = [line["knn"] for line in lines if "knn" in line]

    assert set(knn) == {"field", "query_vector", "k", "num_candidates", "filter"}
    assert len(knn["query_vector"]) == encoder.dimensions
    assert knn["k"] <= knn["num_candidates"] <= 10_000
    [created] = [json.loads(b) for m, _, b in node.sent if m == "PUT" and b"dense_vector" in b]
    vector = created["mappings"]["properties"]["vector"]
    assert vector["dims"] == 384
    assert vector["index_options"] == {"type": "int8_hnsw"}


@pytest.mark.parametrize(
    ("only", "found"),
    [
        (Filter(), {"curie", "warsaw", "film", "x" * 700, "长江", "北京"}),
        (Filter(sources=("cinema", "encyclopedia")), {"curie", "film"}),
        (Filter(documents=("x" * 700, "北京", "nowhere")), {"x" * 700, "北京"}),
        (Filter(languages=("zh",)), {"长江", "北京"}),
        (Filter(sources=("cinema",), languages=("zh",)), set()),
    ],
)
async def test_filter_holds_for_words_and_for_vectors(
    connect: Connect, encoder: MiniLMEncoder, only: Filter, found: set[str]
) -> None:
    retriever = connect(encoder)
    await retriever.aindex(DOCUMENTS)
    queries = ["Curie, Warsaw, a film, an id longer", "首都与大桥"]
    results = await retriever.search(queries, only=only)

    assert {id_ for hits in results for id_ in ids(hits)} == found


async def test_highlights_are_spans_of_the_passage(
    connect: Connect, encoder: MiniLMEncoder
) -> None:
    retriever = connect(encoder)
    await retriever.aindex(DOCUMENTS)
    results = await retriever.search(["Who discovers radium?", "首都"], k=1, highlight=True)
    words = [[hit.passage.text[a:b] for a, b in hit.spans] for [hit] in results]

    assert words == [["discovered", "radium"], ["首都"]]
    [[unasked]] = await retriever.search(["radium"], k=1)
    assert unasked.spans == ()


async def test_text_with_the_marks_of_highlights_in_it_gives_no_wrong_span(
    corpus: ElasticsearchRetriever,
) -> None:
    await corpus.aindex([Document(id="odd", text="An \ue0f0odd\ue0f1 passage about osmium.")])
    [[hit]] = await corpus.search(["osmium"], k=1, highlight=True)

    assert hit.passage.text == "An \ue0f0odd\ue0f1 passage about osmium."
    assert all(hit.passage.text[a:b] == "osmium" for a, b in hit.spans)


async def test_very_long_query_is_cut_to_what_a_node_takes(corpus: ElasticsearchRetriever) -> None:
    queries = ["radium " * 5000, "首都北京故宫" * 2000, " ".join(f"word{i}" for i in range(3000))]
    radium, beijing, _ = await corpus.search(queries)

    assert ids(radium)[0] == "curie"
    assert ids(beijing)[0] == "北京"


def test_one_retriever_serves_event_loop_after_event_loop(connect: Connect) -> None:
    retriever = connect()

    async def fill() -> None:
        await retriever.aindex(DOCUMENTS)

    asyncio.run(fill())
    assert [asyncio.run(retriever.count()) for _ in range(3)] == [6, 6, 6]
    asyncio.run(retriever.aclose())


async def test_old_node_without_knn_is_told_and_searched_by_words(
    connect: Connect, encoder: MiniLMEncoder
) -> None:
    class FakeOldNode(CompatibleNode):
        """Says that it is 8.4, which has no int8 HNSW."""

        async def perform_request(  # type: ignore[override]
            self, method: str, target: str, *rest: Any, **more: Any
        ) -> Any:
            answer = await super().perform_request(method, target, *rest, **more)
            if target.startswith("/_nodes"):
                return answer._replace(body=json.dumps(OLD_NODES).encode())
            return answer

    retriever = connect(encoder, node_class=FakeOldNode)
    indexing: list[str] = []
    with listening(indexing.append):
        await retriever.aindex(DOCUMENTS)
    assert "8.4 has no int8 kNN" in indexing[0]

    for _ in range(2):  # each search tells it again, as each answer is without it
        searching: list[str] = []
        with listening(searching.append):
            [hits] = await retriever.search(["radium"])
        assert ids(hits) == ["curie"]
        assert "by words alone" in searching[0]
