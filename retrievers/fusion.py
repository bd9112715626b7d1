"""Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from retrievers.passage import Hit, Passage

Item = TypeVar("Item", int, str)


def rrf(rankings: Sequence[Sequence[Item]], k: int = 60) -> list[tuple[Item, float]]:
    """Fuse rankings of ids: score(d) = Σ 1 / (k + rank), rank from 1, best first.

    An id that a ranking names twice counts at its first place. Ties break by id, so the result
    does not depend on the order of the rankings.
    """
    places: dict[Item, list[int]] = {}
    for ranking in rankings:
        for rank, item in enumerate(dict.fromkeys(ranking), 1):
            places.setdefault(item, []).append(rank)
    # Summed in order of rank: floating-point sums depend on their order.
    scores = {item: sum(1 / (k + rank) for rank in sorted(at)) for item, at in places.items()}
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


def fused_hits(
    lexical: Sequence[Item],
    dense: Sequence[Item],
    k: int,
    passages: Callable[[list[Item]], Mapping[Item, Passage]],
) -> list[Hit]:
    """Return the `k` best of the two rankings, fused; `passages` loads those of the ids left."""
    fused = rrf([lexical, dense])[: max(k, 0)]
    loaded = passages([item for item, _ in fused])
    in_lexical = {item: rank for rank, item in enumerate(lexical)}
    in_dense = {item: rank for rank, item in enumerate(dense)}
    return [
        Hit(
            passage=loaded[item],
            score=score,
            lexical_rank=in_lexical.get(item),
            dense_rank=in_dense.get(item),
        )
        for item, score in fused
    ]
