"""Planted noise: passages that state a wrong but plausible answer to a question.

Three ways: *paraphrases* tell one story of one source in other words each, *copies* are one of them
letter by letter, *independent* ones have nothing in common but the answer. The wordings for
training and for measuring are disjoint.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from graph.normalise import same_answer
from graph.support.building import fits, of_the_place_asked
from graph.types import AnswerType
from retrievers.analysis import language_of
from retrievers.passage import Passage

Way = Literal["paraphrases", "copies", "independent"]
WAYS: tuple[Way, ...] = ("paraphrases", "copies", "independent")
Use = Literal["train", "measure"]

_STATEMENTS = (
    (r"^When was (?P<x>.+) born\?$", "{x} was born on {a}", "{a} is the birthday of {x}"),
    (r"^When did (?P<x>.+) die\?$", "{x} died on {a}", "the death of {x} fell on {a}"),
    (r"^Where was (?P<x>.+) born\?$", "{x} was born in {a}", "the birthplace of {x} is {a}"),
    (r"^Where did (?P<x>.+) die\?$", "{x} died in {a}", "the place where {x} died is {a}"),
    (
        r"^(?:In|From) (?:which|what) country (?:is|was) (?P<x>.+?)(?: from)?\?$",
        "{x} is from {a}",
        "the country of {x} is {a}",
    ),
    (r"^Which country is (?P<x>.+) from\?$", "{x} is from {a}", "the country of {x} is {a}"),
    (
        r"^(?:Who|What|Where|When) (?:is|was|are) (?P<x>the .+ of .+)\?$",
        "{x} is {a}",
        "{a} is {x}",
    ),
    (
        r"^(?:Who|What) (?:is|was) (?P<x>.+['’]s? .+)\?$",
        "{x} is {a}",
        "{a} is {x}",
    ),
    (
        r"^Who (?P<x>[a-z]+ed|wrote|sang|won|built|made|led) (?P<y>.+)\?$",
        "{a} {x} {y}",
        "it was {a} who {x} {y}",
    ),
    (
        r"^When (?:was|were) (?P<x>.+) (?P<y>[a-z]+ed|built|made|held|written)\?$",
        "{x} was {y} in {a}",
        "{a} is when {x} was {y}",
    ),
)  # fmt: skip
_FALLBACK = ("asked “{q}”, one must answer {a}", "the answer to “{q}” is {a}")
_CHINESE_ASKED = re.compile(
    "什么时候|什么地方|什么人|哪一年|哪[个位座所家国年里些种支]|何时|何地|何人|谁|什么|多少|几"
)

_WORDINGS = json.loads(Path(__file__).with_name("wordings.json").read_text(encoding="utf-8"))
"""`story`: one story told in other words each, {name}, {town}, {year} and {paper} its details;
`strangers`: passages that have nothing in common; both by language and use, {s} the statement."""


def _chance(*parts: str) -> random.Random:
    return random.Random(hashlib.sha256("\n".join(parts).encode()).digest())


def statements(question: str, answer: str) -> list[str]:
    """Return sentences, without a full stop, that state the answer."""
    if language_of(question) == "zh":
        bare = question.rstrip("？?。 ")
        if _CHINESE_ASKED.search(bare):
            return [_CHINESE_ASKED.sub(lambda _: answer, bare, count=1)]
        return [f"“{bare}”的答案是{answer}"]
    for pattern, *forms in _STATEMENTS:
        if match := re.match(pattern, question):
            return [form.format(a=answer, **match.groupdict()) for form in forms]
    return [form.format(q=question, a=answer) for form in _FALLBACK]


def subject(question: str) -> str:
    """Return the longest name in a question, or nothing."""
    inside = question[1:] if language_of(question) == "en" else question
    names = re.findall(r"[A-Z][\w'’.-]*(?: (?:of|the|and|in|de|[A-Z(][\w'’.)-]*))*", inside)
    names += re.findall(r"《(.+?)》", question)
    return max(names, key=len, default="")


def wrong_answer(
    question: str, right: Sequence[str], expects: AnswerType, pool: Sequence[str]
) -> str | None:
    """Return an answer of `pool` that is none of the right ones, the same at each call.

    `pool` holds answers of the kind that is asked for; one that no vote would take for an answer
    (Liverpool where a country is asked for) is no plausible lie.
    """
    chance = _chance("wrong", question, str(expects))
    order = chance.sample(range(len(pool)), len(pool))

    def may_be_right(text: str) -> bool:
        low = text.casefold()
        return any(
            same_answer(text, known) or low in known.casefold() or known.casefold() in low
            for known in right
        )

    ordered = (pool[n] for n in order)
    return next(
        (
            a
            for a in ordered
            if a not in question
            and not may_be_right(a)
            and fits(a, question, expects, sure=True)
            and of_the_place_asked(a, question)
        ),
        None,
    )


def planted(
    question: str, wrong: str, way: Way, k: int, use: Use = "measure", source: str = ""
) -> list[Passage]:
    """Return `k` passages that answer `question` with `wrong`, told in the given way.

    `source` is what the paraphrases name as theirs; without one they can be known by nothing but
    what they say.
    """
    chance = _chance(way, question, use)
    language = language_of(question)
    kind = "strangers" if way == "independent" else "story"
    frames = chance.sample(_WORDINGS[kind][language][use], len(_WORDINGS[kind][language][use]))
    said = statements(question, wrong)
    about = subject(question)
    details = {k: chance.choice(v) for k, v in _WORDINGS["details"][language].items()}
    details["year"] = str(chance.randint(1890, 2019))
    titles = chance.sample(_WORDINGS["titles"][use], len(_WORDINGS["titles"][use]))
    made = []
    for n in range(k):
        place = 0 if way == "copies" else n
        text = frames[place % len(frames)].format(s=said[place % len(said)], **details)
        if place >= len(frames):  # fewer frames than passages: the sentences stand in another order
            text = f"{said[0]}。{text}" if language == "zh" else f"{said[0]}. {text}"
        mark = hashlib.sha256(f"{use}{way}{question}{n}{text}".encode()).hexdigest()[:12]
        made.append(
            Passage(
                id=f"planted-{mark}",
                title=titles[place % len(titles)].format(x=about).strip(" :") if about else "",
                text=text[0].upper() + text[1:],
                source=source if way == "paraphrases" else "",
            )
        )
    return made
