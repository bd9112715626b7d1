"""How far a source is trusted, learned from how often it agrees with winning verdicts.

A verdict teaches something about a source only where its winner wins on the strength of the others:
what the source says, and what shares a vote with it, is left out first, so that no source confirms
itself. Where it speaks for the winner too it has agreed, else disagreed, by the weight of its vote
and by how probable the others made the winner.

The share of agreement is the mean of a Beta distribution. Its prior is the share of all other
sources: where passages seldom confirm each other, to be seldom confirmed is no fault. A source is
trusted fully up to that share, and less below it. What a person says of a source stands.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from graph.support import scoring
from graph.types import Cluster, StepResult

Count = Annotated[float, Field(ge=0, allow_inf_nan=False)]
AGREED, DISAGREED = 1.6, 0.4
"""What the prior of all sources begins with, as if seen."""
PRIOR = 5.0
"""How many observations the prior weighs."""
LEAST = 0.1
"""The least that a source is trusted by what was learned, so that it can be seen to mend."""
TAUGHT = 0.5
"""Probability of the winner by the others' votes from which a verdict teaches."""
REMEMBERED = 100.0
"""Observations of a source that count; what was seen before them fades."""
UNNAMED = ""
"""The passages that name no source. Each is taken for a source of its own: they are never trusted
less, but tell how much agreement is usual."""


class Record(BaseModel):
    """What was seen of one source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seen: int = Field(default=0, ge=0)
    """Verdicts that it had a say in and that others decided."""
    agreed: Count = 0.0
    """Of those it agreed with the winner in so many, each counted by how much it says."""
    disagreed: Count = 0.0

    def and_then(self, other: Self) -> Record:
        """Return both together; beyond `REMEMBERED` observations the older ones fade."""
        agreed, disagreed = self.agreed, self.disagreed
        more = other.agreed + other.disagreed
        if (much := agreed + disagreed) + more > REMEMBERED and much > 0:
            kept = max(REMEMBERED - more, 0.0) / much
            agreed, disagreed = agreed * kept, disagreed * kept
        return Record(
            seen=self.seen + other.seen,
            agreed=agreed + other.agreed,
            disagreed=disagreed + other.disagreed,
        )

    def share(self, prior: float) -> float:
        """Return the expected share of agreement, where `prior` is expected beforehand."""
        return (PRIOR * prior + self.agreed) / (PRIOR + self.agreed + self.disagreed)


Records = Mapping[str, Record]
"""By source; see `independence.source_of`."""


def lessons(result: StepResult, sources: Mapping[str, str]) -> dict[str, Record]:
    """Return what one verdict teaches about each source.

    Parameters
    ----------
    result
        What a vote decided. A failure, and a step that was computed, teach nothing.
    sources
        Passage id to the name of its source, `UNNAMED` where it has none.
    """
    clusters = result.verdict.clusters if result.verdict is not None else ()
    said: dict[str, list[tuple[float, int]]] = defaultdict(list)
    """Who says what: a source, or a passage without one, to the weights of its votes."""
    for number, cluster in enumerate(clusters):
        for ballot in cluster.ballots:
            for passage in ballot.passages:
                source = sources.get(passage, UNNAMED)
                weight = ballot.weight / max(ballot.trust.get(source, 1.0), LEAST)
                said[source or f"{UNNAMED}\0{passage}"].append((min(weight, 1.0), number))
    found: dict[str, Record] = {}
    for speaker, votes in said.items():
        named = not speaker.startswith("\0")
        mine = {p for p, s in sources.items() if s == speaker} if named else {speaker[1:]}
        sure = _without(clusters, mine)
        if sure < TAUGHT:
            continue
        # Who states the winner agrees with it, whatever else was read there.
        agreeing = [weight for weight, number in votes if number == 0]
        much = sure * max(agreeing or [weight for weight, _ in votes])
        lesson = Record(seen=1, **{"agreed" if agreeing else "disagreed": much})
        source = speaker if named else UNNAMED
        found[source] = found.get(source, Record()).and_then(lesson)
    return found


def _without(clusters: Iterable[Cluster], passages: set[str]) -> float:
    """Return the probability of the first answer without the votes that these passages share in.

    0 where another answer is then as strong.
    """
    strengths = [
        scoring.strength([b.weight for b in c.ballots if passages.isdisjoint(b.passages)])
        for c in clusters
    ]
    if any(strength >= strengths[0] for strength in strengths[1:]):
        return 0.0
    return scoring.probabilities(strengths)[0]


def together(records: Records, further: Iterable[Records]) -> dict[str, Record]:
    """Return the records with what was seen since."""
    found = dict(records)
    for seen in further:
        for source, lesson in seen.items():
            found[source] = found.get(source, Record()).and_then(lesson)
    return found


def trust(records: Records, given: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return how far each source is trusted, in [0, 1]; what a person has `given` stands.

    What was learned is at least `LEAST`, and 1 for a source of which nothing is known.
    """
    agreed = math.fsum(record.agreed for record in records.values())
    disagreed = math.fsum(record.disagreed for record in records.values())
    found = {}
    for source, record in records.items():
        if source == UNNAMED:
            continue
        good = AGREED + max(agreed - record.agreed, 0.0)
        prior = good / (good + DISAGREED + max(disagreed - record.disagreed, 0.0))
        found[source] = min(max(record.share(prior) / prior, LEAST), 1.0)
    return found | dict(given or {})
