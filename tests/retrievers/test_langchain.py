"""LangChain's retrievers: ours as theirs, and theirs as ours."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as Found
from langchain_core.retrievers import BaseRetriever

from retrievers.documents import Document
from retrievers.embedded import EmbeddedIndex
from retrievers.errors import RetrieverError
from retrievers.langchain import LangChainRetriever, PassageRetriever, adapted
from retrievers.passage import Retriever

TOWNS = {
    "ulm": "Ulm is a city on the Danube.",
    "porto": "Porto is a city on the Douro.",
    "turku": "Turku is the oldest town of Finland.",
}


class Shelf(BaseRetriever):
    """A foreign retriever: gives all its documents, whatever is asked."""

    documents: list[Found]
    broken: bool = False

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Found]:
        if self.broken:
            raise ConnectionError("the shelf fell down")
        return self.documents


@pytest.fixture
def index(tmp_path: Path) -> Iterator[EmbeddedIndex]:
    opened = EmbeddedIndex.create(tmp_path / "index")
    documents = [Document(id=i, title=i.title(), text=t) for i, t in TOWNS.items()]
    opened.index(documents)
    yield opened
    opened.close()


# ── ours as theirs ────────────────────────────────────────────────────────────────────────────


async def test_passages_are_documents_with_their_ids_and_all_that_is_known(
    index: EmbeddedIndex,
) -> None:
    retriever = PassageRetriever(retriever=index, k=2)
    asynchronous = await retriever.ainvoke("Which city is on the Danube?")
    blocking = retriever.invoke("Which city is on the Danube?")  # inside a running loop
    assert asynchronous == blocking and len(blocking) == 2
    first = blocking[0]
    assert (first.id, first.page_content) == ("ulm", TOWNS["ulm"])
    assert first.metadata["title"] == "Ulm"
    assert first.metadata["score"] >= blocking[1].metadata["score"] > 0


def test_a_batch_of_queries_comes_back_in_order(index: EmbeddedIndex) -> None:
    found = PassageRetriever(retriever=index, k=1).batch(["Danube", "Douro", "Finland"])
    assert [documents[0].id for documents in found] == ["ulm", "porto", "turku"]


# ── theirs as ours ────────────────────────────────────────────────────────────────────────────


def documents(*texts: str, **told: Any) -> list[Found]:
    return [Found(page_content=text, metadata=told) for text in texts]


async def test_documents_become_passages_in_their_order() -> None:
    told = {"title": "Towns", "source": "towns.pdf", "url": "https://example.org", "page": 3}
    shelf = Shelf(documents=[*documents("one", "two", **told), Found(page_content="x", id="mine")])
    retriever = LangChainRetriever(shelf)
    assert isinstance(retriever, Retriever)
    first, second = await retriever.search(["a", "b"], k=5)
    assert [hit.passage.text for hit in first] == ["one", "two", "x"]
    assert first == second
    assert first[0].score > first[1].score > first[2].score > 0
    passage = first[0].passage
    assert (passage.title, passage.source, passage.url) == (
        "Towns",
        "towns.pdf",
        "https://example.org",
    )
    assert passage.metadata["page"] == 3
    assert first[2].passage.id == "mine"
    assert [len(hits) for hits in await retriever.search(["a"], k=2)] == [2]


async def test_a_text_keeps_its_made_up_id_and_two_texts_never_share_one() -> None:
    shelf = Shelf(
        documents=[
            *documents("one", "one", "two", " "),
            Found(page_content="part 1", id="doc"),
            Found(page_content="part 2", id="doc"),
        ]
    )
    retriever = LangChainRetriever(shelf)
    assert await retriever.count() == 1  # nothing is known yet but that something is there
    [hits] = await retriever.search(["a"], k=10)
    assert [hit.passage.text for hit in hits] == ["one", "two", "part 1", "part 2"]
    ids = [hit.passage.id for hit in hits]
    assert len(set(ids)) == 4
    [again] = await retriever.search(["b"], k=10)
    assert [hit.passage.id for hit in again] == ids
    assert [p.text for p in await retriever.get([ids[1], "unknown", ids[0]])] == ["two", "one"]
    assert await retriever.count() == 4


async def test_whatever_a_foreign_retriever_raises_is_an_error_of_retrieval() -> None:
    retriever = LangChainRetriever(Shelf(documents=[], broken=True))
    with pytest.raises(RetrieverError, match="Shelf failed: ConnectionError: the shelf fell down"):
        await retriever.search(["a"])


def test_ours_stays_as_it_is_and_what_is_neither_is_refused(index: EmbeddedIndex) -> None:
    assert adapted(index) is index
    assert isinstance(adapted(Shelf(documents=[])), LangChainRetriever)
    with pytest.raises(TypeError, match="not a dict"):
        adapted({})


def test_a_search_of_ours_through_theirs_and_back_finds_the_same(index: EmbeddedIndex) -> None:
    there_and_back = LangChainRetriever(PassageRetriever(retriever=index, k=3))
    [direct] = asyncio.run(index.search(["Danube"], 3))
    [round_about] = asyncio.run(there_and_back.search(["Danube"], 3))
    assert [h.passage.id for h in round_about] == [h.passage.id for h in direct]
    assert [h.passage.title for h in round_about] == [h.passage.title for h in direct]
