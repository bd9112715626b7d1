"""Yes/no questions about two things: do they share something, are both something, is one more?"""

from __future__ import annotations

import re

from graph.planning.comparison import compared, measured, option_of, works
from graph.planning.language import noun_type, parser
from graph.planning.masking import Masked
from graph.types import AnswerType, Operator, SubQuestion
from graph.values import parse_country

_NAME = r"(?:the )?[A-Z]\w+(?:, [A-Z]\w+)*"
_VERB = r"^(?P<verb>Are|Is|Were|Was|Do|Does|Did|Have|Has|Had)"
_ROLE = r"(?:the )?(?P<role>[a-z]+) of (?:(?:the |both )*(?P<class>[a-z]+),?:? )?"
# The subjects of the question: roles of two things, two roles, or two things.
_SUBJECTS = (
    rf"{_VERB} (?:both )?(?:of )?{_ROLE}(?P<a>{_NAME}),? and (?:the )?(?P=role) of (?:[a-z]+ )?"
    rf"(?P<b>{_NAME}),? (?P<rest>.+)\?$",
    rf"{_VERB} (?:both )?(?:of )?{_ROLE}(?P<a>{_NAME}),? and (?P<b>{_NAME}),? (?P<rest>.+)\?$",
    rf"{_VERB} (?P<either>either )(?:the )?(?P<a>{_NAME}),? or (?P<b>{_NAME}),? (?P<rest>.+)\?$",
    rf"{_VERB} (?:both )?(?:of )?(?:the )?(?:two )?(?:(?P<class>[a-z]+(?: [a-z]+){{0,3}})[,:]* )?"
    rf"(?P<a>{_NAME}),? and (?P<b>{_NAME}),? (?P<rest>.+)\?$",
)
_LIKE = re.compile(
    rf"{_VERB} (?P<a>{_NAME}) (?P<rest>(?:\w+ )*?the same \w+(?: \w+)?) as (?P<b>{_NAME})\?$"
)
_THAN = re.compile(
    rf"{_VERB} (?P<a>{_NAME}) (?P<rest>[a-z][\w ]*?(?: than| before| after)) (?P<b>{_NAME})"
    r"(?: .*)?\?$"
)
_HAVE_ROLE = re.compile(
    r"^(?:films |movies |songs |both )*(?:have|has|with) (?:the |a )?(?P<role>[a-z]+?)s? "
    r"(?:(?:who|that|which) )?(?P<rest>.+)$"
)
_ONCE = {"born", "raised", "founded", "formed", "established", "filmed", "published", "invented"}
_PLACED = re.compile(
    r"(?P<how>born|raised|founded|formed|established|filmed|published|invented|located|situated|"
    rf"based|found|headquartered|native|from)(?: (?:in|at|to|on))? (?P<where>{_NAME})"
)
_MADE = re.compile(
    r"(?P<how>directed|written|produced|composed|recorded|performed|published|released|created|"
    rf"designed|founded|owned) by (?P<who>{_NAME})"
)
# "Did both work as actors", "Did both publish more than 15 novels", "Are both used for hunting".
_AS = re.compile(r"(?:work|serve|act)(?:ed)? (?:both )?as (?P<what>(?:an? )?[a-z]+(?: [a-z]+)?)")
_BOUND = (
    r"(?P<bound>more than|less than|fewer than|over|under|at least|at most|exactly) (?P<n>[\w,]+)"
)
_COUNTED = re.compile(rf"(?P<verb>[a-z]+) {_BOUND} (?P<what>[a-z]\w*(?: [a-z]\w*){{0,2}}s|people)")
_DATED = re.compile(
    r"(?P<how>born|raised|founded|formed|established|filmed|published|released|invented|built|"
    r"created|made) (?P<bound>before|after|in|during) (?P<when>(?:the )?\d{4}s?)"
)
_DESCENT = re.compile(
    r"of (?P<what>.+) (?P<kind>descent|origin|ancestry|heritage|ethnicity|nationality)"
)
_BELONG = re.compile(
    r"belong(?:s|ed)? to the (?P<what>\w+) "
    r"(?P<kind>family|religion|genus|church|party|order|league)"
)
_PREPOSED = re.compile(
    r"(?P<how>used|known|noted|famous|named|nominated|associated|affiliated|inspired|influenced|"
    r"native|made|derived|descended|filled|covered) (?P<to>for|as|with|by|after|to|from|of) "
    r"(?P<what>(?!(?:an?|any|some|its|their|his|her|the same|certain|particular|different)\b)"
    r"[\w-]+(?: [\w-]+){0,3})"
)
_COUNTRY = re.compile(r"nationalit|citizenship|same country")
_SAME_PLACE = re.compile(
    r"same ((?:[A-Z]\w+ )?(?:country|city|state|county|continent|province|district|region|town))"
)
_SAME_THING = re.compile(
    r"(?:same|common|share|shared)(?: the| an?)? ([a-z]+(?: (?!as\b|of\b|in\b)[a-z]+)?)"
)


