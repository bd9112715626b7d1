"""INTERSECTION: what answers have in common."""

from __future__ import annotations

import re
from functools import reduce

from graph.normalise import canonical, is_chinese, same_answer
from graph.operators.items import items_of
from graph.operators.result import OperatorResult, Step, failed
from graph.types import FailureReason
from retrievers.analysis import stem

_POST = re.compile(
    r"\s+(?:of|in|on|at|for|from|by|with|to|who|that|which|where|whose|based|located|known)\s.*$",
    re.IGNORECASE,
)
_NO_HEAD = frozenset({"the", "a", "an", "and", "or", "of", "s"})


def intersection(step: Step) -> OperatorResult:
    """Give the list items that all answers share, or else the head phrase that all end in."""
    lists = [items_of(answer) for answer in step.answers]
    shared = reduce(_in_both, lists)
    shared = shared or reduce(_common_heads, lists)
    if not shared:
        listed = "; ".join(f"“{answer}”" for answer in step.answers)
        return failed(
            FailureReason.INCOMPARABLE,
            step.say(f"{listed} have nothing in common", f"{listed}没有共同之处"),
        )
    joined = step.say(" and ", "和").join(
        [part for part in (step.say(", ", "、").join(shared[:-1]), shared[-1]) if part]
    )
    return OperatorResult(
        answer=joined, explanation=step.say(f"all have {joined} in common", f"共同之处是{joined}")
    )


def _in_both(a: list[str], b: list[str]) -> list[str]:
    return [item for item in a if any(same_answer(item, other) for other in b)]


def _common_heads(a: list[str], b: list[str]) -> list[str]:
    """Return the longest head phrase shared by an item of each, or none.

    The head of a noun phrase stands last, before any “of …” or “who …”: “Canadian film director”.
    """
    heads = [head for item in a for other in b if (head := _common_head(item, other))]
    return [max(heads, key=len)] if heads else []


def _common_head(a: str, b: str) -> str:
    if is_chinese(a + b):
        form_a, form_b = canonical(a), canonical(b)
        size = 0
        while size < min(len(form_a), len(form_b)) and form_a[-1 - size] == form_b[-1 - size]:
            size += 1
        return form_a[len(form_a) - size :] if size >= 2 else ""
    words, others = _POST.sub("", a).split(), _POST.sub("", b).split()
    shared: list[str] = []
    for word, other in zip(reversed(words), reversed(others), strict=False):
        if stem(canonical(word)) != stem(canonical(other)):
            break
        shared.insert(0, word)
    while shared and shared[0].lower() in _NO_HEAD:
        shared = shared[1:]
    return " ".join(shared)
