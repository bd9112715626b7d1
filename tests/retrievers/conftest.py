"""The backends that the conformance suite runs over, and the encoder, loaded once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from retrievers.documents import Document
from retrievers.embedded import EmbeddedIndex
from retrievers.encoder import Encoder, MiniLMEncoder
from retrievers.passage import Passage, Retriever

Make = Callable[[Sequence[Passage]], Awaitable[Retriever]]
"""Puts the passages (none of them split off a longer document) into a fresh retriever."""


@pytest.fixture(scope="session")
def encoder() -> MiniLMEncoder:
    return MiniLMEncoder()


async def embedded(passages: Sequence[Passage], folder: Path, encoder: Encoder) -> Retriever:
    index = EmbeddedIndex.create(folder, encoder)
    shared = Document.model_fields.keys() & Passage.model_fields.keys()
    await index.aindex(Document(**passage.model_dump(include=shared)) for passage in passages)
    return index


# A further backend is one more entry here.
BACKENDS = {"embedded": embedded}


@pytest.fixture(params=sorted(BACKENDS))
async def make(
    request: pytest.FixtureRequest, tmp_path: Path, encoder: MiniLMEncoder
) -> AsyncIterator[Make]:
    made: list[Retriever] = []

    async def build(passages: Sequence[Passage]) -> Retriever:
        folder = tmp_path / f"backend-{len(made)}"
        made.append(await BACKENDS[request.param](passages, folder, encoder))
        return made[-1]

    yield build
    for retriever in made:
        await retriever.aclose()