def decompose_agreement(question: str) -> list[SubQuestion] | None:
    """Return the steps; None where the question asks no such thing of two things."""
    text = " ".join(question.split())
    text = f"{text[:1].upper()}{text[1:]}"
    # "both A and B American": the word of the country is no part of the name.
    last = re.fullmatch(r"((?:Are|Is|Were|Was) both .+ and .+) ([A-Z]\w+)\?", text)
    if last and parse_country(last[2]) not in {None, last[2]}:
        text = f"{last[1]} both {last[2]}?"
    masked = Masked(text)
    steps = _than(masked) or _agree(masked)
    return [*steps[:-1], steps[-1].model_copy(update={"text": question})] if steps else None


def _than(masked: Masked) -> list[SubQuestion] | None:
    """ "Was A born before B?": a choice whose sides are named yes and no."""
    match = _THAN.match(masked.text)
    if match is None:
        return None
    head = match["rest"]
    asked, operator = measured(head, person=not works(masked.unmask(match["a"])))
    if asked is None or operator is None:
        return None
    options = [option_of(match["a"], masked), option_of(match["b"], masked)]
    steps = compared(
        masked.unmask(masked.text), options, None, masked.unmask(asked), operator, ["yes", "no"]
    )
    return [*steps[:-1], steps[-1].model_copy(update={"expects": AnswerType.YES_NO})]


def _agree(masked: Masked) -> list[SubQuestion] | None:
    match = next(
        (
            m
            for m in (_LIKE.match(masked.text), *(re.match(p, masked.text) for p in _SUBJECTS))
            if m
        ),
        None,
    )
    if match is None:
        return None
    groups = match.groupdict()
    options = [option_of(match["a"], masked), option_of(match["b"], masked)]
    role = (groups.get("role") or "").removesuffix("s") or None
    rest = match["rest"]
    held = _HAVE_ROLE.match(rest)
    if role is None and held and noun_type(held["role"]) is AnswerType.PERSON:
        role, rest = held["role"], held["rest"]
    if role is not None and noun_type(role) is AnswerType.ANY:
        return None
    question = masked.unmask(masked.text)
    asked = _shared(rest, role is None and _is_work(groups.get("class") or "", options))
    if asked is not None:
        shared = re.fullmatch(r"What is the (\w+) of \{x\}\?", asked)
        if role is not None and shared and shared[1].rstrip("s") == role:
            asked, role = f"Who is the {role} of {{x}}?", None
        operator = Operator.DIFFERENT if "different" in rest else Operator.SAME
        return compared(question, options, role, masked.unmask(asked), operator, [])
    said = predicate(rest, match["verb"], masked)
    if said is None:
        return None
    asked, label = said
    either = groups.get("either") is not None
    operator = Operator.EITHER if either else Operator.BOTH
    steps = compared(
        question, options, role, masked.unmask(asked), operator, [masked.unmask(label)]
    )
    return [*steps[:-1], steps[-1].model_copy(update={"expects": AnswerType.YES_NO})]


def _is_work(class_noun: str, options: list[str]) -> bool:
    """Tell whether things made, not people, are compared: they have no nationality or birth."""
    nouns = [word.removesuffix("s") for word in class_noun.split()]
    kinds = {noun_type(noun) for noun in nouns}
    return bool(kinds & {AnswerType.WORK, AnswerType.ORGANISATION}) or any(map(works, options))


