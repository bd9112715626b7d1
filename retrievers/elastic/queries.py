"""The bodies of one `_msearch` for all queries of a search."""

from __future__ import annotations

from typing import Any

from retrievers.elastic.mapping import ANALYSERS

DEPTH = 50
"""Passages taken from each of the two rankings before they are fused."""
TITLE_WEIGHT = 1.5
MAX_QUERY_CHARACTERS = 400
"""A longer query is cut: each of its terms is a clause in every field, and a node allows about a
thousand clauses on a small heap."""
CANDIDATES = 3
"""How many times DEPTH the graph search looks at, per shard: recall of HNSW against time."""


def lexical(query: str, depth: int) -> dict[str, Any]:
    """BM25 over title and text of both languages; the fields' scores are summed."""
    fields = [
        f"{language}.{field}"
        for language in ANALYSERS
        for field in (f"title^{TITLE_WEIGHT}", "text")
    ]
    # Half a surrogate pair, as a terminal may pass it on, is not valid JSON to a node.
    sent = query[:MAX_QUERY_CHARACTERS].encode(errors="replace").decode()
    match = {"query": sent, "type": "most_fields", "fields": fields}
    return {"query": {"multi_match": match}, "size": depth, "_source": ["passage"]}


def dense(vector: list[float], depth: int) -> dict[str, Any]:
    """Approximate nearest neighbours by cosine over the HNSW graph."""
    knn = {
        "field": "vector",
        "query_vector": vector,
        "k": depth,
        "num_candidates": min(CANDIDATES * depth, 10_000),
    }
    return {"knn": knn, "size": depth, "_source": ["passage"]}
