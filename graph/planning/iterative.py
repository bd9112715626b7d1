"""The iterative planner: what was read tells what to ask next.

Where a question that could not be split was asked as a whole and found no sure answer, the passages
that it brought may still name the thing that it only describes: a passage on that thing mentions a
name of the question, or one on the name mentions the thing. The description is replaced by each
such title, and what is then still missing is asked (after Qi et al., 2019, "Answering Complex
Open-domain Questions Through Iterative Query Generation").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from graph.normalise import canonical
from graph.planning.clauses import text_of
from graph.planning.comparison import named_choice
from graph.planning.language import asks_here, expected_type, parser
from graph.planning.masking import Masked
from graph.planning.nested import phrase_of, spliced
from graph.planning.substitute import unreferenced
from graph.types import Plan, SubQuestion
from graph.values import parse_country
from retrievers.analysis import language_of, terms
from retrievers.passage import Passage

SCORE = 0.3
MOST = 2
"""Plans for one question: each costs a search and a reading."""


def plans_from(question: str, passages: Sequence[Passage]) -> list[Plan]:
    """Return plans that ask about what the passages name instead of what the question describes.

    `passages` are those that the question brought, best first. English only.
    """
    if language_of(question) != "en" or named_choice(question):
        return []
    masked = Masked(question)
    doc = parser()(masked.text)
    found: dict[str, Plan] = {}
    for token in doc:
        name = masked.unmask(token.text)
        # "the Danish ecologist": a nationality ties everything to everything.
        named = masked.is_title(token.text) and not parse_country(name)
        head = _description(token, masked) if named else None
        inside = phrase_of(head) if head is not None else []
        if token not in inside:
            continue
        span = (inside[0].i, inside[-1].i + 1)
        for title in linked(name, masked.unmask(text_of(inside)), question, passages)[:MOST]:
            asked = masked.unmask(spliced(doc, span, unreferenced(title)))
            step = SubQuestion(text=asked, expects=expected_type(question))
            found.setdefault(asked, Plan(steps=(step,), planner="iterative", score=SCORE))
    return list(found.values())[:MOST]


def _description(name: Any, masked: Masked) -> Any:
    """Return the head of the largest phrase around a name that does not hold the question word."""
    found = None
    for ancestor in name.ancestors:
        if any(asks_here(token) for token in ancestor.subtree):
            break
        if ancestor.pos_ in {"NOUN", "PROPN"} and not masked.is_title(ancestor.text):
            found = ancestor
    return found


def linked(name: str, description: str, question: str, passages: Sequence[Passage]) -> list[str]:
    """Return titles that the question does not hold, of passages that may be on what it describes.

    Such a passage mentions the name of the question, or is mentioned by a passage on that name, and
    shares a word of the description; the one that shares most comes first.
    """
    asked, wanted = _padded(question), _padded(name)
    words = set(terms(description)) - set(terms(name))
    bare = {passage.id: re.sub(r"\s*\([^()]*\)$", "", passage.title) for passage in passages}
    about = [p for p in passages if wanted in _padded(p.title) or _padded(bare[p.id]) in wanted]
    found: dict[str, int] = {}
    for passage in passages:
        title = _padded(bare[passage.id])
        shared = len(words & set(terms(passage.text)))
        if not title.strip() or title in asked or wanted in title or not shared:
            continue
        if title.startswith(" list of "):
            continue
        mentions = wanted in _padded(passage.text)
        if mentions or any(title in _padded(other.text) for other in about if other != passage):
            found.setdefault(bare[passage.id], shared)
    return sorted(found, key=lambda title: -found[title])


def _padded(text: str) -> str:
    return f" {canonical(text)} "
