"""Which passages speak for themselves, and which repeat each other.

Passages of one document, of one source, or that copy or retell each other share one vote. Those
that copy or retell each other tell one story. What cannot be told from the texts: that two which
have no detail in common come from one pen.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from retrievers.analysis import HAN, STOP_WORDS, folded, segmenter
from retrievers.passage import Passage

COPY = 0.7
"""Jaccard overlap of word 4-grams from which two passages are copies of each other."""
QUOTED = 0.9
"""Share of a passage's 4-grams that stand in another, from which it is only quoted there."""
RETOLD = 0.6
"""Share of a passage's details (names, numbers) that another has too, from which it is retold."""
DETAILS = 3
"""Details that two passages must share to be retellings of each other."""
RARE = 500
"""Times in the corpus of the segmenter's dictionary below which a Chinese word is a detail: names
have no capitals there. Of the training stories of `training.calibration` 92 % of the pairs share
enough of them to be joined, of 17,800 pairs of other passages 2 do."""
_SHINGLE = 4
_WORD = re.compile(rf"[{HAN}]|[^\W_{HAN}]+")
_HAN_WORD = re.compile(rf"[{HAN}]{{2,}}")
_DETAIL = re.compile(rf"\d[\d.,]*\d|\d|[A-Z][^\W\d_{HAN}]+")

Reason = Literal["document", "source", "copy", "retelling"]


class Groups(NamedTuple):
    """Who shares a vote with whom."""

    of: dict[str, int]
    """Passage id to the number of its group."""
    reasons: dict[int, Reason]
    """Why the passages of a group of several share a vote."""
    stories: dict[str, int]
    """Passage id to the number of the story that it tells: those of one story share a vote."""


@lru_cache(maxsize=4096)
def shingles(text: str) -> NDArray[np.int64]:
    """Return the hashes of the word 4-grams of a text, of all its words where it has fewer."""
    words = _WORD.findall(text.casefold())
    runs = set(zip(*(words[start:] for start in range(_SHINGLE)), strict=False))
    return _hashes(runs or {tuple(words)})


def _hashes(pieces: Collection[Hashable]) -> NDArray[np.int64]:
    return np.fromiter(map(hash, pieces), np.int64, len(pieces))


@lru_cache(maxsize=4096)
def details(text: str) -> frozenset[str]:
    """Return the numbers, the capitalised words and the rare Chinese words of a text."""
    found = {match[0].casefold() for match in _DETAIL.finditer(text)} - STOP_WORDS
    if _HAN_WORD.search(text):
        known = segmenter()
        words = filter(_HAN_WORD.fullmatch, known.cut(folded(text)))
        found.update(word for word in words if known.FREQ.get(word, 0) < RARE)
    return frozenset(found)


def _untold(named: frozenset[str], *known: str) -> frozenset[str]:
    """Return the details that no text names."""
    words, chinese = zip(*map(_said, known), strict=True)
    told = "\n".join(chinese)
    return frozenset(
        detail
        for detail in named.difference(*words)
        if not (detail in told and _HAN_WORD.fullmatch(detail))
    )


@lru_cache(maxsize=1024)
def _said(text: str) -> tuple[frozenset[str], str]:
    """Return the words of a text and, where it is Chinese, the text itself, folded."""
    chinese = folded(text) if _HAN_WORD.search(text) else ""
    return frozenset(_WORD.findall(text.casefold())), chinese


def source_of(passage: Passage) -> str:
    """Return what names a passage's source: what it says itself, else the host of its URL.

    The host only tells how far to trust it: of the pages of one site many have authors of their
    own, so they do not share a vote for it.
    """
    if passage.source or not passage.url:
        return passage.source
    return (urlsplit(passage.url).hostname or "").removeprefix("www.")


def independent_groups(
    passages: Sequence[Passage], question: str = "", answers: Mapping[str, str] | None = None
) -> Groups:
    """Group the passages: one source, one document, copies, quotations and retellings.

    The words of the question are no sign of a common origin, nor are those of a passage's answer to
    it: all passages on it name them. `answers` maps the id of a passage to its answer; one that is
    not in it, and so tells no story, retells none. What else was read in a passage for an answer,
    and is none, may be a detail as any other.
    """
    story: nx.Graph[str] = nx.Graph()
    story.add_nodes_from(sorted(passage.id for passage in passages))
    story.add_edges_from(_copies(passages), reason="copy")
    telling = [p for p in passages if answers is None or p.id in answers]
    for a, b in _retellings(telling, question, answers or {}):
        if not story.has_edge(a, b):
            story.add_edge(a, b, reason="retelling")
    same = story.copy()
    first: dict[str, str] = {}
    for passage in sorted(passages, key=lambda p: p.id):
        for reason, name in (("document", passage.document), ("source", passage.source)):
            key = f"{reason}:{name}"
            holder = first.setdefault(key, passage.id) if name else passage.id
            if holder != passage.id and not same.has_edge(passage.id, holder):
                same.add_edge(passage.id, holder, reason=reason)
    reasons: dict[int, Reason] = {}
    of = _numbered(same)
    for number, members in enumerate(nx.connected_components(same)):
        if len(members) > 1:
            told = Counter(reason for _, _, reason in same.subgraph(members).edges(data="reason"))
            reasons[number] = min(told, key=lambda reason: (-told[reason], reason))
    return Groups(of, reasons, _numbered(story))


def _numbered(joined: nx.Graph[str]) -> dict[str, int]:
    parts = enumerate(nx.connected_components(joined))
    return {passage: number for number, members in parts for passage in members}


def _copies(passages: Sequence[Passage]) -> list[tuple[str, str]]:
    texts = [(passage.id, shingles(passage.text)) for passage in passages]
    sizes = {passage: len(said) for passage, said in texts}
    return [
        (a, b)
        for (a, b), shared in _shared(texts).items()
        if shared >= COPY * (sizes[a] + sizes[b] - shared)
        or shared >= QUOTED * min(sizes[a], sizes[b])
    ]


def _retellings(
    passages: Sequence[Passage], question: str, answers: Mapping[str, str]
) -> list[tuple[str, str]]:
    named = [
        (p.id, _hashes(_untold(details(p.text), question, answers.get(p.id, "")))) for p in passages
    ]
    sizes = {passage: len(said) for passage, said in named}
    return [
        (a, b)
        for (a, b), shared in _shared(named).items()
        if shared >= DETAILS and shared >= RETOLD * max(min(sizes[a], sizes[b]), DETAILS)
    ]


def _shared(texts: Sequence[tuple[str, NDArray[np.int64]]]) -> Counter[tuple[str, str]]:
    """Return how many pieces each two texts have in common, for those that have any.

    Few have: to look only at what is said twice is quicker than to compare each two.
    """
    if not texts:
        return Counter()
    pieces = np.concatenate([said for _, said in texts])
    order = np.argsort(pieces)
    pieces = pieces[order]
    same = pieces[1:] == pieces[:-1]
    again = np.zeros(len(pieces), bool)
    again[1:] |= same
    again[:-1] |= same
    text_of = np.repeat(np.arange(len(texts)), [len(said) for _, said in texts])[order]
    holders: dict[int, list[str]] = defaultdict(list)
    for piece, number in zip(pieces[again].tolist(), text_of[again].tolist(), strict=True):
        holders[piece].append(texts[number][0])
    pairs = (itertools.combinations(sorted(passages), 2) for passages in holders.values())
    return Counter(itertools.chain.from_iterable(pairs))
