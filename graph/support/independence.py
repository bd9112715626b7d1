"""Which passages speak for themselves, and which repeat each other.

Passages of one document, of one source, or that copy or retell each other share one vote. What
cannot be told from the texts: that two which have no detail in common come from one pen.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import networkx as nx

from retrievers.analysis import HAN, STOP_WORDS
from retrievers.passage import Passage

COPY = 0.7
"""Jaccard overlap of word 4-grams from which two passages are copies of each other."""
QUOTED = 0.9
"""Share of a passage's 4-grams that stand in another, from which it is only quoted there."""
RETOLD = 0.6
"""Share of a passage's details (names, numbers) that another has too, from which it is retold."""
DETAILS = 3
"""Details that two passages must share to be retellings of each other."""
_SHINGLE = 4
_WORD = re.compile(rf"[{HAN}]|[^\W_{HAN}]+")
_DETAIL = re.compile(rf"\d[\d.,]*\d|\d|[A-Z][^\W\d_{HAN}]+")

Reason = Literal["document", "source", "copy", "retelling"]


class Groups(NamedTuple):
    """Who shares a vote with whom."""

    of: dict[str, int]
    """Passage id to the number of its group."""
    reasons: dict[int, Reason]
    """Why the passages of a group of several share a vote."""


@lru_cache(maxsize=4096)
def _shingles(text: str) -> frozenset[int]:
    words = _WORD.findall(text.casefold())
    last = max(len(words) - _SHINGLE, 0)
    return frozenset(hash(tuple(words[i : i + _SHINGLE])) for i in range(last + 1))


@lru_cache(maxsize=4096)
def _details(text: str) -> frozenset[str]:
    """Return the numbers and the capitalised words of a text, but for those that begin it."""
    found = (match[0].casefold() for match in _DETAIL.finditer(text))
    return frozenset(word for word in found if word not in STOP_WORDS)


def source_of(passage: Passage) -> str:
    """Return what names a passage's source: what it says itself, else the host of its URL.

    The host only tells how far to trust it: of the pages of one site many have authors of their
    own, so they do not share a vote for it.
    """
    if passage.source or not passage.url:
        return passage.source
    return (urlsplit(passage.url).hostname or "").removeprefix("www.")


def independent_groups(passages: Sequence[Passage], known: Iterable[str] = ()) -> Groups:
    """Group the passages: one source, one document, copies, quotations and retellings.

    `known` are texts whose words are no sign of a common origin: the question and the answers,
    which all passages on them name. A detail that most of the passages name is none either.
    """
    same: nx.Graph[str] = nx.Graph()
    same.add_nodes_from(sorted(passage.id for passage in passages))
    first: dict[str, str] = {}
    for passage in sorted(passages, key=lambda p: p.id):
        for reason, name in (("document", passage.document), ("source", passage.source)):
            key = f"{reason}:{name}"
            if name and (holder := first.setdefault(key, passage.id)) != passage.id:
                same.add_edge(passage.id, holder, reason=reason)
    texts = sorted((passage.id, _shingles(passage.text)) for passage in passages)
    for (a, ours), (b, theirs) in itertools.combinations(texts, 2):
        if ours.isdisjoint(theirs):
            continue
        shared = len(ours & theirs)
        union = len(ours) + len(theirs) - shared
        if shared >= COPY * union or shared >= QUOTED * min(len(ours), len(theirs)):
            same.add_edge(a, b, reason="copy")
    for a, b in _retellings(passages, known):
        if not same.has_edge(a, b):
            same.add_edge(a, b, reason="retelling")
    of: dict[str, int] = {}
    reasons: dict[int, Reason] = {}
    for number, members in enumerate(nx.connected_components(same)):
        of |= dict.fromkeys(members, number)
        if len(members) > 1:
            told = Counter(reason for _, _, reason in same.subgraph(members).edges(data="reason"))
            reasons[number] = min(told, key=lambda reason: (-told[reason], reason))
    return Groups(of, reasons)


def _retellings(passages: Sequence[Passage], known: Iterable[str]) -> list[tuple[str, str]]:
    said = frozenset(word for text in known for word in _WORD.findall(text.casefold()))
    details = sorted((passage.id, _details(passage.text) - said) for passage in passages)
    return [
        (a, b)
        for (a, ours), (b, theirs) in itertools.combinations(details, 2)
        if (shared := len(ours & theirs)) >= DETAILS
        and shared >= RETOLD * max(min(len(ours), len(theirs)), DETAILS)
    ]
