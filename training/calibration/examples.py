"""Support graphs as arrays: what the learned scorer is trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.metrics import f1
from graph.support.building import FEATURES, answers, support_graph
from graph.types import Candidate
from retrievers.analysis import language_of
from retrievers.passage import Hit
from training.calibration.lookups import Asked, Store
from training.calibration.planting import WAYS, Use, Way, planted, wrong_answer

RIGHT = 0.5
"""Token F1 from which an answer counts as right."""


def right(answer: str | None, wanted: Sequence[str]) -> bool:
    """Return whether an answer counts as right: what a verdict's probability is the probability
    of."""
    return f1(answer, wanted) >= RIGHT


class Case(NamedTuple):
    """A lookup as it comes before the vote."""

    asked: Asked
    hits: list[Hit]
    candidates: list[Candidate]
    noise: str
    """What was planted: nothing, or a way and how often."""


def with_planted(
    store: Store, asked: Asked, wrong: str | None, way: Way, k: int, use: Use, source: str = ""
) -> Case:
    """Return a lookup with `k` passages planted at the head of its ranking.

    None of the passages that were found gives way for them.
    """
    hits = store.search(asked.question)
    if wrong is not None and k:
        top = max((hit.score for hit in hits), default=1.0)
        made = planted(asked.question, wrong, way, k, use, source)
        hits = [*(Hit(passage=passage, score=top) for passage in made), *hits]
    candidates = store.read(asked.question, [hit.passage for hit in hits], asked.expects)
    return Case(asked, hits, candidates, f"{way} {k}" if k else "")


def pools(rows: Sequence[Asked]) -> dict[tuple[str, str], list[str]]:
    """Return the answers to each kind of question, for planting them elsewhere."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        kind = found.setdefault((language_of(row.question), row.expects), [])
        kind += [answer for answer in row.answers if len(answer) <= 40 and answer not in kind]
    return found


def cases(store: Store, rows: Sequence[Asked]) -> Iterator[Case]:
    """Yield each lookup as it is, and with each way of planting: what the scorer learns from."""
    for number, (row, wrong) in enumerate(with_wrong(rows)):
        yield with_planted(store, row, None, "copies", 0, "train")
        for way in WAYS:
            k = 1 + (number + WAYS.index(way)) % 4
            if way == "independent" and k > 1:
                continue  # or it would learn that many independent voices are wrong
            yield with_planted(store, row, wrong, way, k, "train")


def with_wrong(rows: Sequence[Asked]) -> Iterator[tuple[Asked, str | None]]:
    """Yield each lookup with a wrong answer to it: one of another of them, of the same kind."""
    pool = pools(rows)
    for row in rows:
        kinds = pool[language_of(row.question), row.expects]
        yield row, wrong_answer(row.question, row.answers, row.expects, kinds)


class Arrays(NamedTuple):
    """The edges of many support graphs, one after another: E edges, C answers, L lookups."""

    features: NDArray[np.float64]
    """[E, F], without the trust in the source, which is 1 for all."""
    answer: NDArray[np.int64]
    """[E] number of the answer that an edge speaks for."""
    passage: NDArray[np.int64]
    """[E] number of the passage that it comes from."""
    story: NDArray[np.int64]
    """[E] number of the story that the passage tells."""
    vote: NDArray[np.int64]
    """[E] number of the vote that it is part of. Passages, stories and votes are numbered over all
    lookups."""
    lookup: NDArray[np.int64]
    """[C] number of the lookup that an answer is of."""
    right: NDArray[np.bool_]
    """[C] whether the answer is right."""
    lookups: int


def arrays(found: Sequence[Case]) -> Arrays:
    """Return the support graphs of the cases as arrays."""
    features: list[tuple[float, ...]] = []
    numbers: list[tuple[int, int, int, int]] = []
    lookup: list[int] = []
    is_right: list[bool] = []
    before = 0
    """Passages of the lookups before: there are no more stories and votes than passages."""
    for number, case in enumerate(found):
        graph = support_graph(case.asked.question, case.hits, case.candidates, case.asked.expects)
        places = {node: n for n, node in enumerate(n for n in graph if n[0] == "passage")}
        for members in answers(graph):
            for node in members:
                for other, edge in graph[node].items():
                    if edge["kind"] != "similar":
                        features.append(edge["features"][:-1])
                        story = graph.nodes[other]["story"]
                        vote = next(n[1] for n in graph[other] if n[0] == "vote")
                        told = (before + places[other], before + story, before + vote)
                        numbers.append((len(lookup), *told))
            lookup.append(number)
            best = max(members, key=lambda n: graph.nodes[n]["candidate"].score)
            is_right.append(right(graph.nodes[best]["candidate"].text, case.asked.answers))
        before += len(places)
    answer, passage, story, vote = np.array(numbers, dtype=np.int64).reshape(-1, 4).T
    return Arrays(
        np.array(features).reshape(-1, len(FEATURES) - 1),
        answer,
        passage,
        story,
        vote,
        np.array(lookup, dtype=np.int64),
        np.array(is_right, dtype=bool),
        len(found),
    )
