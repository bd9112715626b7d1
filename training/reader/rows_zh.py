"""Chinese rows: questions on passages, with similar passages that do not answer them."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from agent.readers.han_folding import folded
from training.reader.examples import Example, Source, read_rows

FILES = ("xquad", "drcd", "cmrc2018")
_HELD_OUT = 10
"""One article in so many is held out."""
_CALIBRATING = 16
"""One training article in so many is kept to fit the no-answer probability on."""


def chinese_examples(data: Path, similar: int = 9) -> Iterator[Example]:
    """Yield every row of the training files; its negatives are similar and lack the answer."""
    for file in FILES:
        name = f"reading-{file}-zh"
        sources = [
            Source.model_validate(row)
            for row in read_rows(data / "train" / f"{name}.passages.jsonl")
        ]
        by_id = {source.id: source for source in sources}
        index = Bm25([f"{s.title} {s.text}" for s in sources])
        for row in read_rows(data / "train" / f"{name}.jsonl"):
            passage = by_id[row["passage"]]
            found = [sources[n] for n in index.best(row["question"], similar + 1)]
            answer = folded(row["answer"])
            yield Example(
                kind=file,
                question=row["question"],
                passage=passage,
                start=row["start"],
                answer=row["answer"],
                negatives=tuple(
                    s for s in found if s.id != passage.id and answer not in folded(s.text)
                )[:similar],
            )


def held_out(example: Example) -> bool:
    """Return whether a row is kept from training: whole articles are, so no passage is on both
    sides."""
    return _share(f"{example.kind} {folded(example.passage.title)}") < 1 / _HELD_OUT


def calibrating(example: Example) -> bool:
    """Return whether a row is kept for fitting the no-answer probability; whole articles are."""
    return _share(f"calibration {example.kind} {example.passage.title}") < 1 / _CALIBRATING


def _share(text: str) -> float:
    digest = hashlib.sha256(text.encode()).digest()
    return (digest[0] * 256 + digest[1]) / 65536


class Bm25:
    """BM25 (k1 = 1.5, b = 0.75) over pairs of characters, for picking similar passages."""

    def __init__(self, texts: Sequence[str]) -> None:
        counts = [Counter(_pairs(text)) for text in texts]
        lengths = np.array([sum(c.values()) for c in counts], dtype=np.float64)
        norm = 1.5 * (0.25 + 0.75 * lengths / lengths.mean())
        postings: dict[str, list[tuple[int, int]]] = {}
        for number, count in enumerate(counts):
            for pair, times in count.items():
                postings.setdefault(pair, []).append((number, times))
        self._size = len(texts)
        self._weights = {}
        for pair, found in postings.items():
            numbers = np.array([n for n, _ in found])
            often = np.array([c for _, c in found], dtype=np.float64)
            idf = math.log(1 + (len(texts) - len(found) + 0.5) / (len(found) + 0.5))
            self._weights[pair] = (numbers, idf * often * 2.5 / (often + norm[numbers]))

    def best(self, query: str, k: int) -> list[int]:
        """Return the numbers of the `k` best texts, best first; ties in the texts' order."""
        scores = np.zeros(self._size)
        for pair in _pairs(query):
            if pair in self._weights:
                found, weights = self._weights[pair]
                scores[found] += weights
        return [int(n) for n in np.argsort(-scores, kind="stable")[:k]]


def _pairs(text: str) -> list[str]:
    flat = folded(text)
    return [flat[k : k + 2] for k in range(len(flat) - 1) if flat[k : k + 2].isalnum()]
