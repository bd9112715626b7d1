"""What the tests of all rooms share: the models that ship, and one Elasticsearch node."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from elastic_node import Connect, NodeUnavailableError, class_path, running

from agent.llama import LlamaCppChat
from retrievers.elastic import ElasticsearchRetriever, ElasticsearchSettings
from retrievers.elastic.node import CompatibleNode
from retrievers.elastic.node import connect as open_client
from retrievers.encoder import Encoder, MiniLMEncoder


@pytest.fixture(scope="session")
def llama() -> Iterator[LlamaCppChat]:
    """The real SmolLM2-135M through llama.cpp, with a context of 2,048 tokens."""
    # llama.cpp's threads wait for each other in a spin, so one is the fastest on a busy machine.
    model = LlamaCppChat(n_ctx=2048, n_threads=1)
    model.load()
    yield model
    model.close()


@pytest.fixture(scope="session")
def encoder() -> MiniLMEncoder:
    return MiniLMEncoder()


@pytest.fixture(scope="session")
def elastic_jars(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The class path of a node of our own; skips where none can be had."""
    try:
        return class_path(tmp_path_factory.mktemp("elastic-classes"))
    except NodeUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The node that HOPTREE_TEST_ES names, else one started for the tests: `es://host:port`."""
    named = os.environ.get("HOPTREE_TEST_ES")
    if named:
        yield named.rstrip("/")
        return
    jars = request.getfixturevalue("elastic_jars")
    with running(tmp_path_factory.mktemp("elastic") / "home", jars) as started:
        yield f"es://127.0.0.1:{started.port}"


@pytest.fixture
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Connect]:
    """Makes retrievers of fresh corpora (or of the one named), and removes them at the end.

    The node is started when the first one is made, so that tests of other backends need none.
    """
    made: list[ElasticsearchRetriever] = []

    def make(
        encoder: Encoder | None = None,
        corpus: str | None = None,
        node_class: type[CompatibleNode] = CompatibleNode,
        **settings: Any,
    ) -> ElasticsearchRetriever:
        node = request.getfixturevalue("node")
        url = f"{node}/{corpus or f'test-{uuid.uuid4().hex[:10]}'}"
        chosen = ElasticsearchSettings.from_url(url).model_copy(update=settings)
        made.append(ElasticsearchRetriever(chosen, encoder, node_class=node_class))
        return made[-1]

    yield make
    for retriever in made:
        client = open_client(retriever.settings)
        for name in (await client.indices.get(index=f"{retriever.settings.corpus}*")).body:
            await client.indices.delete(index=name)
        await client.close()
        await retriever.aclose()
