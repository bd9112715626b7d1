"""The support vote: many weak passages, one answer.

A networkx graph holds the passages and the candidates read from them. Edges are *extracts* (passage
to candidate: reader score × answerability × retrieval score), *similar* (candidate to candidate)
and *supports* (passage to candidate: it states the answer although something else, or nothing, was
read from it). Candidates joined by *similar* edges form a cluster. Passages that copy each other,
or come from one source, form a group, and a group has one vote, its strongest; a supporter's vote
weighs in proportion to the best extraction of the cluster. A cluster's strength is the noisy-or
over its groups (Pearl, 1988): 1 − ∏(1 − w).
"""

from __future__ import annotations

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Sequence

import networkx as nx

from graph.normalise import SAME, canonical, is_chinese, same_answer, similarity
from graph.planning.comparison import named_choice
from graph.types import AnswerType, Candidate, Cluster, Failure, FailureReason, StepResult, Verdict
from graph.values import dates_in, is_date, parse_country, parse_number
from prompts.loader import render
from retrievers.analysis import HAN, language_of, terms
from retrievers.passage import Hit, Passage

COPY = 0.7
"""Jaccard overlap of word 4-grams from which two passages are copies of each other."""
SUPPORT = 0.25
"""The most that a passage adds by stating an answer that was not read from it."""
WEAKEST = 0.02
"""Strength below which nothing counts as read."""
UNFIT = 0.1
"""How much a candidate counts that is not of the kind that was asked for."""
_SHINGLE = 4
_BORDER = re.compile(rf"(?<=[{HAN}])(?=[^\W{HAN}])|(?<=[^\W{HAN}])(?=[{HAN}])")
_LENGTH = re.compile(r"^how (?:tall|high|deep|wide|far)\b|多[高深宽远]", re.IGNORECASE)
_NAMED = {AnswerType.PERSON, AnswerType.PLACE, AnswerType.ORGANISATION, AnswerType.WORK}


def _shingles(text: str) -> frozenset[tuple[str, ...]]:
    words = terms(text)
    if len(words) <= _SHINGLE:
        return frozenset({tuple(words)})
    return frozenset(tuple(words[i : i + _SHINGLE]) for i in range(len(words) - _SHINGLE + 1))


def independent_groups(passages: Sequence[Passage]) -> dict[str, int]:
    """Map each passage id to its group: one source, one document, or copies of each other."""
    same: nx.Graph[str] = nx.Graph()
    same.add_nodes_from(passage.id for passage in passages)
    first: dict[str, str] = {}
    for passage in passages:
        for key in (f"document:{passage.document}", f"source:{passage.source}"):
            if not key.endswith(":"):
                same.add_edge(passage.id, first.setdefault(key, passage.id))
    shingles = {passage.id: _shingles(passage.text) for passage in passages}
    for a, b in itertools.combinations(shingles, 2):
        shared = len(shingles[a] & shingles[b])
        if shared and shared >= COPY * len(shingles[a] | shingles[b]):
            same.add_edge(a, b)
    return {
        member: number
        for number, members in enumerate(nx.connected_components(same))
        for member in members
    }


def fitness(text: str, question: str, expects: AnswerType) -> float:
    """Return how well a candidate fits what is asked, in [0, 1], whatever the reader thought of it.

    `UNFIT` is a candidate of nothing but small words (“in”); one without a date where a date is
    asked for; one without a capital or a digit, or a date, where a name is; a nationality where a
    person is; one without a unit of length where a height is; another than the two where a choice
    is given ("A or B"); and, where none is, one that only says the question's own words again.
    """
    choice = named_choice(question)
    if choice and not any(same_answer(text, option) for option in choice.options):
        return UNFIT
    said = " ".join(terms(text))
    if not said and text.islower():
        return UNFIT
    asked = f" {' '.join(terms(question))} "
    if f" {said} " in asked and not choice and not re.search(r"\bor\b|还是", question):
        return UNFIT
    if _LENGTH.search(question):
        number = parse_number(text)
        if number is None or number.dimension != "length":
            return UNFIT
    if expects is AnswerType.DATE and not dates_in(text):
        return UNFIT
    if expects is AnswerType.NUMBER and not (parse_number(text) or re.search(r"\d", text)):
        return UNFIT
    if expects in _NAMED and text.isascii() and not re.search(r"[A-Z0-9]", text):
        return UNFIT
    if expects in _NAMED and expects is not AnswerType.WORK and is_date(text):
        return UNFIT
    if expects is AnswerType.PERSON and parse_country(text):
        return UNFIT
    return 1.0


