"""Writing a corpus: generations behind an alias, refusals, retries, on a real node."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from elastic_node import Connect
from elastic_samples import DOCUMENTS, TURNED_AWAY, counting, ids
from numpy.typing import NDArray

from retrievers.documents import Document
from retrievers.elastic import ElasticsearchRetriever
from retrievers.elastic.node import CompatibleNode
from retrievers.errors import IndexFormatError, IndexWriteError
from retrievers.loaders import LoadFailure
from retrievers.notices import listening


async def indices(retriever: ElasticsearchRetriever) -> list[str]:
    client = await retriever._client()
    return sorted((await client.indices.get(index=f"{retriever.settings.corpus}*")).body)


# ── rebuilding ────────────────────────────────────────────────────────────────────────────────


async def test_searches_see_the_old_corpus_until_the_rebuilt_one_is_whole(connect: Connect) -> None:
    retriever = connect()
    corpus = retriever.settings.corpus
    await retriever.aindex(DOCUMENTS)
    [during] = [await indices(retriever)]
    report = await retriever.aindex([DOCUMENTS[0]], rebuild=True)

    assert during == [f"{corpus}.1"]
    assert (report.added, report.passages) == (1, 1)
    assert await retriever.count() == 1
    assert await indices(retriever) == [f"{corpus}.2"]


async def test_rebuild_that_broke_off_is_gone_on_with_and_never_searched(connect: Connect) -> None:
    retriever = connect()
    corpus = retriever.settings.corpus
    await retriever.aindex(DOCUMENTS)
    texts = [Document(id=f"n{n}", text=f"Sentence number {n}.") for n in range(300)]

    def breaking() -> Iterator[Document]:
        yield from texts[:280]
        raise OSError("the file vanished")

    with pytest.raises(OSError, match="vanished"):
        await retriever.aindex(breaking(), rebuild=True)
    assert await retriever.count() == len(DOCUMENTS)
    assert await indices(retriever) == [f"{corpus}.1", f"{corpus}.2"]

    report = await retriever.aindex(texts, rebuild=True)
    assert (report.added, report.unchanged) == (44, 256)
    assert await retriever.count() == 300
    assert await indices(retriever) == [f"{corpus}.2"]


async def test_rebuilt_corpus_with_failures_is_not_searched_and_says_so(connect: Connect) -> None:
    retriever = connect()
    await retriever.aindex(DOCUMENTS)
    told: list[str] = []
    with listening(told.append):
        report = await retriever.aindex(
            [DOCUMENTS[0], LoadFailure(place="a.pdf", reason="is encrypted")], rebuild=True
        )
    assert report.failed
    assert "not searched yet, as 1 documents failed" in told[0]
    assert await retriever.count() == len(DOCUMENTS)

    await retriever.aindex([DOCUMENTS[0]], rebuild=True)
    assert await retriever.count() == 1


async def test_corpus_of_another_format_is_refused_and_replaced_by_a_rebuild(
    connect: Connect,
) -> None:
    retriever = connect()
    corpus = retriever.settings.corpus
    client = await retriever._client()
    await client.indices.create(
        index=f"{corpus}.0a1b2c3d4e5f",
        mappings={"_meta": {"hoptree_format": 1, "dimensions": None}},
        aliases={corpus: {}},
    )
    for call in (retriever.search(["x"]), retriever.aindex(DOCUMENTS)):
        with pytest.raises(IndexFormatError, match=r"format 1, .*--rebuild"):
            await call

    await retriever.aindex(DOCUMENTS, rebuild=True)
    [hits] = await retriever.search(["radium"])
    assert ids(hits) == ["curie"]
    assert await indices(retriever) == [f"{corpus}.1"]


@pytest.mark.parametrize("aliased", [True, False])
async def test_index_of_someone_else_is_refused_and_left_alone(
    connect: Connect, aliased: bool
) -> None:
    retriever = connect()
    corpus = retriever.settings.corpus
    client = await retriever._client()
    theirs = f"{corpus}-theirs" if aliased else corpus
    await client.indices.create(
        index=theirs,
        mappings={"properties": {"body": {"type": "text"}}},
        aliases={corpus: {}} if aliased else {},
    )
    for call in (
        retriever.search(["x"]),
        retriever.aindex(DOCUMENTS),
        retriever.aindex(DOCUMENTS, rebuild=True),
        retriever.adelete(["x"]),
    ):
        with pytest.raises(IndexFormatError, match="not made by hoptree"):
            await call
    assert await indices(retriever) == [theirs]


async def test_first_generation_without_its_alias_is_taken_up_again(connect: Connect) -> None:
    retriever = connect()
    corpus = retriever.settings.corpus
    await retriever.aindex(DOCUMENTS)
    client = await retriever._client()
    await client.indices.delete_alias(index=f"{corpus}.1", name=corpus)

    report = await retriever.aindex(DOCUMENTS)
    assert report.unchanged == len(DOCUMENTS)
    assert await retriever.count() == len(DOCUMENTS)


# ── what the node refuses ─────────────────────────────────────────────────────────────────────


class FakeEncoder:
    """Gives one text a vector that the node refuses: cosine is not defined for length zero."""

    dimensions = 384

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.full((len(texts), 384), 384**-0.5, dtype=np.float32)
        for row, text in enumerate(texts):
            if text.startswith("Casablanca"):
                vectors[row] = 0
        return vectors


async def test_document_the_node_refuses_is_reported_and_tried_again_by_the_next_run(
    connect: Connect,
) -> None:
    retriever = connect(FakeEncoder())
    report = await retriever.aindex(DOCUMENTS)

    assert (report.added, report.passages) == (5, 5)
    assert [failure.place for failure in report.failed] == ["film"]
    assert "cosine" in report.failed[0].reason
    again = await retriever.aindex(DOCUMENTS)
    assert (again.unchanged, len(again.failed)) == (5, 1)


async def test_flood_of_refusals_stops_the_run(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrievers.elastic.indexing.MAX_REFUSALS", 1)
    with pytest.raises(IndexWriteError, match=r"refused 1 documents.*cosine"):
        await connect(FakeEncoder()).aindex(DOCUMENTS)


async def test_half_written_document_is_written_again(connect: Connect) -> None:
    retriever = connect()
    long = Document(id="d", text="A sentence about nothing in particular. " * 120)
    whole = (await retriever.aindex([*DOCUMENTS, long])).passages
    client = await retriever._client()
    await client.delete(index=retriever.settings.corpus, id="d#2", refresh=True)

    report = await retriever.aindex([*DOCUMENTS, long])
    assert (report.changed, report.unchanged, report.passages) == (1, 6, whole)


# ── load ──────────────────────────────────────────────────────────────────────────────────────


class FakeBusyNode(CompatibleNode):
    """Turns all operations but one of its first bulk requests away, as a full queue would."""

    left: int

    async def perform_request(  # type: ignore[override]
        self, method: str, target: str, *rest: Any, **more: Any
    ) -> Any:
        answer = await super().perform_request(method, target, *rest, **more)
        if "_bulk" not in target or not type(self).left:
            return answer
        type(self).left -= 1
        body = json.loads(answer.body)
        for item in body["items"][1:]:
            item["index"] = TURNED_AWAY
        return answer._replace(body=json.dumps(body).encode())


def busy(times: int) -> type[FakeBusyNode]:
    return type("FakeBusyNode", (FakeBusyNode,), {"left": times})


async def test_operations_turned_away_under_load_are_sent_again(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrievers.elastic.bulk.FIRST_BACKOFF", 0.001)
    retriever = connect(node_class=busy(3))
    report = await retriever.aindex(DOCUMENTS)

    assert (report.added, report.failed) == (6, [])
    assert await retriever.count() == 6


async def test_large_document_is_sent_in_portions(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrievers.elastic.bulk.PORTION", 10)
    node = counting()
    retriever = connect(node_class=node)
    long = Document(id="book", text="One more sentence of a very long book. " * 900)
    report = await retriever.aindex([long])

    portions = [body.count(b'"index":') for _, target, body in node.sent if "_bulk" in target]
    assert sum(portions) == report.passages > 30
    assert max(portions) == 10
