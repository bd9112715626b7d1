"""Plans in QDMR (Break: Wolfson et al., 2020): their kind, and where they stand in a question.

A QDMR step speaks in the question's own words ("return the band that released X; return where was
#1 formed"), so the part of the question that a step asks for is found by the words they share.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from graph.planning.learned import Prepared, applied, prepared
from graph.planning.splits import Split
from retrievers.analysis import stem

ENOUGH = 0.7
"""Least F1 of the shared words for which a part of a question counts as a step."""
NEAR = 0.1
"""Splits this close to the best one are right too: QDMR does not tell them apart."""
_EMPTY = frozenset(
    "the a an of in on at to for from with by and or is are was were be been do does did has have "
    "had that which who whom whose what when where how as it its his her their return if there "
    "this these those also s".split()
)


def kind_of(operators: str | Sequence[str]) -> str:
    """Return what kind of plan a row's operators make.

    One of single, bridge, count (a bridge that ends in a number of things), filter (one thing under
    several conditions), choice (which of two), agreement (yes or no of two), common (what two
    share) and other.
    """
    steps = ast.literal_eval(operators) if isinstance(operators, str) else list(operators)
    first, last = steps[0], steps[-1]
    if len(steps) == 1:
        return "single"
    if last == "comparison":
        return "choice"
    if first == "boolean" or last == "boolean":
        return "agreement"
    if last == "intersection" or steps == ["select", "select", "None"]:
        return "common"
    if steps[0] == "select" and set(steps[1:]) == {"project"}:
        return "bridge"
    if last == "aggregate" and set(steps[1:-1]) == {"project"} and len(steps) > 2:
        return "count"
    if steps[0] == "select" and set(steps[1:]) == {"filter"}:
        return "filter"
    return "other"


def content(text: str) -> Counter[str]:
    """Return the stems of the words that carry meaning, with how often each stands there."""
    words = re.findall(r"#\d+|\w+", text.lower())
    return Counter(w if w[0] == "#" else stem(w) for w in words if w not in _EMPTY)


def overlap(a: Counter[str], b: Counter[str]) -> float:
    """Return the F1 of two bags of words, between 0 and 1."""
    shared = (a & b).total()
    return 2 * shared / (a.total() + b.total()) if shared else 0.0


def steps_of(row: Mapping[str, Any]) -> list[str]:
    """Return the steps as phrases, one a lookup: "number of #1" belongs to the step before it."""
    steps = [re.sub(r"^return\s+", "", " ".join(step.split())) for step in row["steps"]]
    kept: list[str] = []
    for step in steps:
        if kept and re.fullmatch(rf"(?:the )?(?:number|name) of #{len(kept)}", step):
            continue
        kept.append(step)
    return kept


def is_chain(steps: Sequence[str]) -> bool:
    """Tell whether each step but the first refers to the one before it, and to no other."""
    found = [re.findall(r"#(\d+)", step) for step in steps]
    return found[0] == [] and all(set(f) == {str(n)} for n, f in enumerate(found[1:], 1))


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
        return (1.0 if told else -1.0) + 0.5 * whole_left + 0.5 * noun
    quotes = sum(doc[n].text in '"“”()' for n in span) % 2
    return whole_left + noun - 0.5 * min(loose, 2) - 0.3 * cut - 0.5 * quotes
