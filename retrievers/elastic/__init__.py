"""Passages in an Elasticsearch cluster (servers 8 and 9), behind the `Retriever` interface."""

from __future__ import annotations

from retrievers.elastic.bulk import BulkFailure, BulkReport
from retrievers.elastic.errors import (
    ElasticsearchAddressError,
    NodeBusyError,
    NodeRefusedError,
    NodeRequestError,
    NodeTimeoutError,
    NodeUnreachableError,
    NodeUnsupportedError,
)
from retrievers.elastic.retriever import ElasticsearchRetriever
from retrievers.elastic.settings import ElasticsearchSettings

__all__ = [
    "BulkFailure",
    "BulkReport",
    "ElasticsearchAddressError",
    "ElasticsearchRetriever",
    "ElasticsearchSettings",
    "NodeBusyError",
    "NodeRefusedError",
    "NodeRequestError",
    "NodeTimeoutError",
    "NodeUnreachableError",
    "NodeUnsupportedError",
]
