"""Retrievers: the embedded index, Elasticsearch, loading, encoding, fusion.

Names are looked up when first used, so that importing the package loads neither onnxruntime nor
Elasticsearch nor jieba.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrievers.documents import Document, split
    from retrievers.elastic import ElasticsearchRetriever
    from retrievers.embedded import EmbeddedIndex
    from retrievers.encoder import Encoder, MiniLMEncoder
    from retrievers.errors import (
        IndexFormatError,
        IndexNotFoundError,
        IndexWriteError,
        RetrieverError,
    )
    from retrievers.fusion import rrf
    from retrievers.indexing import IndexReport
    from retrievers.langchain import LangChainRetriever, PassageRetriever
    from retrievers.loaders import LoadFailure, load
    from retrievers.passage import Hit, Passage, Retriever

__all__ = [
    "Document",
    "ElasticsearchRetriever",
    "EmbeddedIndex",
    "Encoder",
    "Hit",
    "IndexFormatError",
    "IndexNotFoundError",
    "IndexReport",
    "IndexWriteError",
    "LangChainRetriever",
    "LoadFailure",
    "MiniLMEncoder",
    "Passage",
    "PassageRetriever",
    "Retriever",
    "RetrieverError",
    "load",
    "rrf",
    "split",
]

_MODULES = {
    "documents": ("Document", "split"),
    "elastic": ("ElasticsearchRetriever",),
    "embedded": ("EmbeddedIndex",),
    "encoder": ("Encoder", "MiniLMEncoder"),
    "errors": ("IndexFormatError", "IndexNotFoundError", "IndexWriteError", "RetrieverError"),
    "fusion": ("rrf",),
    "indexing": ("IndexReport",),
    "langchain": ("LangChainRetriever", "PassageRetriever"),
    "loaders": ("LoadFailure", "load"),
    "passage": ("Hit", "Passage", "Retriever"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
