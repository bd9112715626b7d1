"""Questions whose answer is computed from two numbers or dates: how long after, how much older.

Each of the two is looked up and an operator computes: DIFFERENCE and SUM, and COUNT over a list of
names where no passage need state their number.
"""

from __future__ import annotations

import re

from graph.planning.comparison import measured, option_of
from graph.planning.language import lookup, parser
from graph.planning.masking import Masked
from graph.types import AnswerType, Operator, SubQuestion

_NAME = r"(?:the )?(?:[a-z]+ ){0,2}[A-Z]\w+"
_HAVE = r"(?P<helper>does|do|did|has|have|had)"
_LATER = r"How (?:many (?:years|days)|long) (?:passed |was it )?(?:after|before) "
_AFTER = (
    re.compile(rf"{_LATER}(?P<a>.+?),? (?P<b>did .+)\?"),
    re.compile(rf"{_LATER}(?P<a>.+),? (?P<b>(?:was|were) .+)\?"),
)
_BETWEEN = re.compile(
    r"How many (?:years|days) (?:passed |were |are |were there |are there |elapsed |lie )?between "
    r"(?P<a>.+?) and (?P<b>.+)\?"
)
_OLDER = re.compile(
    rf"How (?:many years|much) (?:older|younger) (?:is|was) (?P<a>{_NAME}) than (?P<b>{_NAME})\?"
    rf"|What (?:is|was) the age difference between (?P<c>{_NAME}) and (?P<d>{_NAME})\?"
)
_MEASURED = re.compile(
    rf"How (?:much|many [a-z]+) (?P<how>[a-z]+er) (?:is|was) (?P<a>{_NAME}) than (?P<b>{_NAME})\?"
)
_MORE = re.compile(
    rf"How many (?:more|fewer) (?P<what>[\w -]+?) {_HAVE} (?P<a>{_NAME}) "
    rf"(?P<verb>[a-z]+(?: [a-z]+)?) than (?P<b>{_NAME})\?"
)
_TOTAL_OF = re.compile(
    rf"What (?:is|was) the (?:total|combined) (?P<what>[a-z][\w -]*?) of (?P<a>{_NAME}) and "
    rf"(?P<b>{_NAME})\?"
)
_TOTAL = re.compile(
    rf"How many (?P<what>[\w -]+?) {_HAVE} (?P<a>{_NAME}) and (?P<b>{_NAME}) "
    r"(?P<verb>[a-z]+(?: [a-z]+)?) (?:together|altogether|combined|in total)\?"
)
_KIN = "children sons daughters siblings brothers sisters wives husbands grandchildren".split()
_KIN_COUNT = re.compile(rf"How many (?P<what>{'|'.join(_KIN)}) {_HAVE} (?P<a>{_NAME}) have\?")
_EVENT = re.compile(r"(?:the )?(?:[A-Z]\w+|[a-z]+ of (?:the )?[A-Z]\w+)")


def decompose_arithmetic(question: str) -> list[SubQuestion] | None:
    """Return two lookups and what is computed from them; None where nothing is computed."""
    masked = Masked(question)
    text = masked.text
    asked: list[str | None] = []
    operator = Operator.DIFFERENCE
    if match := _OLDER.fullmatch(text):
        pair = [match["a"] or match["c"], match["b"] or match["d"]]
        asked = [f"When was {option_of(name, masked)} born?" for name in pair]
    elif match := _MEASURED.fullmatch(text):
        form = measured(match["how"], person=False)[0]
        if form is not None and not form.startswith("When"):
            asked = [form.replace("{x}", option_of(match[side], masked)) for side in "ab"]
    elif match := _MORE.fullmatch(text):
        asked = [_how_many(match, side, masked) for side in "ab"]
    elif match := _TOTAL.fullmatch(text):
        operator, asked = Operator.SUM, [_how_many(match, side, masked) for side in "ab"]
    elif match := _TOTAL_OF.fullmatch(text):
        operator = Operator.SUM
        asked = [f"What is the {match['what']} of {option_of(match[s], masked)}?" for s in "ab"]
    elif match := next((m for form in _AFTER if (m := form.fullmatch(text))), None):
        asked = [_when(match["a"], masked), masked.unmask(f"When {match['b']}?")]
    elif match := _BETWEEN.fullmatch(text):
        asked = [_when(match["a"], masked), _when(match["b"], masked)]
    return _computed(question, asked, operator)


def decompose_count(question: str) -> list[SubQuestion] | None:
    """Return a lookup of relatives and their COUNT: a text may name them without a number."""
    masked = Masked(question)
    match = _KIN_COUNT.fullmatch(masked.text)
    if match is None:
        return None
    return _computed(
        question,
        [f"Who are the {match['what']} of {option_of(match['a'], masked)}?"],
        Operator.COUNT,
    )


def _computed(
    question: str, asked: list[str | None], operator: Operator
) -> list[SubQuestion] | None:
    lookups = [lookup(text) for text in asked if text is not None]
    if not lookups or len(lookups) < len(asked):
        return None
    last = SubQuestion(
        text=question,
        kind="operator",
        operator=operator,
        arguments=tuple(range(1, len(lookups) + 1)),
        expects=AnswerType.NUMBER,
    )
    return [*lookups, last]


def _how_many(match: re.Match[str], side: str, masked: Masked) -> str:
    helper = {"do": "does", "have": "has"}.get(match["helper"], match["helper"])
    what = masked.unmask(match["what"])
    return f"How many {what} {helper} {option_of(match[side], masked)} {match['verb']}?"


def _when(event: str, masked: Masked) -> str | None:
    """Ask when something was: a thing with a name, or a clause turned into a question."""
    if _EVENT.fullmatch(event):
        return masked.unmask(f"When was {event}?")
    doc = parser()(f"{event}.")
    root = next((t for t in doc if t.dep_ == "ROOT"), None)
    if root is None or root.pos_ not in {"VERB", "AUX"}:
        return None
    subject = next((c for c in root.children if c.dep_ in {"nsubj", "nsubjpass"}), None)
    if subject is None or subject.left_edge.i != 0:
        return None
    who = doc[: subject.right_edge.i + 1].text
    rest = doc[subject.right_edge.i + 1 : -1]
    if not len(rest):
        return None
    if rest[0].lower_ in {"was", "were", "had"}:
        return masked.unmask(f"When {rest.text.replace(rest[0].text, f'{rest[0].text} {who}', 1)}?")
    if rest[0].i != root.i or root.tag_ not in {"VBD", "VBN"}:
        return None
    return masked.unmask(f"When did {who} {root.lemma_} {rest[1:].text}".rstrip() + "?")
