"""Documents for the tests of Elasticsearch, and nodes that count what is sent or break it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from elastic_transport import HttpHeaders

from retrievers.documents import Document, split
from retrievers.elastic.node import CompatibleNode
from retrievers.passage import Hit, Passage

DOCUMENTS = [
    Document(
        id="curie",
        title="Marie Curie",
        text="Marie Curie was born in Warsaw and discovered polonium and radium in Paris.",
        source="encyclopedia",
        url="https://example.org/curie?a=1&b=2",
        metadata={
            "year": 1867,
            "tags": ["physics", "chemistry"],
            "nested": {"π": 3.25, "no": None},
        },
    ),
    Document(id="warsaw", title="Warsaw", text="Warsaw is the capital city of Poland."),
    Document(
        id="film",
        title="Casablanca",
        text="A 1942 film by Michael Curtiz.",
        source="cinema",
        time_start=1.5,
    ),
    Document(id="长江", title="武汉长江大桥", text="武汉长江大桥于1957年建成，连接汉阳与武昌。"),
    Document(id="北京", title="北京", text="北京是中华人民共和国的首都，故宫位于其中心。"),
    Document(id="x" * 700, title="Long", text="An id longer than the node allows."),
]
PASSAGES: list[Passage] = [passage for document in DOCUMENTS for passage in split(document)]


# What real nodes answer, for the faults that a node here cannot be brought into: see the contracts.
TURNED_AWAY: dict[str, Any] = {
    "_index": "corpus.1",
    "_id": "x",
    "status": 429,
    "error": {"type": "es_rejected_execution_exception", "reason": "the queue is full"},
}
OLD_NODES: dict[str, Any] = {"nodes": {"a": {"version": "8.4.3"}}}


def ids(hits: Sequence[Hit]) -> list[str]:
    return [hit.passage.id for hit in hits]


class CountingNode(CompatibleNode):
    """Sends each request to the real node, and writes down what was sent."""

    sent: list[tuple[str, str, bytes]]

    async def perform_request(  # type: ignore[override]
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        **rest: Any,
    ) -> Any:
        self.sent.append((method, target, body or b""))
        return await super().perform_request(method, target, body, headers, **rest)


def counting() -> type[CountingNode]:
    return type("CountingNode", (CountingNode,), {"sent": []})
