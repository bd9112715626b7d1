"""Plans in QDMR (Break: Wolfson et al., 2020): their kind, their steps, and the words they share.

A QDMR step speaks in the question's own words: "return the band that released X; return where was
#1 formed".
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from retrievers.analysis import stem

_EMPTY = frozenset(
    "the a an of in on at to for from with by and or is are was were be been do does did has have "
    "had that which who whom whose what when where how as it its his her their return if there "
    "this these those also s".split()
)


def operators_of(operators: str | Sequence[str]) -> list[str]:
    """Return a row's operators, which the file holds as the text of a list."""
    return list(ast.literal_eval(operators)) if isinstance(operators, str) else list(operators)


def kind_of(operators: str | Sequence[str]) -> str:
    """Return what kind of plan a row's operators make.

    One of single, bridge, count (a bridge that ends in a number of things), filter (one thing under
    several conditions), choice (which of two), agreement (yes or no of two), common (what two
    share) and other.
    """
    steps = operators_of(operators)
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


def merged(steps: Sequence[str]) -> list[str]:
    """Return the steps with each one that only narrows the one before it joined to it.

    "the film", "#1 that won a prize", "the director of #2" becomes "the film that won a prize",
    "the director of #1".
    """
    kept: list[str] = []
    number: dict[int, int] = {}
    for place, step in enumerate(steps, 1):
        text = re.sub(r"#(\d+)", lambda m: f"#{number.get(int(m[1]), int(m[1]))}", step)
        if kept and (narrowed := re.match(rf"#{len(kept)} (?=\w)", text)):
            kept[-1] += f" {text[narrowed.end() :]}"
        else:
            kept.append(text)
        number[place] = len(kept)
    return kept


def is_chain(steps: Sequence[str]) -> bool:
    """Tell whether each step but the first refers to the one before it, and to no other."""
    found = [re.findall(r"#(\d+)", step) for step in steps]
    return found[0] == [] and all(set(f) == {str(n)} for n, f in enumerate(found[1:], 1))
