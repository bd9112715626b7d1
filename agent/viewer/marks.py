"""Spans of a text that are highlighted: cut the text where what is marked changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from agent.viewer.views import Mark

_STRENGTH = {"query": 1, "candidate": 2, "answer": 3}
CONTEXT = 240
"""Characters of a long passage that a cited span is shown with on each side."""


class Segment(NamedTuple):
    """A piece of a text, and what it is marked as; None where it is not."""

    text: str
    mark: Mark | None


def segments(text: str, marks: Iterable[Mark]) -> list[Segment]:
    """Cut `text` into pieces that together are the text again, each with its strongest mark.

    Of marks that overlap an answer comes before a candidate and a candidate before a word of the
    query, then the heavier one. What a mark says of characters that the text lacks is left out.
    """
    size = len(text)
    placed = [
        (max(0, mark.start), min(size, mark.end), mark)
        for mark in marks
        if max(0, mark.start) < min(size, mark.end)
    ]
    borders = sorted({0, size, *(a for a, _, _ in placed), *(b for _, b, _ in placed)})
    pieces: list[Segment] = []
    for start, end in pairwise(borders):
        here = [mark for a, b, mark in placed if a <= start and end <= b]
        strongest = max(here, key=lambda m: (_STRENGTH[m.kind], m.score or 0.0), default=None)
        if pieces and pieces[-1].mark is strongest:
            pieces[-1] = Segment(pieces[-1].text + text[start:end], strongest)
        else:
            pieces.append(Segment(text[start:end], strongest))
    return pieces


def excerpt(text: str, start: int, end: int) -> Sequence[Segment]:
    """Return the span with what stands around it, cut to `CONTEXT` characters on each side."""
    first, last = max(0, start - CONTEXT), min(len(text), end + CONTEXT)
    before = ("…" if first else "") + text[first:start]
    after = text[end:last] + ("…" if last < len(text) else "")
    mark = Mark(start=start, end=end, kind="answer")
    return [Segment(before, None), Segment(text[start:end], mark), Segment(after, None)]
