"""Questions for what two things have in common: ask each, then intersect."""

from __future__ import annotations

import re

from graph.planning.comparison import option_of
from graph.planning.language import lookup
from graph.planning.masking import Masked
from graph.types import Operator, SubQuestion

_NAME = r"(?:the )?[A-Z]\w+"
_PAIR = rf"(?:both )?(?P<a>{_NAME}),? and (?P<b>{_NAME})"
_WHAT = r"(?P<what>[a-z][\w -]*?)"
_BE = "(?:is|are|was|were)"
_FORMS = (
    rf"What (?:{_WHAT} )?(?:do|does|did) {_PAIR}(?: both)? (?:have|share)(?: in common)?\?$",
    rf"What (?:{_WHAT} )?{_BE} (?:shared|held in common) by {_PAIR}\?$",
    rf"What (?:{_WHAT} )?{_BE} {_PAIR}(?: both)?(?: (?:known|examples) (?:for|of|as))?\?$",
    rf"{_PAIR} {_BE}(?: both)?(?: part of| members of| known as)? what(?: {_WHAT})?\?$",
    rf"{_PAIR} (?:both )?(?:have|share|shared) what(?: {_WHAT})?(?: in common)?\?$",
    rf"What {_BE} the (?:shared|common) {_WHAT} (?:of|between) {_PAIR}\?$",
)


def decompose_common(question: str) -> list[SubQuestion] | None:
    """Return a lookup for each of the two things and an intersection; None without such a pair."""
    masked = Masked(question)
    text = re.sub(r"\bWhich\b", "What", masked.text)
    match = next((m for m in (re.match(form, text) for form in _FORMS) if m), None)
    if match is None:
        return None
    what = re.sub(r"\b(?:shared|common|same)\b", "", match["what"] or "").strip()
    steps = []
    for side in (match["a"], match["b"]):
        thing = option_of(side, masked)
        asked = f"What is the {what} of {thing}?" if what else f"What is {thing}?"
        steps.append(lookup(asked))
    return [
        *steps,
        SubQuestion(
            text=masked.unmask(masked.text),
            kind="operator",
            operator=Operator.INTERSECTION,
            arguments=(1, 2),
            expects=steps[0].expects,
        ),
    ]
