"""Yes/no questions about one thing: "Was the director of X a lawyer?", "X是律师吗？".

No passage says yes or no. What the thing is, where it is or how many it has can be looked up, and
code tells whether that is what was asked.
"""

from __future__ import annotations

import re

from graph.planning.agreement import predicate
from graph.planning.language import lookup
from graph.planning.masking import Masked
from graph.planning.nested import decompose
from graph.types import AnswerType, Operator, SubQuestion
from retrievers.analysis import language_of

# Neither of two things (和, 都), which are compared, nor of one that is asked for.
_CHINESE = re.compile(
    r"(?P<thing>[^，,？?谁哪和与跟及都]+?)是(?P<kind>(?!什么)[^，,？?不谁哪同]+?)吗[？?]?"
)
_ENGLISH = re.compile(r"(?:Is|Was) (?P<said>[^,?]+)\?")
_KIND = re.compile(r" (?=an? )")
_PHRASE = re.compile(r"an? (?:[\w-]+ ){0,3}[a-z][\w-]*")
"""A kind that one answer can state whole; a longer one says more than a reader copies."""
_MORE = re.compile(r"\b(?:of|in|on|at|by|for|from|to|with|and|or|who|that|than)\b")

_OF_ONE = re.compile(
    r"(?P<verb>Is|Are|Was|Were|Does|Did|Has|Have|Had) (?P<the>the )?(?P<thing>[A-Z]\w+),? "
    r"(?P<rest>(?!and\b|or\b)[^,;]+)\?"
)


def decompose_kind(question: str) -> list[SubQuestion] | None:
    """Return a lookup of what the thing is, after those that find it, and the judging operator.

    None where the question is no such one.
    """
    text = " ".join(question.split())
    if language_of(text) == "zh":
        chinese = _CHINESE.fullmatch(text)
        if chinese is None:
            return None
        return _judged([lookup(f"{chinese['thing']}是什么？")], text, chinese["kind"])
    english = _ENGLISH.fullmatch(text)
    for split in _KIND.finditer(english["said"]) if english else ():
        thing, kind = split.string[: split.start()], split.string[split.end() :]
        if not _PHRASE.fullmatch(kind) or _MORE.search(kind):
            continue
        masked = Masked(f"Who is {thing}?")
        if re.fullmatch(r"Who is (?:the )?[A-Z]\w+\?", masked.text) and masked.titles():
            return _judged([lookup(f"What is {thing}?")], text, kind)
        found = (
            decompose(f"Who is {thing}?") if thing.startswith("the ") and masked.titles() else []
        )
        if found:
            return _judged([*found, lookup(f"What is #{len(found)}?")], text, kind)
    return _said(text)


def _said(text: str) -> list[SubQuestion] | None:
    """Return the steps of "Is X found in Africa?", "Did X publish more than 15 novels?"."""
    masked = Masked(text)
    match = _OF_ONE.fullmatch(masked.text)
    if match is None or not masked.is_title(match["thing"]):
        return None
    said = predicate(match["rest"], match["verb"], masked)
    # What a thing is called says little of a long description (see `_PHRASE`), and it may be known
    # for, or associated with, more than one span tells.
    if said is None or re.match(r"What (?:is|was) ", said[0]):
        return None
    asked = said[0].replace("{x}", f"{match['the'] or ''}{match['thing']}")
    return _judged([lookup(masked.unmask(asked))], text, masked.unmask(said[1]))


def _judged(steps: list[SubQuestion], question: str, kind: str) -> list[SubQuestion]:
    judge = SubQuestion(
        text=question,
        kind="operator",
        expects=AnswerType.YES_NO,
        operator=Operator.BOTH,
        arguments=(len(steps),),
        labels=(kind,),
    )
    return [*steps, judge]
