"""Questions walked along their plans by the vote alone: how far to believe a path's confidence.

It is only measured, as is what follows from right and wrong answers (`what_follows`). A curve from
the product of the hops' confidences to the truth would be fitted on questions whose form the
planner knows, as no others of several hops have known answers to train on; where people ask, the
plan itself may be wrong, and the curve would be too sure of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from graph.operators import apply
from graph.paths import RUNNER_UPS
from graph.planning import by_language
from graph.planning.check import rank
from graph.planning.substitute import fill, needs
from graph.support import scoring, vote
from graph.types import Plan, Verdict, Voting
from retrievers.analysis import language_of
from training.calibration.examples import right
from training.calibration.lookups import Asked, Store
from training.reader.config import english_rows
from training.reader.examples import Guard, read_rows

Decide = Callable[[int, str], str | None]
"""Takes a lookup's number in its plan and its text, and returns the answer that is bound."""


class Multihop(NamedTuple):
    """A training question of several hops."""

    question: str
    answer: str
    evidences: tuple[str, ...]
    """The objects of its triples: the answers on the way to its own, and that."""
    spared: bool
    """Whether a reader of `training.reader.build --spare` alone never saw its hops; or none did."""


def multihop(data: Path) -> Iterator[Multihop]:
    """Yield the training questions of 2WikiMultihopQA whose hops are new to one of the readers."""
    config, guard = english_rows(), Guard(data)
    for number, row in enumerate(read_rows(data / "train" / "hops-2wikimultihopqa.jsonl")):
        spared = config.spares_question(number)
        new = spared or number % config.held_out_every == 0
        if new and not guard.drops(row["question"]):
            objects = tuple(triple[2] for triple in row["evidences"])
            yield Multihop(row["question"], row["answer"], objects, spared)


def walked(plan: Plan, question: str, decide: Decide) -> str | None:
    """Return the answer at the end of a plan; None where a step has none."""
    bound: dict[int, str] = {}
    for number, step in enumerate(plan.steps, 1):
        if not needs(step) <= bound.keys():
            return None
        if step.kind == "operator":
            answer = apply(step, bound, language=language_of(question)).answer
        else:
            answer = decide(number, fill(step.text, bound))
        if answer is None:
            return None
        bound[number] = answer
    return bound[len(plan.steps)]


def _looked_up(text: str, store: Store, by: scoring.Name) -> Verdict | None:
    lookup = Asked.of(text)
    hits = store.search(text)
    candidates = store.read(text, [hit.passage for hit in hits], lookup.expects)
    return vote(text, hits, candidates, 1, lookup.expects, Voting(scoring=by)).verdict


def path_confidences(
    asked: Sequence[tuple[Multihop, Store]], by: scoring.Name
) -> tuple[list[float], list[bool]]:
    """Return how sure each question's best path is, and whether it ends right.

    Questions whose plan is one lookup, or comes to no end, are left out.
    """
    sure: list[float] = []
    true: list[bool] = []
    for (question, answer, *_), store in asked:
        confidences: list[float] = []

        def decide(number: int, text: str, store: Store = store) -> str | None:
            verdict = _looked_up(text, store, by)
            if verdict is None:
                return None
            confidences.append(verdict.confidence)  # noqa: B023
            return verdict.answer

        for plan in rank(question, by_language(question))[:1]:
            said = walked(plan, question, decide)
            if said is not None and len(confidences) > 1:
                sure.append(math.prod(confidences))
                true.append(right(said, [answer]))
    return sure, true


def what_follows(
    asked: Sequence[tuple[Multihop, Store]], by: scoring.Name
) -> list[tuple[bool, float]]:
    """Return of each answer that a lookup asks on from whether it is right, and what follows.

    That is the confidence of that lookup's verdict, 0 where it has none. The answers are those that
    a search may go on from: the first of the vote and its runner-ups, along the best plan.
    """
    found: list[tuple[bool, float]] = []
    for (question, _, evidences, _), store in asked:
        for plan in rank(question, by_language(question))[:1]:
            for step in plan.steps:
                before = needs(step)
                number = min(before, default=0)
                if step.kind != "lookup" or len(before) != 1 or needs(plan.steps[number - 1]):
                    continue
                first = _looked_up(plan.steps[number - 1].text, store, by)
                for cluster in first.clusters[: RUNNER_UPS + 1] if first is not None else ():
                    if cluster.confidence > 0:
                        then = _looked_up(fill(step.text, {number: cluster.text}), store, by)
                        on_the_way = right(cluster.text, evidences)
                        found.append((on_the_way, then.confidence if then is not None else 0.0))
    return found
