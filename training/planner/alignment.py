"""Where the steps of a QDMR plan stand in its question, found by the words that they share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from graph.planning.learned import Prepared, applied, prepared
from graph.planning.splits import Split
from training.planner.qdmr import content, overlap

ENOUGH = 0.7
"""Least F1 of the shared words for which a part of a question counts as a step."""
NEAR = 0.1
"""Splits this close to the best one are right too: QDMR does not tell them apart."""


class Found(NamedTuple):
    """A question as it stands at one step, with the splits that yield that step."""

    text: str
    right: tuple[Split, ...]
    """The likeliest first; none for the last step, where nothing is left to split."""


def splits_of(question: str, steps: Sequence[str]) -> list[Found] | None:
    """Return the decisions that take a question apart into the steps of a chain.

    None where the steps cannot be found in the question.
    """
    found: list[Found] = []
    text = question
    for number, step in enumerate(steps[:-1], 1):
        rest = content(" ".join(re.sub(r"#\d+", "", s) for s in steps[number:]))
        ready = prepared(text)
        right = _right(ready, content(step), rest)
        if not right:
            return None
        found.append(Found(text, tuple(right)))
        text = applied(ready, right[0], number)[1]
    return [*found, Found(text, ())]


def _right(question: Prepared, asked: Counter[str], rest: Counter[str]) -> list[Split]:
    ranked: list[tuple[float, float, Split]] = []
    for split in question.splits:
        before, phrase, after = question.parts(split)
        inside = f"{before} {phrase}" if split.kind == "in_situ" else phrase
        outside = after if split.kind == "in_situ" else f"{before} {after}"
        a = overlap(content(inside), asked)
        b = overlap(content(re.sub(r"#\d+", "", outside)), rest)
        if a >= ENOUGH and b >= ENOUGH - 0.2:
            ranked.append((a + b, _shape(question, split), split))
    if not ranked:
        return []
    most = max(score for score, _, _ in ranked)
    near = [row for row in ranked if row[0] >= most - NEAR]
    natural = max(shape for _, shape, _ in near)
    return [s for _, shape, s in sorted(near, key=lambda r: -r[1]) if shape >= natural - 0.5]


def _shape(question: Prepared, split: Split) -> float:
    """Tell natural phrases from others with the same words of meaning."""
    doc = question.doc
    span = range(split.first, split.last + 1)
    head = doc[split.head]
    loose = sum(doc[n].head.i not in span for n in span if n != split.head)
    cut = sum(c.dep_ in {"relcl", "acl", "appos"} for c in head.rights if c.i not in span)
    whole_left = split.first == min([head.i, *(c.left_edge.i for c in head.lefts)])
    noun = head.pos_ in {"NOUN", "PROPN"}
    if split.kind == "in_situ":
        told = any(t.pos_ in {"VERB", "AUX"} for t in doc[: split.first])
        return float((1.0 if told else -1.0) + 0.5 * whole_left + 0.5 * noun)
    quotes = sum(doc[n].text in '"“”()' for n in span) % 2
    # "X stars in a film | directed by whom?": what holds the main verb tells.
    clauses = sum(doc[n].dep_ == "ROOT" for n in span if n != split.head)
    return float(whole_left + noun - 0.5 * min(loose, 2) - 0.3 * cut - 0.5 * quotes - clauses)
