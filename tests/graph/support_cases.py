"""Passages and readings from which the tests of the support graph build their cases."""

from __future__ import annotations

from graph.types import Candidate
from retrievers.passage import Hit, Passage

QUESTION = "Who directed the film Ikarie XB-1?"
# Sentences with next to nothing in common, so that none is taken for a copy of another.
FRAMES = [
    "The picture was directed by {} and shot in Prague during one wet spring.",
    "Critics praised {} for a cold, elegant vision of deep space travel.",
    "{} had studied at the academy before turning to science fiction cinema.",
    "An archive lists {} as the sole director; the score is by Zdeněk Liška.",
    "In an interview {} recalled how Ikarie XB-1 was made on a small budget.",
    "Festival programmes from Trieste name {} next to the golden asteroid prize.",
]


def hit(number: int, text: str, *, score: float = 1.0, source: str = "", title: str = "") -> Hit:
    title = title or f"Title {number}"
    passage = Passage(id=f"p{number}", title=title, text=text, source=source)
    return Hit(passage=passage, score=score)


def candidate(found: Hit, text: str, *, score: float = 0.6, no_answer: float = 0.2) -> Candidate:
    start = found.passage.text.index(text)
    return Candidate(
        passage_id=found.passage.id,
        text=text,
        start=start,
        end=start + len(text),
        score=score,
        no_answer=no_answer,
    )


def case(answers: list[tuple[str, float]]) -> tuple[list[Hit], list[Candidate]]:
    """Return a passage for each answer, which the reader found there with that score."""
    hits = [hit(i, FRAMES[i].format(text)) for i, (text, _) in enumerate(answers)]
    read = [candidate(h, text, score=score) for h, (text, score) in zip(hits, answers, strict=True)]
    return hits, read
