"""Why a step was decided so, in words of the question's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graph.types import Ballot, Cluster, StepResult
from prompts.loader import render
from retrievers.analysis import language_of
from retrievers.passage import Passage

_NAMED = 4
"""Passages of a vote that are named; the rest are counted."""
_OTHERS = 3


def summary(clusters: Sequence[Cluster], language: str) -> str:
    """Return the verdict in one line: the winner's votes, and what came next."""
    first = clusters[0]
    told = render(
        "verdict_one" if first.votes == 1 else "verdict_many",
        language,
        answer=first.text,
        votes=str(first.votes),
        confidence=f"{first.confidence:.2f}",
    )
    if len(clusters) > 1:
        told += render(
            "verdict_next",
            language,
            answer=clusters[1].text,
            confidence=f"{clusters[1].confidence:.2f}",
        )
    return told


def explain(
    result: StepResult,
    passages: Mapping[str, Passage] | None = None,
    language: str | None = None,
) -> str:
    """Return the reasons of a step's verdict, or of its failure, one a line.

    Passages are named by their titles where `passages` holds them, by their ids elsewhere. Without
    a `language` it is that of the sub-question.
    """
    if result.verdict is None:
        return result.failure.detail if result.failure else ""
    if not result.verdict.clusters:  # computed by an operator
        return result.verdict.explanation
    language = language or language_of(result.question)
    clusters = result.verdict.clusters
    lines = [summary(clusters[:1], language)]
    lines += [_vote(ballot, passages or {}, language) for ballot in clusters[0].ballots]
    lines += [
        render(
            "explain_other",
            language,
            answer=cluster.text,
            votes=str(cluster.votes),
            confidence=f"{cluster.confidence:.2f}",
        )
        for cluster in clusters[1 : 1 + _OTHERS]
    ]
    return "\n".join(lines)


def _vote(ballot: Ballot, passages: Mapping[str, Passage], language: str) -> str:
    names = [_name(passage, passages, language) for passage in ballot.passages[:_NAMED]]
    joined = ("、" if language == "zh" else ", ").join(names)
    if len(ballot.passages) > _NAMED:
        more = str(len(ballot.passages) - _NAMED)
        joined = render("explain_more", language, names=joined, count=more)
    told = render(
        "explain_read" if ballot.read else "explain_stated",
        language,
        passages=joined,
        weight=f"{ballot.weight:.2f}",
    )
    if ballot.shared and len(ballot.passages) > 1:
        told += render(
            "explain_shared", language, reason=render(f"shared_{ballot.shared}", language)
        )
    for source, trust in sorted(ballot.trust.items()):
        told += render("explain_trust", language, source=source, trust=f"{trust:.2f}")
    return told


def _name(key: str, passages: Mapping[str, Passage], language: str) -> str:
    passage = passages.get(key)
    title = passage.title if passage is not None and passage.title else key
    return f"《{title}》" if language == "zh" else f"“{title}”"
