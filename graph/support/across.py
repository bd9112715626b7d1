"""The vote over paths: which answer to give where several paths came to one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import networkx as nx
from pydantic import BaseModel, ConfigDict, Field

from graph.normalise import same_answer
from graph.support.scoring import SURE, probabilities
from graph.types import Outcome, Plan
from prompts.loader import render

SHOWN = 0.05
"""Probability from which a contradicting answer is told of."""


class Consensus(BaseModel):
    """What the solved paths say together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: Outcome
    """The best path to the winning answer, its confidence that of all the paths to it."""
    rivals: tuple[tuple[str, float], ...] = ()
    """Other answers that paths came to, and their probabilities, likeliest first."""
    paths: int = Field(default=1, ge=1)
    """Independent paths to the winning answer."""

    def sure_of(self, answer: str) -> float:
        """Return the probability of an answer that a path came to; 0 for any other."""
        said = ((self.outcome.answer or "", self.outcome.confidence), *self.rivals)
        return next((sure for other, sure in said if same_answer(answer, other)), 0.0)


def across_paths(outcomes: Sequence[Outcome], plans: Sequence[Plan]) -> Consensus | None:
    """Vote over the solved paths; None where there is none.

    Paths to the same answer add up by a noisy-or, if they rest on different lookups; of those that
    share one, the likeliest speaks for all. A path is trusted as far as its plan is, beside the
    best plan that was solved. Where answers differ, one at most is right, so each lowers the
    probability of the others.

    The order of the outcomes does not matter, but for ties, which the earlier path wins.
    """
    solved = [outcome for outcome in outcomes if outcome.answer is not None]
    if not solved:
        return None
    best = max(plans[outcome.path.plan].score for outcome in solved)

    def trusted(outcome: Outcome) -> float:
        return outcome.confidence * (plans[outcome.path.plan].score / best if best > 0 else 1.0)

    votes = [
        (_together([trusted(o) for o in group], group), max(group, key=trusted))
        for group in _same(solved)
    ]
    votes.sort(key=lambda vote: -vote[0][0])
    together = [weight for (weight, _), _ in votes]
    found = probabilities(together) if len(votes) > 1 else together
    (_, paths), outcome = votes[0]
    return Consensus(
        outcome=outcome.model_copy(update={"confidence": found[0]}),
        rivals=tuple((o.answer or "", p) for (_, o), p in zip(votes[1:], found[1:], strict=True)),
        paths=paths,
    )


def contradictions(consensus: Consensus, language: str) -> list[str]:
    """Return a sentence for each other answer that is not out of the question."""
    return [
        render("contradiction", language, answer=answer, confidence=f"{confidence:.2f}")
        for answer, confidence in consensus.rivals
        if confidence >= SHOWN
    ]


def _same(solved: Sequence[Outcome]) -> list[list[Outcome]]:
    """Group the paths by what they answer, in the order of their first ones."""
    alike: nx.Graph[int] = nx.Graph()
    alike.add_nodes_from(range(len(solved)))
    alike.add_edges_from(
        (a, b)
        for a in range(len(solved))
        for b in range(a)
        if same_answer(solved[a].answer or "", solved[b].answer or "")
    )
    return [[solved[n] for n in sorted(part)] for part in nx.connected_components(alike)]


def _together(weights: Sequence[float], paths: Sequence[Outcome]) -> tuple[float, int]:
    """Return the noisy-or over paths that share no lookup, and how many those are."""
    shared: nx.Graph[object] = nx.Graph()
    for number, path in enumerate(paths):
        shared.add_node(number)
        for bound in path.path.bound.values():
            if not bound.question.startswith("#"):  # an operator's: it looks nothing up
                shared.add_edge(number, bound.question)
    heaviest = [
        max(weights[n] for n in part if isinstance(n, int))
        for part in nx.connected_components(shared)
    ]
    if len(heaviest) == 1:
        return heaviest[0], 1
    together = -math.expm1(sum(math.log1p(-min(w, SURE)) for w in heaviest))
    return max(together, *heaviest), len(heaviest)
