"""Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Generic, TypeVar

from retrievers.passage import Hit, Passage

Item = TypeVar("Item", int, str)
_WEIGHTS = {"phrase": 0.5}
"""Of `Rankings` that do not weigh 1. Many passages mention a name and are about another thing: on
training questions of 2WikiMultihopQA over passages without their titles (500 single hops,
`benchmarks/ranking.py`) recall@1 is 81.6 without the names, 82.2 with half a weight and 79.4 with a
whole one, recall@10 94.6, 94.8 and 94.8."""


def rrf(
    rankings: Sequence[Sequence[Item]], k: int = 60, weights: Sequence[float] | None = None
) -> list[tuple[Item, float]]:
    """Fuse rankings of ids: score(d) = Σ weight / (k + rank), rank from 1, best first.

    An id that a ranking names twice counts at its first place. Ties break by id, so the result
    does not depend on the order of the rankings. Each weighs 1 where nothing else is said.
    """
    parts: dict[Item, list[float]] = {}
    for ranking, weight in zip(rankings, weights or [1.0] * len(rankings), strict=True):
        for rank, item in enumerate(dict.fromkeys(ranking), 1):
            parts.setdefault(item, []).append(weight / (k + rank))
    # Summed in order of size: floating-point sums depend on their order.
    scores = {item: sum(sorted(of, reverse=True)) for item, of in parts.items()}
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


def in_turns(rankings: Sequence[Sequence[Item]]) -> list[Item]:
    """Merge rankings: the first of each, then the second of each, and so on; every item once.

    A ranking whose turn it is gives the best item that none has given yet, so that two rankings
    that agree do not lose turns to a third.
    """
    merged: dict[Item, None] = {}
    waiting = [iter(ranking) for ranking in rankings]
    while waiting:
        left = []
        for ranking in waiting:
            item = next((item for item in ranking if item not in merged), None)
            if item is not None:
                merged[item] = None
                left.append(ranking)
        waiting = left
    return list(merged)


@dataclass(frozen=True)
class Rankings(Generic[Item]):
    """What a backend found for one query, each list best first."""

    lexical: Sequence[Item] = ()
    """By BM25."""
    dense: Sequence[Item] = ()
    """By the distance of vectors."""
    title: Sequence[Item] = ()
    """Those whose title the query names: see `retrievers.names`."""
    phrase: Sequence[Item] = ()
    """Those that write out a name of the query of several words."""


def fused_hits(
    rankings: Rankings[Item],
    k: int,
    passages: Callable[[list[Item]], Mapping[Item, Passage]],
) -> list[Hit]:
    """Return the `k` best of the rankings, fused; `passages` loads those of the ids left."""
    named = {field.name: getattr(rankings, field.name) for field in fields(rankings)}
    weights = [_WEIGHTS.get(name, 1.0) for name in named]
    fused = rrf(list(named.values()), weights=weights)[: max(k, 0)]
    loaded = passages([item for item, _ in fused])
    places = {
        name: {item: rank for rank, item in enumerate(ranking)} for name, ranking in named.items()
    }
    return [
        Hit(
            passage=loaded[item],
            score=score,
            **{f"{name}_rank": place.get(item) for name, place in places.items()},
        )
        for item, score in fused
    ]