def _shared(rest: str, made: bool) -> str | None:
    """Return how the thing that both may share is asked of one; None where nothing is shared."""
    if not re.search(r"\b(?:same|common|share|shared|different)\b", rest):
        return None
    born, died = re.search(r"\bborn\b|birth", rest), re.search(r"\bdied?\b|death", rest)
    if _COUNTRY.search(rest) and not born and not died:
        if re.search(r"\b(?:located|situated|found|based|lie|headquartered)\b", rest) or re.match(
            r"(?:both )?in the same", rest
        ):
            return "In which country is {x}?"
        return "Which country is {x} from?" if made else "What nationality is {x}?"
    if re.search(r"same (?:year|date|day|decade|month|century)", rest):
        if died:
            return "When did {x} die?"
        return "When was {x} released?" if made else "When was {x} born?"
    if counted := re.search(r"same number of ([a-z]+(?: [a-z]+)?)$", rest):
        return f"How many {counted[1]} does {{x}} have?"
    place = _SAME_PLACE.search(rest)
    if born or died:
        where = f"In which {place[1]}" if place else "Where"
        return f"{where} did {{x}} die?" if died else f"{where} was {{x}} born?"
    if place:
        return f"In which {place[1]} is {{x}}?"
    thing = _SAME_THING.search(rest)
    return f"What is the {thing[1]} of {{x}}?" if thing else None


def predicate(rest: str, verb: str, masked: Masked) -> tuple[str, str] | None:
    """Return how what things are said to be or do is asked of one, `{x}`, and what affirms it.

    `rest` is what follows the things in a masked question that begins with `verb`.
    """
    phrase = re.sub(r"^(?:both |all )", "", rest)
    if verb in {"Do", "Does", "Did"}:
        return _deed(phrase, verb)
    if verb in {"Have", "Has", "Had"}:
        if not phrase.startswith("been "):
            return None
        phrase, verb = re.sub(r"^been (?:both )?", "", phrase), "Are"
    if verb not in {"Are", "Is", "Were", "Was"}:
        return None
    placed = _PLACED.fullmatch(phrase)
    if placed:
        be = "was" if placed["how"] in _ONCE or verb in {"Were", "Was"} else "is"
        return f"Where {be} {{x}} {placed['how']}?", placed["where"]
    made = _MADE.fullmatch(phrase)
    if made:
        return f"Who was {{x}} {made['how']} by?", made["who"]
    dated = _DATED.fullmatch(phrase)
    if dated:
        bound = "" if dated["bound"] == "during" else dated["bound"]
        return f"When was {{x}} {dated['how']}?", f"{bound or 'in'} {dated['when']}"
    descent = _DESCENT.fullmatch(phrase)
    if descent:
        return f"Of what {descent['kind']} is {{x}}?", descent["what"]
    preposed = _PREPOSED.fullmatch(phrase)
    if preposed:
        be = "is" if verb in {"Are", "Is"} else "was"
        return f"What {be} {{x}} {preposed['how']} {preposed['to']}?", preposed["what"]
    if parse_country(masked.unmask(phrase)):
        return "What nationality is {x}?", phrase
    doc = parser()(f"They are {phrase}.")
    noun = next((t for t in doc if t.dep_ == "attr" and t.head.lower_ == "are"), None)
    named = noun is not None and noun.pos_ in {"NOUN", "PROPN"}
    return ("What is {x}?", phrase) if named else None


def _deed(phrase: str, verb: str) -> tuple[str, str] | None:
    """Return the same as `predicate` of what both are said to do."""
    helper = "did" if verb == "Did" else "does"
    if role := _AS.fullmatch(phrase):
        return "What is {x}?", role["what"]
    if counted := _COUNTED.fullmatch(phrase):
        label = f"{counted['bound']} {counted['n']}"
        return f"How many {counted['what']} {helper} {{x}} {counted['verb']}?", label
    if belongs := _BELONG.fullmatch(phrase):
        return f"What {belongs['kind']} {helper} {{x}} belong to?", belongs["what"]
    return None
