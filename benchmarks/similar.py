"""Would embeddings tell which candidates mean the same? Over training lookups, by threshold.

    python -m benchmarks.similar ../shared/data OUT

OUT is the folder of `training.calibration.fit`: its searches and readings are used. Of each lookup
the pairs of candidates count that `graph.normalise.similarity` does not join and of which one is
right (token F1 of 0.5 or more). Such a pair should be joined where the other is right too; where
it is wrong, an edge would lend a wrong answer the votes of the right one. Beside the cosine of the
retriever's encoder stands a plain likeness of letters, as a baseline.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rapidfuzz import fuzz

from graph.normalise import SAME, similarity
from graph.support.building import fitting
from retrievers.encoder import MiniLMEncoder
from training.calibration.examples import right, with_planted
from training.calibration.lookups import Asked, Store, chinese, english, open_store

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
LOOKUPS = 250
"""Of each language, the first of those that no reader was trained on."""


class Pair(NamedTuple):
    """Two answers to one lookup that are not joined, the first of them right."""

    one: str
    other: str
    same: bool
    """Whether the other is right too."""


def pairs(store: Store, rows: list[Asked]) -> Iterator[Pair]:
    """Yield the pairs of the lookups."""
    for row in rows:
        case = with_planted(store, row, None, "copies", 0, "train")
        texts = {c.text for c in fitting(case.candidates, row.question, row.expects)}
        for one, other in itertools.permutations(sorted(texts), 2):
            if right(one, row.answers) and similarity(one, other) < SAME:
                same = right(other, row.answers)
                if not same or one < other:  # two right ones are one pair
                    yield Pair(one, other, same)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder with train/ and the development sets")
    parser.add_argument("out", type=Path, help="folder of the lookups")
    arguments = parser.parse_args()
    encoder = MiniLMEncoder()
    for language, of in (("en", english), ("zh", chinese)):
        store = open_store(arguments.data, arguments.out, language)
        rows = [row for row in of(arguments.data) if not row.seen][:LOOKUPS]
        found = list(pairs(store, rows))
        texts = sorted({text for pair in found for text in pair[:2]})
        vectors = dict(zip(texts, encoder.encode(texts), strict=True))
        cosine = np.array([float(vectors[p.one] @ vectors[p.other]) for p in found])
        letters = np.array([fuzz.ratio(p.one, p.other) / 100 for p in found])
        same = np.array([p.same for p in found])
        print(f"\n{language}: {len(found)} pairs of {len(rows)} lookups, {same.sum()} the same")
        print("from    embedding: joined, right    letters: joined, right")
        for least in THRESHOLDS:
            cells = [f"{least:<8}"]
            for likeness in (cosine, letters):
                joined = likeness >= least
                cells.append(f"{joined.sum():8}, {same[joined].sum():5}         ")
            print("".join(cells))


if __name__ == "__main__":
    main()
