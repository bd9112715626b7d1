"""What the tests of all rooms share: the models that ship, and the Elasticsearch nodes."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from elastic_node import (
    NAMED,
    SERVERS,
    Connect,
    Installation,
    NodeUnavailableError,
    install,
    running,
)

from agent.llama import LlamaCppChat
from retrievers.elastic import ElasticsearchRetriever, ElasticsearchSettings
from retrievers.elastic.node import CompatibleNode
from retrievers.elastic.node import connect as open_client
from retrievers.encoder import Encoder, MiniLMEncoder

# How long an example takes is the machine's business: tests run beside other work.
hypothesis.settings.register_profile(
    "hoptree", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("hoptree")


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


class Nodes:
    """The Elasticsearch nodes of a session, each installed and started when first asked for."""

    def __init__(self, folder: Path, open_ones: ExitStack) -> None:
        self._folder, self._open = folder, open_ones
        self._installed: dict[str, Installation | NodeUnavailableError] = {}
        self._addresses = {"named": NAMED}

    def installation(self, server: str) -> Installation:
        """What a node of this major version is started from; skips where none can be had."""
        if server not in self._installed:
            classes = self._folder / f"classes-{server}"
            classes.mkdir()
            try:
                self._installed[server] = install(server, classes)
            except NodeUnavailableError as error:
                self._installed[server] = error
        found = self._installed[server]
        if isinstance(found, NodeUnavailableError):
            pytest.skip(str(found))
        return found

    def address(self, server: str) -> str:
        """`es://host:port` of the node."""
        if server not in self._addresses:
            started = running(self._folder / f"home-{server}", self.installation(server))
            node = self._open.enter_context(started)
            self._addresses[server] = f"es://127.0.0.1:{node.port}"
        return self._addresses[server]


@pytest.fixture(scope="session")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with ExitStack() as open_ones:
        yield Nodes(tmp_path_factory.mktemp("elastic"), open_ones)


@pytest.fixture
def server() -> str:
    """The server that a test is for; those in `elastic/` run once for each of `SERVERS`."""
    return SERVERS[0]


@pytest.fixture
def node(nodes: Nodes, server: str) -> str:
    """The node that HOPTREE_TEST_ES names, else one started for the tests: `es://host:port`."""
    return nodes.address(server)


@pytest.fixture
def installation(nodes: Nodes, server: str) -> Installation:
    """What a test starts a node of its own from."""
    return nodes.installation("8" if server == "named" else server)


@pytest.fixture
async def connect(nodes: Nodes, server: str) -> AsyncIterator[Connect]:
    """Makes retrievers of fresh corpora (or of the one named), and removes them at the end.

    The node is started when the first one is made, so that tests of other backends need none.
    """
    made: list[ElasticsearchRetriever] = []

    def make(
        encoder: Encoder | None = None,
        corpus: str | None = None,
        node_class: type[CompatibleNode] = CompatibleNode,
        on: str = server,
        **settings: Any,
    ) -> ElasticsearchRetriever:
        url = f"{nodes.address(on)}/{corpus or f'test-{uuid.uuid4().hex[:10]}'}"
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
