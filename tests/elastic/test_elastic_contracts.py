"""CONTRACTS: our requests against the published specification, our faked answers against real ones.

What is checked here is not behaviour but form. Requests are recorded while they go to a real node;
the specification is the vendor's own, of a server 9 (see api_specification.py). The answers that
other tests fake, as no node here can be brought to give them, are compared with what a real node
answers in the same place.
"""

from __future__ import annotations

from typing import Any

import pytest
from api_specification import ApiSpecification, ContractError, Request
from elastic_node import Connect, Installation
from elastic_samples import DOCUMENTS, OLD_NODES, TURNED_AWAY, CountingNode, counting

from retrievers.elastic import Filter
from retrievers.encoder import MiniLMEncoder

USED = {
    "bulk",
    "clear_scroll",
    "cluster.health",
    "count",
    "indices.analyze",
    "indices.create",
    "indices.exists",
    "indices.get_alias",
    "indices.get_mapping",
    "indices.get_settings",
    "indices.refresh",
    "indices.update_aliases",
    "license.get",
    "mget",
    "msearch",
    "nodes.info",
    "nodes.stats",
    "scroll",
    "search",
}
"""The endpoints that hoptree uses, so all that a node must let its user do."""


@pytest.fixture
def specification(installation: Installation) -> ApiSpecification:
    return ApiSpecification(installation.jars)


async def recorded(connect: Connect, encoder: MiniLMEncoder) -> list[Request]:
    """Do everything once that the retriever can do; return what it sent."""
    node: type[CountingNode] = counting()
    retriever = connect(encoder, node_class=node)
    await retriever.aindex(DOCUMENTS)
    changed = DOCUMENTS[1].model_copy(update={"text": "Warsaw lies on the Vistula. " * 100})
    await retriever.aindex([DOCUMENTS[0], changed], prune=True)
    await retriever.aindex(DOCUMENTS)
    await retriever.adelete(["film"])
    await retriever.aindex(DOCUMENTS, rebuild=True)
    only = Filter(sources=("encyclopedia",), languages=("en",))
    assert (await retriever.search(["Marie Curie", "首都"], only=only, highlight=True))[0]
    await retriever.get(["curie"])
    await retriever.count()
    await retriever.examine()
    return [Request(*sent) for sent in node.sent]


async def test_every_request_keeps_to_the_published_specification(
    connect: Connect, encoder: MiniLMEncoder, specification: ApiSpecification
) -> None:
    requests = await recorded(connect, encoder)

    assert {specification.endpoint(request) for request in requests} == USED


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request("POST", "/c/_msaerch", b"{}\n{}\n"), "there is no POST /c/_msaerch"),
        (Request("GET", "/c/_bulk", b"{}\n"), "there is no GET /c/_bulk"),
        (Request("POST", "/c/_search?sise=3"), "search has no parameter 'sise'"),
        (Request("POST", "/c/_search?search_type=fast"), "search_type of search cannot be 'fast'"),
        (Request("POST", "/c/_bulk"), "bulk needs a body"),
        (Request("GET", "/_cluster/health", b"{}"), "cluster.health takes no body"),
    ],
)
def test_request_that_the_specification_does_not_have_is_found(
    specification: ApiSpecification, request_: Request, message: str
) -> None:
    with pytest.raises(ContractError, match=message.replace("/", r"\/").replace(".", r"\.")):
        specification.endpoint(request_)


def form(value: Any) -> Any:
    """Return the keys and types of an answer, without what stands in it."""
    if isinstance(value, dict):
        return {key: form(of) for key, of in value.items()}
    return type(value).__name__


async def test_faked_rejection_of_an_operation_has_the_form_of_a_real_refusal(
    connect: Connect,
) -> None:
    retriever = connect()
    await retriever.aindex(DOCUMENTS)
    client = await retriever._client()
    answer = await client.bulk(
        index=retriever.settings.corpus,
        operations=[{"index": {"_id": "x"}}, {"unknown": 1}],
    )
    [item] = answer.body["items"]
    real = form(item["index"])

    assert real["error"].items() >= form(TURNED_AWAY)["error"].items()
    assert {k: v for k, v in real.items() if k != "error"}.items() >= {
        k: v for k, v in form(TURNED_AWAY).items() if k != "error"
    }.items()


async def test_faked_version_of_an_old_node_has_the_form_of_a_real_one(connect: Connect) -> None:
    retriever = connect()
    client = await retriever._client()
    answer = await client.nodes.info(metric="os", filter_path="nodes.*.version")
    [real] = answer.body["nodes"].values()

    assert form(answer.body).keys() == form(OLD_NODES).keys()
    assert [form(node) for node in OLD_NODES["nodes"].values()] == [form(real)]
    assert real["version"].count(".") == OLD_NODES["nodes"]["a"]["version"].count(".")
