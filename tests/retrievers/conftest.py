"""The backends that the conformance suite runs over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest
from elastic_node import SERVERS, Connect

from retrievers.documents import Document
from retrievers.elastic import ElasticsearchRetriever
from retrievers.embedded import EmbeddedIndex
from retrievers.encoder import MiniLMEncoder
from retrievers.indexing import IndexReport
from retrievers.loaders import LoadFailure
from retrievers.passage import Passage, Retriever


class Index(Retriever, Protocol):
    """A retriever that is written to as well: what both backends are."""

    async def aindex(
        self,
        documents: Iterable[Document | LoadFailure],
        *,
        prune: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> IndexReport: ...

    async def adelete(self, ids: Sequence[str]) -> int: ...


Make = Callable[[Sequence[Passage]], Awaitable[Index]]
"""Puts the passages (none of them split off a longer document) into a fresh index."""


def embedded(folder: Path, encoder: MiniLMEncoder, connect: Connect) -> EmbeddedIndex:
    return EmbeddedIndex.create(folder, encoder)


def elasticsearch(
    folder: Path, encoder: MiniLMEncoder, connect: Connect, server: str
) -> ElasticsearchRetriever:
    return connect(encoder, on=server)


# A further backend is one more entry here.
BACKENDS: dict[str, Callable[[Path, MiniLMEncoder, Connect], Index]] = {
    "embedded": embedded,
    **{f"elasticsearch-{server}": partial(elasticsearch, server=server) for server in SERVERS},
}


@pytest.fixture(params=sorted(BACKENDS))
async def make(
    request: pytest.FixtureRequest, tmp_path: Path, encoder: MiniLMEncoder, connect: Connect
) -> AsyncIterator[Make]:
    made: list[Index] = []

    async def build(passages: Sequence[Passage]) -> Index:
        index = BACKENDS[request.param](tmp_path / f"backend-{len(made)}", encoder, connect)
        made.append(index)
        shared = Document.model_fields.keys() & Passage.model_fields.keys()
        await index.aindex(Document(**passage.model_dump(include=shared)) for passage in passages)
        return index

    yield build
    for index in made:
        await index.aclose()
