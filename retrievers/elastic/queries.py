"""The bodies of one `_msearch` for all queries of a search, and the spans in its answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

from pydantic import BaseModel, ConfigDict

from retrievers.analysis import HAN, Language
from retrievers.elastic.mapping import LANGUAGES, document_id
from retrievers.embedded import TITLE_WEIGHT

MAX_QUERY_WORDS, MAX_QUERY_CHARACTERS = 250, 2000
"""A longer query is cut: each of its words, or Chinese characters, is a clause in all four fields,
and a node on a small heap allows 1,024 clauses."""
MAX_PHRASES = 32
"""More names of a query are left out: each is a clause in four fields, of several words."""
CANDIDATES = 3
"""How many times the depth the graph search looks at, per shard: recall of HNSW against time."""
_WORD = re.compile(rf"[{HAN}]|[^\W{HAN}]+")
# Private-use characters; a text that holds them itself is noticed and gives no spans.
_OPEN, _CLOSE = "\ue0f0", "\ue0f1"


class Filter(BaseModel):
    """Which passages a search may find; an empty field lets all pass."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    languages: tuple[Language, ...] = ()

    def clauses(self) -> list[dict[str, Any]]:
        """Return the filter as clauses that must all hold."""
        fields = {
            "source": list(self.sources),
            "document": [document_id(document) for document in self.documents],
            "language": list(self.languages),
        }
        return [{"terms": {field: values}} for field, values in fields.items() if values]


def lexical(query: str, depth: int, only: Filter, highlight: bool) -> dict[str, Any]:
    """BM25F over title and text, summed over the languages: an English name is in both."""
    words = {"bool": {"must": [_words(query)], "filter": only.clauses()}}
    return {"query": words, **_form(query, depth, highlight)}


def titled(
    query: str, keys: Sequence[str], depth: int, only: Filter, highlight: bool
) -> dict[str, Any]:
    """The passage of each of these title keys that is best by BM25F of the query."""
    named = [{"terms": {"title_key": list(keys)}}, *only.clauses()]
    words = {"bool": {"filter": named, **_words(query)["bool"]}}
    best = {"field": "title_key"}
    return {"query": words, "collapse": best, **_form(query, depth, highlight)}


def mentioning(
    query: str, names: Sequence[str], depth: int, only: Filter, highlight: bool
) -> dict[str, Any]:
    """The passages that write out names, by BM25 of the names."""
    phrases = [_phrase(_sendable(name)) for name in names[:MAX_PHRASES]]
    some = {"bool": {"should": phrases, "minimum_should_match": 1, "filter": only.clauses()}}
    return {"query": some, **_form(query, depth, highlight)}


def _phrase(name: str) -> dict[str, Any]:
    fields = [field for language in LANGUAGES for field in _fields(language)]
    return {"multi_match": {"type": "phrase", "query": name, "fields": fields}}


def dense(
    query: str, vector: list[float], depth: int, only: Filter, highlight: bool
) -> dict[str, Any]:
    """Approximate nearest neighbours by cosine over the HNSW graph."""
    knn = {
        "field": "vector",
        "query_vector": vector,
        "k": depth,
        "num_candidates": min(CANDIDATES * depth, 10_000),
    }
    if clauses := only.clauses():
        knn["filter"] = clauses
    return {"knn": knn, **_form(query, depth, highlight)}


def _words(query: str) -> dict[str, Any]:
    cut = query[:MAX_QUERY_CHARACTERS]
    end = max((word.end() for word in islice(_WORD.finditer(cut), MAX_QUERY_WORDS)), default=0)
    sent = _sendable(cut[:end])
    fields = map(_fields, LANGUAGES)
    matches = [{"combined_fields": {"query": sent, "fields": pair}} for pair in fields]
    return {"bool": {"should": matches}}


def _fields(language: str) -> list[str]:
    return [f"{language}.title^{TITLE_WEIGHT}", f"{language}.text"]


def _sendable(text: str) -> str:
    # Half a surrogate pair, as a terminal may pass it on, is not valid JSON to a node.
    return text.encode(errors="replace").decode()


def _form(query: str, depth: int, highlight: bool) -> dict[str, Any]:
    form: dict[str, Any] = {"size": depth, "_source": ["passage", "language", *LANGUAGES]}
    if highlight:
        form["highlight"] = {
            "pre_tags": [_OPEN],
            "post_tags": [_CLOSE],
            "number_of_fragments": 0,
            "fields": {f"{language}.text": {} for language in LANGUAGES},
            "highlight_query": _words(query),
        }
    return form


def spans(hit: dict[str, Any], text: str) -> tuple[tuple[int, int], ...]:
    """Return where the words of the query stand in the passage's text, in characters."""
    marked = "".join(part for parts in hit.get("highlight", {}).values() for part in parts)
    if marked.replace(_OPEN, "").replace(_CLOSE, "") != text:
        return ()
    found, at = [], 0
    for piece in marked.split(_OPEN):
        inside, closed, outside = piece.partition(_CLOSE)
        if closed:
            found.append((at, at + len(inside)))
        at += len(inside) + len(outside)
    return tuple(found)
