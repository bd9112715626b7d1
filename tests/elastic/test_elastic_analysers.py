"""The analysers of the Chinese and the ICU plugin: used where the node has them.

The plugins themselves are not on Maven Central. The node here is started with the Lucene classes
that they consist of, under the names that they register (see elastic_node.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from elastic_node import OLDEST_JAVA, Connect, running
from elastic_samples import DOCUMENTS, ids

from retrievers.documents import Document
from retrievers.elastic import ElasticsearchRetriever
from retrievers.elastic.mapping import index_body


@pytest.fixture(scope="module", params=OLDEST_JAVA, ids="server-{}".format)
def chinese_node(
    request: pytest.FixtureRequest, nodes: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    home, installation = tmp_path_factory.mktemp("chinese"), nodes.installation(request.param)
    with running(home, installation, "chinese") as started:
        yield f"es://127.0.0.1:{started.port}"


@pytest.fixture
async def corpus(chinese_node: str) -> AsyncIterator[ElasticsearchRetriever]:
    retriever = ElasticsearchRetriever.from_url(f"{chinese_node}/corpus")
    mixed = Document(id="uni", title="大学", text="他在ＢＥＩＪＩＮＧ大学研究生物化学。")
    await retriever.aindex([*DOCUMENTS, mixed], prune=True)
    yield retriever
    await retriever.aclose()


async def terms(retriever: ElasticsearchRetriever, field: str, text: str) -> list[str]:
    client = await retriever._client()
    answer = await client.indices.analyze(index=retriever.settings.corpus, field=field, text=text)
    return [token["token"] for token in answer.body["tokens"]]


async def test_chinese_is_cut_into_words_where_the_node_can(
    corpus: ElasticsearchRetriever,
) -> None:
    assert await terms(corpus, "zh.text", "研究生物化学") == ["研究", "生物", "化学"]
    assert await terms(corpus, "en.text", "Ｚürich's Bridges") == ["zurich", "bridg"]
    bridge, capital = await corpus.search(["长江大桥是哪一年建成的？", "中国的首都是哪里"])
    assert ids(bridge)[0] == "长江"
    assert ids(capital)[0] == "北京"


async def test_built_in_analysers_serve_where_the_node_has_no_plugin(connect: Connect) -> None:
    retriever = connect()
    await retriever.aindex(DOCUMENTS)

    assert await terms(retriever, "zh.text", "研究生物") == ["研究", "究生", "生物"]
    assert await terms(retriever, "en.text", "Who is Zürich's Bridges") == ["zurich", "bridg"]


async def test_corpus_made_before_the_plugin_came_is_told_by_the_doctor(
    chinese_node: str,
) -> None:
    retriever = ElasticsearchRetriever.from_url(f"{chinese_node}/older")
    client = await retriever._client()
    body: dict[str, Any] = index_body(None, [])
    await client.indices.create(index="older.1", aliases={"older": {}}, **body)
    found = {finding.name: finding for finding in await retriever.examine()}
    await retriever.aclose()

    assert found["analysers"].status == "warning"
    assert "icu, smartcn" in found["analysers"].detail
    assert "--rebuild" in found["analysers"].remedy


def test_icu_alone_folds_both_languages() -> None:
    analysers = index_body(None, ["icu"])["settings"]["analysis"]["analyzer"]

    assert all("icu_folding" in analyser["filter"] for analyser in analysers.values())
    assert "cjk_bigram" in analysers["hoptree_zh"]["filter"]
