"""One node for all tests here: the one that HOPTREE_TEST_ES names, else one started for them."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from elastic_node import Connect, NodeUnavailableError, class_path, running

from retrievers.elastic import ElasticsearchRetriever, ElasticsearchSettings
from retrievers.elastic.node import CompatibleNode
from retrievers.elastic.node import connect as open_client
from retrievers.encoder import Encoder, MiniLMEncoder


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The node's address: `es://127.0.0.1:port` or what HOPTREE_TEST_ES says, without a corpus."""
    named = os.environ.get("HOPTREE_TEST_ES")
    if named:
        yield named.rstrip("/")
        return
    try:
        jars = class_path(tmp_path_factory.mktemp("elastic-classes"))
    except NodeUnavailableError as error:
        pytest.skip(str(error))
    with running(tmp_path_factory.mktemp("elastic") / "home", jars) as port:
        yield f"es://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def encoder() -> MiniLMEncoder:
    return MiniLMEncoder()


@pytest.fixture
async def connect(node: str) -> AsyncIterator[Connect]:
    """Makes retrievers of fresh corpora (or of the one named), and removes them at the end."""
    made: list[ElasticsearchRetriever] = []

    def make(
        encoder: Encoder | None = None,
        corpus: str | None = None,
        node_class: type[CompatibleNode] = CompatibleNode,
        **settings: Any,
    ) -> ElasticsearchRetriever:
        url = f"{node}/{corpus or f'test-{uuid.uuid4().hex[:10]}'}"
        chosen = ElasticsearchSettings.from_url(url).model_copy(update=settings)
        made.append(ElasticsearchRetriever(chosen, encoder, node_class=node_class))
        return made[-1]

    yield make
    client = open_client(ElasticsearchSettings.from_url(f"{node}/any"))
    for retriever in made:
        corpus = retriever.settings.corpus
        for name in [*(await client.indices.get(index=f"{corpus}*")).body]:
            await client.indices.delete(index=name)
        await retriever.aclose()
    await client.close()
