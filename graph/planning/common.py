"""Questions for what two things have in common: ask each, then intersect."""

from __future__ import annotations

import re

from graph.planning.comparison import option_of
from graph.planning.language import lookup, parser
from graph.planning.masking import Masked
from graph.types import Operator, SubQuestion

_NAME = r"(?:[Tt]he )?[A-Z]\w+"
_PAIR = rf"(?:[Bb]oth )?(?:[a-z]+ ){{0,2}}?(?P<a>{_NAME}),? and (?P<b>{_NAME})"
_WHAT = r"(?P<what>[a-z][\w -]*?)"
_BE = "(?:is|are|was|were)"
_FORMS = (
    rf"What (?:{_WHAT} )?(?:do|does|did) {_PAIR}(?: both)? (?:have|share)(?: in common)?\?$",
    rf"What (?:{_WHAT} )?{_BE} (?:shared|held in common) by {_PAIR}\?$",
    rf"What (?:{_WHAT} )?{_BE} {_PAIR}(?: both)?(?: (?:known|examples) (?:for|of|as))?\?$",
    rf"{_PAIR} {_BE}(?: both)?(?: part of| members of| known as| considered)?"
    rf" what(?: {_WHAT})?\?$",
    rf"{_PAIR} (?:both )?(?:have|share|shared) what(?: {_WHAT})?(?: in common)?\?$",
    rf"What {_BE} the (?:shared|common) {_WHAT} (?:of|between) {_PAIR}\?$",
)


# "A and B are both located in what state?", and how it is asked of one.
_PLACED = re.compile(
    rf"{_PAIR} {_BE}(?: both)? (?P<how>(?:[a-z]+ ){{0,3}})(?P<to>in|on|at|from|for|by|to|as|of) "
    rf"what {_WHAT}\?$"
)
# "To what family do both A and B belong?"
_TO_WHAT = re.compile(
    rf"(?P<to>To|In|On|At|From|For|By|With) what {_WHAT} (?P<helper>do|does|did|is|are|was|were) "
    rf"{_PAIR}(?: both)?(?: (?P<rest>[a-z][\w ]*))?\?$"
)
_EXAMPLES = re.compile(rf"{_PAIR} {_BE}(?: both)? (?:(?P<of>[a-z]+) of|considered) what\?$")
_HAVING = re.compile(rf"{_PAIR} (?:both )?(?:had|have|has) what {_WHAT} (?P<rest>in [\w ]+)\?$")
_DOING = re.compile(
    rf"What {_WHAT} (?:do|does|did) {_PAIR}(?: both)? (?P<verb>[a-z]+(?: [a-z]+)?)\?$"
)
_DONE = re.compile(
    rf"(?P<who>Who|What(?: [\w-]+){{1,5}}?) (?P<verb>(?!(?:is|are|was|were|do|does|did)\b)[a-z]+"
    rf"(?: [a-z]+){{0,4}}) both (?:[a-z]+ ){{0,2}}?(?P<a>{_NAME}),? and (?P<b>{_NAME})\?$"
)
_BOTH_DO = re.compile(
    rf"{_PAIR} both (?P<verb>[a-z]+)(?P<to> (?:in|on|at|from|for|to|of))? what {_WHAT}\?$"
)


def decompose_common(question: str) -> list[SubQuestion] | None:
    """Return a lookup for each of the two things and an intersection; None without such a pair."""
    masked = Masked(re.sub(r"^(\w+) (what|which)\b", _capital, question))
    text = re.sub(r"\b(?:[Ww]hich|What(?<=\w \w{4}))\b", "what", masked.text)
    text = f"{text[:1].upper()}{text[1:]}"
    found = _asked(text)
    if found is None:
        return None
    match, asked = found
    steps = [
        lookup(masked.unmask(asked.replace("{x}", option_of(match[side], masked))))
        for side in ("a", "b")
    ]
    return [
        *steps,
        SubQuestion(
            text=question,
            kind="operator",
            operator=Operator.INTERSECTION,
            arguments=(1, 2),
            expects=steps[0].expects,
        ),
    ]


def _capital(match: re.Match[str]) -> str:
    """Write "To What …": "To" alone would be taken for a name."""
    return f"{match[1]} {match[2].capitalize()}"


def _asked(text: str) -> tuple[re.Match[str], str] | None:
    """Return the pair, and how what they share is asked of one of them, `{x}`."""
    match = next((m for m in (re.match(form, text) for form in _FORMS) if m), None)
    if match is not None:
        what = re.sub(r"\b(?:shared|common|same)\b", "", match["what"] or "").strip()
        if kind := re.fullmatch(r"(?P<kind>type|kind|sort|form|style|breed)s? of (?P<of>.+)", what):
            of = parser()(kind["of"])
            return match, f"What {kind['kind']} of {of[:-1].text_with_ws}{of[-1].lemma_} is {{x}}?"
        return match, f"What is the {what} of {{x}}?" if what else "What is {x}?"
    if match := _TO_WHAT.match(text):
        helper = {"do": "does", "are": "is", "were": "was"}.get(match["helper"], match["helper"])
        asked = f"{match['to']} what {match['what']} {helper} {{x}} {match['rest'] or ''}"
        return match, asked.rstrip() + "?"
    if match := _EXAMPLES.match(text):
        return match, "What is {x}?"
    if match := _HAVING.match(text):
        return match, f"What {match['what']} did {{x}} have {match['rest']}?"
    if match := _PLACED.match(text):
        if match["to"] == "of":
            return match, f"What {match['what']} is {{x}}?"
        # "professional footballers from what country": the noun goes, a participle stays.
        how = match["how"] if match["how"].endswith(("ed ", "born ", "found ", "set ")) else ""
        return (
            match,
            f"{match['to'].capitalize()} what {match['what']} is {{x}} {how}".rstrip() + "?",
        )
    if match := _DOING.match(text):
        helper = "did" if " did " in text else "does"
        return match, f"What {match['what']} {helper} {{x}} {match['verb']}?"
    if match := _DONE.match(text):
        return match, f"{match['who']} {match['verb']} {{x}}?"
    if match := _BOTH_DO.match(text):
        return match, f"What {match['what']} does {{x}} {match['verb']}{match['to'] or ''}?"
    return None
