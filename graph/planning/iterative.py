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
from itertools import islice
from typing import Any

from graph.normalise import canonical
from graph.planning.clauses import text_of
from graph.planning.comparison import named_choice
from graph.planning.language import asks_here, expected_type, parser
from graph.planning.masking import Masked
from graph.planning.nested import EMPTY_HEADS, is_inner, phrase_of
from graph.planning.substitute import unreferenced
from graph.planning.wellformed import flaw_of_its_own
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
    found: dict[str, int] = {}
    for token in doc:
        name = masked.unmask(token.text)
        # "the Danish ecologist": a nationality ties everything to everything.
        named = masked.is_title(token.text) and not parse_country(name)
        head = _description(token, masked) if named else None
        inside = phrase_of(head) if head is not None else []
        if token not in inside:
            continue
        before = masked.unmask(doc[: inside[0].i].text_with_ws)
        after = masked.unmask(doc[inside[-1].i + 1 :].text)
        space = inside[-1].whitespace_
        for title, shared in linked(name, masked.unmask(text_of(inside)), question, passages):
            # A title may hold a word that stands for a name of the question: it is never unmasked.
            asked = f"{before}{unreferenced(title)}{space}{after}"
            found[asked] = max(shared, found.get(asked, 0))
    ranked = sorted(found, key=lambda asked: -found[asked])
    best = islice((asked for asked in ranked if not flaw_of_its_own(asked, question)), MOST)
    expects = expected_type(question)
    return [
        Plan(steps=(SubQuestion(text=asked, expects=expects),), planner="iterative", score=SCORE)
        for asked in best
    ]


def _description(name: Any, masked: Masked) -> Any:
    """Return the head of the largest phrase around a name, but for the thing that is asked for."""
    found = None
    for ancestor in name.ancestors:
        if any(asks_here(token) for token in ancestor.subtree):
            break
        describes = ancestor.pos_ in {"NOUN", "PROPN"} and not masked.is_title(ancestor.text)
        if describes and is_inner(ancestor) and ancestor.lemma_.lower() not in EMPTY_HEADS:
            found = ancestor
    return found


def linked(
    name: str, description: str, question: str, passages: Sequence[Passage]
) -> list[tuple[str, int]]:
    """Return titles that the question does not hold, of passages that may be on what it describes.

    Such a passage mentions the name of the question, or is mentioned by a passage on that name, and
    shares words of the description: their number is returned with its title, the largest first.
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
    return sorted(found.items(), key=lambda pair: -pair[1])


def _padded(text: str) -> str:
    return f" {canonical(text)} "
