"""What both backends promise, run on real passages over the embedded index and over the node."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elastic_node import Connect
from numpy.typing import NDArray

from retrievers.documents import Document, split
from retrievers.elastic import ElasticsearchRetriever
from retrievers.embedded import EmbeddedIndex
from retrievers.encoder import MiniLMEncoder
from retrievers.passage import Retriever

CHINESE = [
    Document(
        id="长江大桥", title="武汉长江大桥", text="武汉长江大桥于1957年建成通车，连接汉阳与武昌。"
    ),
    Document(id="故宫", title="故宫", text="故宫位于北京市中心，是明清两代的皇宫。"),
]
QUESTIONS = 10


class RememberingEncoder:
    """The real encoder, which encodes a text once for both backends."""

    def __init__(self, encoder: MiniLMEncoder) -> None:
        self.dimensions = encoder.dimensions
        self._encoder = encoder
        self._known: dict[str, NDArray[np.float32]] = {}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known |= zip(new, self._encoder.encode(new), strict=True) if new else {}
        return np.stack([self._known[text] for text in texts])


@pytest.fixture(scope="module")
def remembering(encoder: MiniLMEncoder) -> RememberingEncoder:
    return RememberingEncoder(encoder)


def _sample(name: str) -> list[dict[str, Any]]:
    lines = resources.files("agent.sample").joinpath(name).read_text(encoding="utf-8")
    return [json.loads(line) for line in lines.splitlines()]


@pytest.fixture(scope="module")
def questions() -> list[dict[str, Any]]:
    return _sample("questions.jsonl")[:QUESTIONS]


@pytest.fixture(scope="module")
def documents(questions: list[dict[str, Any]]) -> list[Document]:
    """The passages that the questions need, as many that they do not, and two Chinese ones."""
    needed = {i for question in questions for i in question["supporting_passages"]}
    rows = [Document.model_validate(row) for row in _sample("corpus.jsonl")]
    others = [d for d in rows if d.id not in needed][: len(needed)]
    return [*(d for d in rows if d.id in needed), *others, *CHINESE]


@pytest.fixture(scope="module")
def embedded_folder(
    tmp_path_factory: pytest.TempPathFactory,
    documents: list[Document],
    remembering: RememberingEncoder,
) -> Path:
    folder = tmp_path_factory.mktemp("embedded")
    index = EmbeddedIndex.create(folder, remembering)
    index.index(documents)
    index.close()
    return folder


@pytest.fixture(params=["embedded", "elastic"])
async def retriever(
    request: pytest.FixtureRequest,
    embedded_folder: Path,
    documents: list[Document],
    connect: Connect,
    remembering: RememberingEncoder,
) -> AsyncIterator[Retriever]:
    if request.param == "embedded":
        index = EmbeddedIndex.open(embedded_folder, remembering)
        yield index
        await index.aclose()
        return
    elastic: ElasticsearchRetriever = connect(remembering)
    await elastic.index(passage for document in documents for passage in split(document))
    yield elastic


async def test_backend_keeps_the_retriever_contract(
    retriever: Retriever, documents: list[Document], questions: list[dict[str, Any]]
) -> None:
    asked = [question["question"] for question in questions]
    results = await retriever.search([*asked, "", "长江大桥何时建成？", "故宫在哪里"], k=5)

    assert await retriever.count() == len([p for d in documents for p in split(d)])
    assert len(results) == len(asked) + 3
    assert results[len(asked)] == []
    assert [results[-2][0].passage.id, results[-1][0].passage.id] == ["长江大桥", "故宫"]
    for hits in results:
        found = [hit.passage.id for hit in hits]
        assert len(found) <= 5 and len(found) == len(set(found))
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        assert all(hit.lexical_rank is not None or hit.dense_rank is not None for hit in hits)
    wanted = [hit.passage for hit in results[0]]
    assert await retriever.get(["nowhere", *(p.id for p in wanted)]) == wanted

    recalled = sum(
        len({hit.passage.id for hit in hits} & set(question["supporting_passages"]))
        / len(question["supporting_passages"])
        for question, hits in zip(questions, results, strict=False)
    )
    assert recalled / len(questions) >= 0.9
    await retriever.aclose()
    await retriever.aclose()
