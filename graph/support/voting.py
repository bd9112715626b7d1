"""The verdict on one sub-question."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx
import numpy as np

from graph.support import scoring
from graph.support.building import FEATURES, answers, support_graph
from graph.support.explanation import summary
from graph.support.independence import source_of
from graph.types import (
    AnswerType,
    Ballot,
    Candidate,
    Cluster,
    Failure,
    FailureReason,
    StepResult,
    Verdict,
    Voting,
)
from graph.values import is_country, is_demonym
from prompts.loader import render
from retrievers.analysis import language_of
from retrievers.passage import Hit

KEPT = 5
"""Clusters that a verdict keeps."""
_COUNTRY = re.compile(r"\b(?:what|which|the) country\b", re.IGNORECASE)
"""Where a country is asked for, it is Russia and not Russian, if a passage says so."""


Node = tuple[str, Any]
Near = dict[Node, dict[Node, dict[str, Any]]]
"""Each node's neighbours with the edges to them: networkx's own views of them are slow to walk."""


def weigh(graph: nx.Graph, scorer: scoring.Scorer) -> list[list[Node]]:
    """Set the `weight` of every *extracts* and *supports* edge; return the nodes of each answer.

    A *supports* edge weighs in proportion to the best reading of its answer: a passage that
    mentions what nobody took for an answer confirms nothing ("film" stands in all passages on a
    film).
    """
    edges = [edge for _, _, edge in graph.edges(data=True) if "features" in edge]
    weights = scorer.weights(
        np.array([edge["features"] for edge in edges]).reshape(-1, len(FEATURES))
    )
    for edge, weight in zip(edges, weights.tolist(), strict=True):
        edge["weight"] = min(max(weight, 0.0), scoring.SURE)
    near: Near = dict(graph.adjacency())
    found = answers(graph)
    for members in found:
        read = max(edge["weight"] for node in members for edge in _edges(near, node, "extracts"))
        for node in members:
            for edge in _edges(near, node, "supports"):
                edge["weight"] *= read
    return found


def _edges(near: Near, node: Node, kind: str) -> list[dict[str, Any]]:
    return [edge for edge in near[node].values() if edge["kind"] == kind]


def clusters(graph: nx.Graph, scorer: scoring.Scorer) -> list[Cluster]:
    """Read the clusters off a support graph, strongest first; ties break by text."""
    near: Near = dict(graph.adjacency())
    found = []
    for members in weigh(graph, scorer):
        read = {node: max(e["weight"] for e in _edges(near, node, "extracts")) for node in members}
        members.sort(key=lambda n: (-read[n], graph.nodes[n]["candidate"].text, n[1]))
        spoken = tuple(graph.nodes[node]["candidate"] for node in members)
        text = spoken[0].text
        if is_demonym(text) and _COUNTRY.search(graph.graph["question"]):
            text = next((c.text for c in spoken if is_country(c.text)), text)
        ballots = _ballots(graph, near, members)
        speaking = {passage for ballot in ballots for passage in ballot.passages}
        found.append(
            Cluster(
                text=text,
                strength=scoring.strength([ballot.weight for ballot in ballots]),
                votes=len(ballots),
                candidates=spoken,
                supporters=tuple(sorted(speaking - {c.passage_id for c in spoken})),
                ballots=ballots,
            )
        )
    return sorted(found, key=lambda cluster: (-round(cluster.strength, 12), cluster.text))


def _ballots(graph: nx.Graph, near: Near, members: Sequence[Node]) -> tuple[Ballot, ...]:
    """Return the votes for an answer, heaviest first.

    A story that is told again weighs the mean of its tellings: of many wordings one is always
    loud, whatever they say. Of the stories that share a vote the heaviest counts.
    """
    spoken: dict[str, tuple[bool, float]] = {}
    """Passage to whether the answer was read there, and the weight of that."""
    for node in members:
        for other, edge in near[node].items():
            if edge["kind"] != "similar":
                told = (edge["kind"] == "extracts", edge["weight"])
                spoken[other[1]] = max(spoken.get(other[1], told), told)
    shared: dict[int, list[str]] = defaultdict(list)
    for passage in sorted(spoken, key=lambda p: (-spoken[p][1], p)):
        number = next(n[1] for n in near["passage", passage] if n[0] == "vote")
        shared[number].append(passage)
    ballots = [
        Ballot(
            passages=tuple(passages),
            weight=_heaviest_story(graph, {passage: spoken[passage][1] for passage in passages}),
            read=any(spoken[passage][0] for passage in passages),
            shared=graph.nodes["vote", number]["reason"] if len(passages) > 1 else None,
            trust=_less_trusted(graph, passages),
        )
        for number, passages in shared.items()
    ]
    return tuple(sorted(ballots, key=lambda ballot: (-ballot.weight, ballot.passages)))


def _heaviest_story(graph: nx.Graph, weights: Mapping[str, float]) -> float:
    tellings: dict[int, list[float]] = defaultdict(list)
    for passage, weight in weights.items():
        tellings[graph.nodes["passage", passage]["story"]].append(weight)
    return max(math.fsum(told) / len(told) for told in tellings.values())


def _less_trusted(graph: nx.Graph, passages: Sequence[str]) -> dict[str, float]:
    nodes = [graph.nodes["passage", passage] for passage in passages]
    return {source_of(n["passage"]): n["trust"] for n in nodes if n["trust"] < 1}


def vote(
    question: str,
    hits: Sequence[Hit],
    candidates: Sequence[Candidate],
    step: int = 1,
    expects: AnswerType = AnswerType.ANY,
    voting: Voting | None = None,
    language: str | None = None,
) -> StepResult:
    """Decide one sub-question.

    Without hits, and without a candidate that weighs anything, the result is a failure that says
    which. A single answer wins, however weak, with a confidence to match; of two that tie the one
    whose text comes first.

    Parameters
    ----------
    step
        The step's number in its plan, for the failure.
    voting
        How votes are weighed, and which sources are trusted less. None takes the defaults.
    language
        Of the explanation. None takes the sub-question's, which may name more in Latin letters than
        the whole question does.
    """
    passages = tuple(hit.passage.id for hit in hits)
    own = language_of(question)
    language = language or own

    def failed(reason: FailureReason) -> StepResult:
        detail = render(reason, language, question=question, count=str(len(hits)))
        failure = Failure(step=step, reason=reason, detail=detail)
        return StepResult(question=question, passages=passages, failure=failure)

    if not hits:
        return failed(FailureReason.NOTHING_RETRIEVED)
    voting = voting or Voting()
    scorer = scoring.scorer(voting.scoring)
    ranked = clusters(support_graph(question, hits, candidates, expects, voting.sources), scorer)
    if not ranked or ranked[0].strength < scorer.weakest:
        return failed(FailureReason.NOTHING_READ)
    ranked = scoring.calibrated(ranked, voting.scoring, own)
    verdict = Verdict(
        answer=ranked[0].text,
        confidence=ranked[0].confidence,
        # Of two that tie but for rounding the one first by its text may be the weaker.
        margin=max(ranked[0].strength - (ranked[1].strength if len(ranked) > 1 else 0.0), 0.0),
        clusters=tuple(ranked[:KEPT]),
        explanation=summary(ranked, language),
    )
    return StepResult(question=question, passages=passages, verdict=verdict)
