"""The learned planner: which split of a question is likeliest, and the plan that follows."""

from __future__ import annotations

import functools
import math
import re
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from graph.planning.clauses import text_of
from graph.planning.insitu import fronted
from graph.planning.language import asks_here, lookup, parser
from graph.planning.masking import Masked
from graph.planning.nested import DEGENERATE, asked_of_phrase, closes_clause, innermost, plain
from graph.planning.splits import Split, candidates, signs_of_split, signs_of_whole
from graph.types import SubQuestion

WEIGHTS = Path(__file__).with_name("splits.json")


class SplitWeights(BaseModel):
    """The file of weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: str
    """How the weights were made, for people."""
    calibration: tuple[float, float] = (0.0, 1.0)
    """Intercept and slope that make of the log odds of a split those that its plan is right."""
    signs: dict[str, float]


@functools.cache
def load_weights() -> SplitWeights:
    """Read and check the weights that ship."""
    return SplitWeights.model_validate_json(WEIGHTS.read_text(encoding="utf-8"))


def trusted(chance: float) -> float:
    """Return the probability that a split of this likelihood is the one to make.

    The softmax is too shy: it spreads over splits that differ by a word, and its training rows hold
    many questions of one hop (see `training/planner/MODEL.md`).
    """
    intercept, slope = load_weights().calibration
    chance = min(max(chance, 1e-6), 1 - 1e-6)
    odds = intercept + slope * math.log(chance / (1 - chance))
    return 1 / (1 + math.exp(-odds))


class Prepared(NamedTuple):
    """A question, parsed, with its splits and what can be seen of each."""

    masked: Masked
    doc: Any
    splits: list[Split]
    signs: list[list[str]]
    """Of leaving it whole, then of each split."""

    def parts(self, split: Split) -> tuple[str, str, str]:
        """Return the text before the description, the description, and the text after it."""
        first, behind = split.first, split.last + 1
        texts = (
            self.doc[:first].text_with_ws if first else "",
            self.doc[first:behind].text_with_ws,
            self.doc[behind:].text,
        )
        before, phrase, after = map(self.masked.unmask, texts)
        return before, phrase, after


def prepared(question: str) -> Prepared:
    """Parse a question, whose `#k` may stand for earlier answers, and list its splits."""
    masked = Masked(question)
    text = masked.text
    for reference in dict.fromkeys(re.findall(r"#\d+", text)):
        # A stand-in name for the answer: the parser knows names, not references.
        text = re.sub(rf"{reference}(?!\d)", masked.add(reference), text)
    return _prepared(masked, text)


def _prepared(masked: Masked, text: str) -> Prepared:
    doc = parser()(text)
    found = innermost(doc, masked)
    grammar = None
    if found is not None:
        head, members = found
        grammar = Split("nested", members[0].i, members[-1].i, head.i)
    splits = candidates(doc, masked)
    signs = [signs_of_whole(doc, masked, grammar)]
    signs += [signs_of_split(doc, masked, split, grammar) for split in splits]
    return Prepared(masked, doc, splits, signs)


def likelihoods(question: Prepared) -> list[float]:
    """Return the probability of leaving the question whole, then of each split."""
    weights = load_weights().signs
    scores = [sum(weights.get(sign, 0.0) for sign in signs) for signs in question.signs]
    most = max(scores)
    powers = [math.exp(score - most) for score in scores]
    return [power / sum(powers) for power in powers]


def applied(question: Prepared, split: Split, number: int) -> tuple[str, str]:
    """Return the question for the thing described, and the one about its answer `#number`."""
    if split.kind == "in_situ":
        return _in_situ(question, split, number)
    before, phrase, after = question.parts(split)
    space = " " if phrase.endswith(" ") else ""
    if "," in phrase:
        # "the actor, who played X, born": the second comma closes what goes with the description.
        after = re.sub(r"^, (?=[a-z]+\W*$)", " ", after)
    if closes_clause(question.doc, split.first, split.last + 1):
        after = after.removeprefix(",")
    members = list(question.doc[split.first : split.last + 1])
    asked = asked_of_phrase(question.doc[split.head], members, question.masked)
    return question.masked.unmask(asked), f"{before}#{number}{space}{after}"


def _in_situ(question: Prepared, split: Split, number: int) -> tuple[str, str]:
    # The article of "a British band" may stand before the split.
    before = re.sub(r"\b(?:an?|the) $", "", question.parts(split)[0], flags=re.IGNORECASE)
    doc, unmask = question.doc, question.masked.unmask
    members = list(doc[split.first : split.last + 1])
    told = [t for t in members if not (t.dep_ == "det" and t.i < split.head)]
    noun = unmask(text_of(told))
    rest = [t for t in doc[split.last + 1 :] if not t.is_space]
    while rest and rest[0].is_punct and len(rest) > 1:
        rest = rest[1:]
    first, said = rest[0], unmask(text_of(rest))
    tail = said[len(first.text) :].lstrip(" ,")
    thing = f"#{number}"
    if first.lower_ == "whose":
        about = f"{thing}'s {tail}"
    elif first.tag_ in {"WDT", "WP"} or (first.lower_ == "that" and first.dep_ != "det"):
        about = f"{thing} {tail}"
    elif first.tag_ == "VBN" or (first.tag_ == "VBD" and rest[1:] and rest[1].pos_ == "ADP"):
        about = f"{thing} was {said}"
    elif first.tag_ == "VBG":
        about = f"{thing} is {said}"
    elif first.pos_ == "ADP" and asks_here(rest[1 % len(rest)]):
        about = f"{thing} has {tail}" if first.lower_ == "with" else f"{thing} is {said}"
    elif first.pos_ == "ADP":
        about = f"{thing} is the {noun} {said}"
    else:
        about = f"{thing} {said}"
    return f"{before}which {noun}?", about


MAX_STEPS = 5
LEAST = 0.1
"""Probability below which a split is no plan."""
_NAME_OF = re.compile(
    r"(?:What|Who) (?:is|was|are|were) the names? (?:of|for) #\d+\s*\?", re.IGNORECASE
)


class Learned(NamedTuple):
    """What the weights say of a question."""

    whole: float
    """The probability that nothing is to be split."""
    plans: list[tuple[list[SubQuestion], float]]
    """The likeliest ways to split it, each with its probability."""


def learned(question: str, most: int = 2) -> Learned:
    """Return at most so many ways to split a question.

    After the first split the likeliest decision is followed to the end.
    """
    ready = prepared(plain(question))
    chances = likelihoods(ready)
    ranked = sorted(range(1, len(chances)), key=lambda n: -chances[n])[:most]
    found = []
    for place in ranked:
        if chances[place] < LEAST:
            break
        steps, chance = _followed(ready, ready.splits[place - 1])
        found.append((steps, trusted(chances[place]) * chance))
    return Learned(chances[0], found)


def _followed(ready: Prepared, split: Split) -> tuple[list[SubQuestion], float]:
    steps: list[SubQuestion] = []
    chance = 1.0
    while True:
        asked, text = applied(ready, split, len(steps) + 1)
        steps.append(lookup(asked))
        ready = prepared(text)
        chances = likelihoods(ready)
        place = max(range(len(chances)), key=chances.__getitem__)
        chance *= chances[place]
        if place == 0 or len(steps) == MAX_STEPS - 1:
            break
        split = ready.splits[place - 1]
    final = fronted(text)
    if DEGENERATE.fullmatch(final) or _NAME_OF.fullmatch(final):
        return steps, chance
    return [*steps, lookup(final)], chance
