"""How a passage lies in an index: explicit mappings, a format number, one field set a language.

A passage is analysed in its own language only: an English one fills `en.title` and `en.text`, a
Chinese one `zh.title` and `zh.text` (CJK bigrams). A query is matched against all four, each with
its field's own analyser, so English names are found in Chinese passages and the other way round.
"""

from __future__ import annotations

import hashlib
from typing import Any

from retrievers.analysis import language_of
from retrievers.passage import Passage

FORMAT = 1
"""Version of the mapping, kept in the index; another one is refused."""
ANALYSERS = {"en": "english", "zh": "cjk"}
MAX_ID_BYTES = 512
"""Elasticsearch's own limit of `_id`."""


def index_body(dimensions: int | None) -> dict[str, Any]:
    """Return settings and mappings of a new index; `dimensions` None leaves vectors out."""
    keyword = {"type": "keyword", "ignore_above": 8191}
    properties: dict[str, Any] = {
        language: {
            "properties": {
                "title": {"type": "text", "analyzer": analyser},
                "text": {"type": "text", "analyzer": analyser},
            }
        }
        for language, analyser in ANALYSERS.items()
    }
    properties |= {
        "language": {"type": "keyword"},
        "document": keyword,
        "source": keyword,
        # Kept as it came and never indexed, so the passage is rebuilt exactly.
        "passage": {"type": "object", "enabled": False},
    }
    if dimensions is not None:
        properties["vector"] = {
            "type": "dense_vector",
            "dims": dimensions,
            "index": True,
            "similarity": "cosine",
            "index_options": {"type": "int8_hnsw"},
        }
    return {
        "settings": {
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
        },
        "mappings": {
            "dynamic": "strict",
            # The text is in `passage` already; keeping it and the vector twice doubles the disk.
            "_source": {"includes": ["passage"]},
            "_meta": {"hoptree_format": FORMAT, "dimensions": dimensions},
            "properties": properties,
        },
    }


def document_id(passage_id: str) -> str:
    """Return the `_id` of a passage: its own id, or the digest of one that is too long."""
    encoded = passage_id.encode()
    if len(encoded) <= MAX_ID_BYTES:
        return passage_id
    return f"sha256:{hashlib.sha256(encoded).hexdigest()}"


def document_body(passage: Passage, vector: list[float] | None) -> dict[str, Any]:
    """Return what is sent to be indexed for a passage."""
    language = language_of(passage.text)
    body: dict[str, Any] = {
        language: {"title": passage.title, "text": passage.text},
        "language": language,
        "document": passage.document,
        "source": passage.source,
        "passage": passage.model_dump(mode="json"),
    }
    if vector is not None:
        body["vector"] = vector
    return body
