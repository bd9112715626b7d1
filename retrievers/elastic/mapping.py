"""How a passage lies in an index: explicit mappings, a format number, one field set a language.

A passage is analysed in its own language only: an English one fills `en.title` and `en.text`, a
Chinese one `zh.title` and `zh.text`. A query is matched against all four, each with its field's own
analyser, so English names are found in Chinese passages and the other way round.

Every passage carries the digest of its document and the number of that document's passages, so that
what is on the node says by itself which documents are there, whole and unchanged.
"""

from __future__ import annotations

import hashlib
from typing import Any

from retrievers.analysis import STOP_WORDS, language_of
from retrievers.names import title_key
from retrievers.passage import Passage

FORMAT = 3
"""Version of the mapping, kept in the index; another one is refused."""
LANGUAGES = ("en", "zh")
PLUGINS: dict[str, dict[str, Any]] = {
    "smartcn": {"analyzer": "smartcn"},
    "icu": {"tokenizer": "standard", "filter": ["icu_folding"]},
}
"""Analysis plugins that are used where the node has them, with what `_analyze` knows them by."""
MAX_ID_BYTES = 512
"""Elasticsearch's own limit of `_id`."""


def index_body(dimensions: int | None, plugins: list[str]) -> dict[str, Any]:
    """Return settings and mappings of a new index.

    Parameters
    ----------
    dimensions
        Of the vectors; None leaves them out.
    plugins
        The names in `PLUGINS` that the node has.
    """
    chinese = "smartcn" if "smartcn" in plugins else "hoptree_zh"
    properties: dict[str, Any] = {
        language: {
            "properties": {
                field: {"type": "text", "analyzer": analyser} for field in ("title", "text")
            }
        }
        for language, analyser in zip(LANGUAGES, ("hoptree_en", chinese), strict=True)
    }
    properties |= {
        **{field: {"type": "keyword"} for field in ("language", "document", "digest")},
        "title_key": {"type": "keyword", "ignore_above": 8191},
        "parts": {"type": "integer"},
        "source": {"type": "keyword", "ignore_above": 8191},
        # The rest of the passage as it came, never indexed, so that it is rebuilt exactly.
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
            "analysis": _analysis(plugins),
        },
        "mappings": {
            "dynamic": "strict",
            # The index keeps the vector already; once more as text it is most of the disk.
            "_source": {"excludes": ["vector"]},
            "_meta": {"hoptree_format": FORMAT, "dimensions": dimensions, "plugins": plugins},
            "properties": properties,
        },
    }


def _analysis(plugins: list[str]) -> dict[str, Any]:
    folding = ["icu_folding"] if "icu" in plugins else ["lowercase", "asciifolding"]
    return {
        "filter": {
            "hoptree_possessive": {"type": "stemmer", "language": "possessive_english"},
            "hoptree_stop": {"type": "stop", "stopwords": sorted(STOP_WORDS)},
        },
        "analyzer": {
            # The built-in `english` with accents folded and question words left out.
            "hoptree_en": {
                "type": "custom",
                "tokenizer": "standard",
                "filter": ["hoptree_possessive", *folding, "hoptree_stop", "porter_stem"],
            },
            "hoptree_zh": {
                "type": "custom",
                "tokenizer": "standard",
                "filter": [*folding, "hoptree_stop", "cjk_bigram"],
            },
        },
    }


def document_id(id_: str) -> str:
    """Return the id itself, or the digest of one that is too long for the node."""
    encoded = id_.encode()
    if len(encoded) <= MAX_ID_BYTES:
        return id_
    return f"sha256:{hashlib.sha256(encoded).hexdigest()}"


def document_body(
    passage: Passage, vector: list[float] | None, digest: str, parts: int
) -> dict[str, Any]:
    """Return what is sent to be indexed for a passage."""
    language = language_of(passage.text)
    body: dict[str, Any] = {
        language: {"title": passage.title, "text": passage.text},
        "language": language,
        "document": document_id(passage.document),
        "digest": digest,
        "parts": parts,
        "title_key": title_key(passage.title),
        "source": passage.source,
        "passage": passage.model_dump(mode="json", exclude={"title", "text"}),
    }
    if vector is not None:
        body["vector"] = vector
    return body


def passage_of(source: dict[str, Any]) -> Passage:
    """Return the passage that `document_body` made this of."""
    return Passage.model_validate({**source["passage"], **source[source["language"]]})