def support_graph(
    question: str,
    hits: Sequence[Hit],
    candidates: Sequence[Candidate],
    expects: AnswerType = AnswerType.ANY,
) -> nx.Graph:
    """Build the support graph of one sub-question.

    Nodes are `("passage", id)` and `("candidate", index)`; edges carry `kind` and `weight` in
    [0, 1]. The order of `hits` and `candidates` does not change the graph but for the indices.
    """
    graph: nx.Graph = nx.Graph(question=question)
    best = max((hit.score for hit in hits), default=0.0)
    relevance = {hit.passage.id: hit.score / best if best > 0 else 1.0 for hit in hits}
    for hit in hits:
        graph.add_node(("passage", hit.passage.id))
    for index, candidate in enumerate(candidates):
        weight = candidate.score * (1 - candidate.no_answer) * relevance[candidate.passage_id]
        weight *= fitness(candidate.text, question, expects)
        graph.add_node(("candidate", index), candidate=candidate)
        graph.add_edge(
            ("passage", candidate.passage_id), ("candidate", index), kind="extracts", weight=weight
        )
    for (i, a), (j, b) in itertools.combinations(enumerate(candidates), 2):
        likeness = similarity(a.text, b.text)
        if likeness >= SAME:
            graph.add_edge(("candidate", i), ("candidate", j), kind="similar", weight=likeness)
    asked = set(terms(question))
    stated = {
        hit.passage.id: f" {_spaced(f'{hit.passage.title} {hit.passage.text}')} " for hit in hits
    }
    fit = {
        hit.passage.id: len(asked & set(terms(f"{hit.passage.title} {hit.passage.text}")))
        / max(len(asked), 1)
        for hit in hits
    }
    for index, candidate in enumerate(candidates):
        form = _spaced(candidate.text)
        form = form if is_chinese(form) else f" {form} "
        for hit in hits:
            key = ("passage", hit.passage.id)
            if graph.has_edge(key, ("candidate", index)) or form not in stated[hit.passage.id]:
                continue
            weight = SUPPORT * fit[hit.passage.id] * relevance[hit.passage.id]
            graph.add_edge(key, ("candidate", index), kind="supports", weight=weight)
    return graph


def _spaced(text: str) -> str:
    """Return the canonical form with spaces around what is not Chinese: 由 beyond 演唱."""
    return _BORDER.sub(" ", canonical(text))


def clusters(graph: nx.Graph, groups: dict[str, int]) -> list[Cluster]:
    """Read the clusters off a support graph, strongest first; ties break by text.

    Adding an independent supporter never lowers a cluster; adding a copy never raises it.
    """
    alike = graph.edge_subgraph(
        (a, b) for a, b, kind in graph.edges(data="kind") if kind == "similar"
    )
    nodes = [node for node in graph if node[0] == "candidate"]
    components = [set(part) for part in nx.connected_components(alike)]
    components += [{node} for node in nodes if node not in alike]
    found = []
    for members in components:
        edges = [
            (node, neighbour[1], edge)
            for node in members
            for neighbour, edge in graph[node].items()
            if edge["kind"] != "similar"
        ]
        weights = {node: edge["weight"] for node, _, edge in edges if edge["kind"] == "extracts"}
        read = max(weights.values())
        supporters = {passage for _, passage, edge in edges if edge["kind"] == "supports"}
        votes: dict[int, float] = defaultdict(float)
        for _, passage, edge in edges:
            # A passage that mentions what nobody took for an answer confirms nothing: "film" stands
            # in all passages on a film.
            weight = edge["weight"] * (1 if edge["kind"] == "extracts" else read)
            votes[groups[passage]] = max(votes[groups[passage]], weight)
        ordered = [
            graph.nodes[node]["candidate"]
            for node in sorted(
                members, key=lambda n: (-weights[n], graph.nodes[n]["candidate"].text, n[1])
            )
        ]
        found.append(
            Cluster(
                text=ordered[0].text,
                strength=min(1.0, 1 - math.prod(1 - weight for weight in votes.values())),
                votes=len(votes),
                candidates=tuple(ordered),
                supporters=tuple(sorted(supporters - {c.passage_id for c in ordered})),
            )
        )
    return sorted(found, key=lambda cluster: (-cluster.strength, cluster.text))


def vote(
    question: str,
    hits: Sequence[Hit],
    candidates: Sequence[Candidate],
    step: int = 1,
    expects: AnswerType = AnswerType.ANY,
) -> StepResult:
    """Decide one sub-question.

    Confidence is strength × strength / (strength + runner-up's strength): high where the answer is
    well carried and nothing else is. It is not calibrated.
    """
    passages = tuple(hit.passage.id for hit in hits)

    def failed(reason: FailureReason) -> StepResult:
        values = {"question": question, "count": str(len(hits))}
        detail = render(reason, language_of(question), **values)
        failure = Failure(step=step, reason=reason, detail=detail)
        return StepResult(question=question, passages=passages, failure=failure)

    if not hits:
        return failed(FailureReason.NOTHING_RETRIEVED)
    ranked = clusters(
        support_graph(question, hits, candidates, expects),
        independent_groups([h.passage for h in hits]),
    )
    if not ranked or ranked[0].strength < WEAKEST:
        return failed(FailureReason.NOTHING_READ)
    top = ranked[0].strength
    second = ranked[1].strength if len(ranked) > 1 else 0.0
    verdict = Verdict(
        answer=ranked[0].text,
        confidence=top * top / (top + second),
        margin=top - second,
        clusters=tuple(ranked[:5]),
        explanation=(
            f"“{ranked[0].text}” has {ranked[0].votes} independent "
            f"vote{'s' if ranked[0].votes > 1 else ''} (strength {top:.2f})"
            + (f"; next “{ranked[1].text}” ({second:.2f})" if len(ranked) > 1 else "")
        ),
    )
    return StepResult(question=question, passages=passages, verdict=verdict)
