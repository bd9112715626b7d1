"""Passages in an Elasticsearch cluster (servers 8 and 9), behind the `Retriever` interface."""

from __future__ import annotations

from retrievers.connection import ElasticsearchConnection
from retrievers.elastic.errors import (
    ElasticsearchAddressError,
    NodeBusyError,
    NodeRefusedError,
    NodeRequestError,
    NodeTimeoutError,
    NodeUnreachableError,
    NodeUnsupportedError,
)
from retrievers.elastic.queries import Filter
from retrievers.elastic.retriever import ElasticsearchRetriever
from retrievers.elastic.settings import ElasticsearchSettings

__all__ = [
    "ElasticsearchAddressError",
    "ElasticsearchConnection",
    "ElasticsearchRetriever",
    "ElasticsearchSettings",
    "Filter",
    "NodeBusyError",
    "NodeRefusedError",
    "NodeRequestError",
    "NodeTimeoutError",
    "NodeUnreachableError",
    "NodeUnsupportedError",
]
