"""BM25 in a large index: common terms are left out of the search, and added to its best results.

A search costs as much as its terms have passages: "film" alone, in a third of a million of them,
takes a second, and says next to nothing. So where an index is large, passages are found and scored
by the rarer terms, and what the common ones add is added to the best of them, which are ranked
anew (the two-stage form of MaxScore, Turtle and Flood, 1995). A passage that shares none but common
words with the question is not found, and one that is behind `DEEPER` times as many by its rarer
terms stays there.
"""

from __future__ import annotations

import math
import random
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

LARGE = 50_000
"""Passages from which on it is worth it; below, a search takes a few milliseconds anyhow."""
DEEPER = 6
"""How many times more passages are taken from the search than are wanted."""
_SHARE = 0.05
"""A term in more passages than this share is common. On 300,000 recombined passages and 100
questions of the development sets a search took 14 ms instead of 41 on average (p95 51 instead of
172), and 99.4 % of the first ten passages were the same; at 0.03 10 ms and 97.5 %, at 0.1 21 ms and
99.8 %."""
_SAMPLE = 1000
_K1, _B = 1.2, 0.75
"""The constants of FTS5's bm25(), whose weights of terms are used as well."""


@dataclass(frozen=True)
class CommonTerms:
    """The common terms of an index, as a sample of its passages tells."""

    weights: Mapping[str, float]
    """Inverse document frequency of each term, next to nothing where most passages have it."""
    length: float
    """Terms of a passage, on average."""

    @classmethod
    def sampled(cls, db: sqlite3.Connection, passages: int) -> Self:
        """Read the sample from the table `terms`, the same one each time for the same index."""
        [last] = db.execute("SELECT max(rowid) FROM terms").fetchone()
        numbers = random.Random(passages).sample(range(1, last + 1), min(last, 2 * _SAMPLE))
        found: Counter[str] = Counter()
        taken = length = 0
        for number in numbers:
            query = "SELECT title || ' ' || body FROM terms WHERE rowid = ?"
            if taken < _SAMPLE and (row := db.execute(query, (number,)).fetchone()) is not None:
                words = row[0].split()
                found.update(set(words))
                length += len(words)
                taken += 1
        weights = {
            term: max(math.log((taken - n + 0.5) / (n + 0.5)), 1e-6)
            for term, n in found.items()
            if n > _SHARE * taken
        }
        return cls(weights, max(length, 1) / max(taken, 1))

    def apart(self, wanted: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the rarer and the common terms; all as rarer ones where there are no others."""
        rare = [term for term in wanted if term not in self.weights]
        if not rare:
            return list(wanted), []
        return rare, [term for term in wanted if term in self.weights]

    def holds(self, wanted: Sequence[str]) -> bool:
        """Return whether these terms are all common ones."""
        return all(term in self.weights for term in wanted)

    def adds(self, common: Sequence[str], title: str, body: str, title_weight: float) -> float:
        """Return what these terms add to the BM25 of a passage, given its terms."""
        heads, words = title.split(), body.split()
        size = (len(heads) + len(words)) / self.length
        total = 0.0
        for term in common:
            count = title_weight * heads.count(term) + words.count(term)
            total += self.weights[term] * count * (_K1 + 1) / (count + _K1 * (1 - _B + _B * size))
        return total
