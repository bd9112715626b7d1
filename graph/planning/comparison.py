"""Questions that compare: "Which film has the director who was born first, A or B?".

Each option gets its own lookups (with a bridge where the thing compared is not the option itself
but its director, say), and a typed operator decides.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from graph.planning.chinese_comparison import named_pair
from graph.planning.language import expected_type, lookup, noun_type, parser
from graph.planning.masking import Masked
from graph.types import AnswerType, Operator, SubQuestion
from retrievers.analysis import language_of

_EARLIER = r"first|earlier|earliest|older|oldest|sooner|before"
_LATER = (
    r"later|latest|last|second|younger|youngest|newer|more recently|most recently|recently|after"
)
_LARGER = (
    r"more|most|larger|largest|bigger|biggest|longer|longest|taller|tallest|higher|highest|"
    r"greater|greatest|farther|further|deeper|deepest|heavier|heaviest|wider|widest"
)
_SMALLER = r"fewer|fewest|less|least|smaller|smallest|shorter|shortest|lower|lowest|closer"
_DIRECTIONS = (
    (Operator.EARLIER, rf"\b(?:{_EARLIER})\b"),
    (Operator.LATER, rf"\b(?:{_LATER})\b"),
    (Operator.LARGER, rf"\b(?:{_LARGER})\b"),
    (Operator.SMALLER, rf"\b(?:{_SMALLER})\b"),
)
# What is compared in time, by the words that say so, and how it is asked of one thing.
_TIMES = (
    (r"\b(?:die|died|dies|dead|death|lived|passed away)\b", "When did {x} die?"),
    (r"\b(?:born|birth|old(?:er|est)|young(?:er|est))\b", "When was {x} born?"),
    (
        r"\b(?:released|release|came out|come out|premiered|aired|debuted|newer)\b",
        "When was {x} released?",
    ),
    (r"\b(?:published|publish|issued|written)\b", "When was {x} published?"),
    (r"\b(?:built|constructed|completed|opened)\b", "When was {x} built?"),
    (
        r"\b(?:formed|started|began|begin|established|founded|created|launched|developed|made|produced?)\b",
        "When was {x} founded?",
    ),
    (
        r"\b(?:decided|fought|held|happened|take place|took place|occurred|ended|came|come)\b",
        "When was {x}?",
    ),
)
_MEASURES = (
    (r"\btall(?:er|est)\b|\bhigh(?:er|est)\b", "How tall is {x}?"),
    (r"\bgross(?:ed|ing|es)?\b", "How much did {x} gross?"),
    (r"\bdeep(?:er|est)\b", "How deep is {x}?"),
    (r"\bwid(?:er|est)\b", "How wide is {x}?"),
    (r"\bheav(?:ier|iest)\b", "How heavy is {x}?"),
    (r"\blong(?:er|est)\b|\bshort(?:er|est)\b", "How long is {x}?"),
    (r"\b(?:population|populated|people|inhabitants)\b", "What is the population of {x}?"),
    (r"\b(?:larger|largest|bigger|biggest|smaller|smallest)\b", "How large is {x}?"),
)
_MORE = "more|most|fewer|fewest|less|least"
# "Which author has won more prizes", "… has the greater number of species".
_COUNTED = re.compile(
    r"(?:\b(?P<helper>has|have|had) )?"
    r"(?:\b(?P<verb>(?!(?:is|are|was|were|be|with|that|which|who|and|has|have|had|its|whose|the|an?)\b)"
    r"[a-z]+) )?"
    rf"(?:the |an? )?(?:(?:greater|greatest|larger|largest|higher|highest|smaller|smallest|lower|"
    rf"lowest|{_MORE}) (?:(?:total|overall) )?(?:number|amount) of|(?:{_MORE})) (?:of )?"
    r"(?:(?:total|overall|numerous) )*"
    r"(?P<what>(?:(?!(?:than|in|of|at|on|by|for|from|to|with|and|or)\b)[\w'-]+ ){0,2}?"
    r"(?:people|[\w'-]+(?<!ou)(?<!s)s))\b"
)
# What says which comes first, and is not asked of either.
_WHEN_OF_TWO = {*"first earlier earliest sooner later last second ever".split()}
# "has a longer common name": something of the two is compared, and not they.
_HAS_MORE = re.compile(
    rf"\b(?:has|have|had|with) (?:an? |the )?(?:{_LARGER}|{_SMALLER}) "
    r"(?!number\b|amount\b|than\b)(?P<what>[a-z]+(?: [a-z]+)?)"
)
_QUANTITIES = re.compile(
    r"population|area|height|elevation|altitude|depth|width|weight|length|budget|gross|revenue|"
    r"runtime|running time|capacity|attendance|enrollment|density|size|wingspan|diameter"
)
# "Which film is from Portland, Lincoln or Madison?": the two names after the last comma.
_LAST_OPTIONS = re.compile(
    r"^(?P<head>.+)[,:] (?:the )?(?P<a>[A-Z]\w+),? or (?:the )?(?P<b>[A-Z]\w+)\s*\?*$"
)
_OPTIONS = re.compile(
    r"^(?P<head>.+?)(?:[,:]| between| from| out of| -) ?(?P<a>[^,]+(?:,[^,]+)*?),? or "
    r"(?P<b>.+?)\s*\?*$"
)
_PAIR_OPTIONS = re.compile(
    r"^(?P<head>(?:Who|Which|What).+?) (?:between|out of|of) (?P<a>[A-Z]\w+) and (?P<b>[A-Z]\w+)\?$"
)
_TAIL_OPTIONS = re.compile(
    r"^(?:Between |Of |Out of )(?:the )?(?:two )?(?P<a>.+?),? (?:and|or) (?P<b>.+?), "
    r"(?P<head>.+?)\??$"
)
# "Which film, A or B, was created first?": the question goes on behind the two names.
_MIDDLE_OPTIONS = re.compile(
    r"^(?P<head>(?:Which|What|Who)(?: [^,]+?)?),? (?:the )?(?P<a>[A-Z]\w+) or "
    r"(?:the )?(?P<b>[A-Z]\w+),? "
    r"(?P<rest>(?:is|are|was|were|has|had|have|did|does|came|opened|began|died) .+)\?$"
)
_BARE_OPTIONS = re.compile(r"^(?P<head>.*?) (?P<a>[A-Z]\w+),? or (?P<b>[A-Z]\w+)\s*\?*$")
_SUBJECT_OPTIONS = re.compile(
    r"^(?:Is|Are|Was|Were|Do|Did|Does|Has|Have) (?!either\b|both\b)(?:the )?(?P<a>.+?),? or "
    r"(?:the )?(?P<b>[A-Z]\w+(?:, [A-Z]\w+)*),? (?P<head>.+?)\??$"
)
_CHOICES = (
    _TAIL_OPTIONS,
    _MIDDLE_OPTIONS,
    _LAST_OPTIONS,
    _OPTIONS,
    _PAIR_OPTIONS,
    _BARE_OPTIONS,
    _SUBJECT_OPTIONS,
)
_ROLE = re.compile(r"\b(?:has|have|had|with|whose|whos)\s+(?:an?\s+|the\s+)?(?P<role>[a-z-]+)\b")

_SAYS_WHAT = re.compile(
    r"^(?:either |the |both |two )*"
    r"(?:(?:films?|movies?|songs?|albums?|bands?|games?|books?),? )?(?=[^a-z])"
)


def decompose_comparison(question: str) -> list[SubQuestion] | None:
    """Return the steps of a comparing question; None where it does not compare two things."""
    masked = Masked(question)
    found = _choice(masked)
    if found is None:
        return None
    head, options = found
    head = _MANY_NAMED.sub(lambda m: m[1] + _plural(masked.unmask(m[2]), m[2]), head)
    role = _role(head)
    if role is None and _LIVED.search(head):
        return _lived(masked.unmask(masked.text), options)
    asked, operator = measured(head, person=role is not None or _asks_person(head, options))
    if asked is None or operator is None:
        return None
    question = masked.unmask(masked.text)
    if question.startswith("Did "):
        asked = asked.replace(" does {x} ", " did {x} ")
    return compared(question, options, role, masked.unmask(asked), operator, options)


# "more Pulitzer Prizes": what is counted has a name.
_MANY_NAMED = re.compile(rf"(\b(?:{_MORE}|number of) )([A-Z]\w+)")


def _plural(name: str, stand_in: str) -> str:
    return name if name.endswith("s") else stand_in


_LIVED = re.compile(
    r"\b(?:lived|lives?) (?:longer|longest|shorter)\b|\b(?:longer|shorter) (?:life|lifespan)\b"
)


def _lived(question: str, options: list[str]) -> list[SubQuestion]:
    """Return the steps of "Who lived longer, A or B?": two ages from four dates."""
    births = [lookup(f"When was {option} born?") for option in options]
    deaths = [lookup(f"When did {option} die?") for option in options]
    ages = [
        SubQuestion(
            text=f"How many years did {option} live?",
            kind="operator",
            operator=Operator.DIFFERENCE,
            arguments=(number, number + 2),
            expects=AnswerType.NUMBER,
        )
        for number, option in enumerate(options, 1)
    ]
    longer = Operator.SMALLER if re.search(r"\bshorter\b", question) else Operator.LARGER
    last = SubQuestion(
        text=question, kind="operator", operator=longer, arguments=(5, 6), labels=tuple(options)
    )
    return [*births, *deaths, *ages, last]


def _choice(masked: Masked) -> tuple[str, list[str]] | None:
    """Return what is asked of two things, and the two; None where a question names no choice."""
    for pattern in _CHOICES:
        if match := pattern.match(masked.text):
            options = [option_of(match["a"], masked), option_of(match["b"], masked)]
            rest = match.groupdict().get("rest")
            head = f"{match['head'].strip(' ,')} {rest}" if rest else match["head"].strip(" ,")
            return (head, options) if all(options) else None
    return None


class Choice(NamedTuple):
    """A question that offers its two answers."""

    asked: str
    """The question without them: "Which film is on poetry?"."""
    options: tuple[str, str]


@functools.lru_cache(maxsize=256)
def named_choice(question: str) -> Choice | None:
    """Read "Which …, A or B?", "A和B哪个…？"; None where no two names are offered."""
    if language_of(question) == "zh":
        pair = named_pair(question)
        return Choice(pair[0], (pair[1], pair[2])) if pair else None
    masked = Masked(question)
    found = _choice(masked) if re.search(r"\bor\b", question) else None
    if found is None or not all(re.match(r"[A-Z0-9\"“]", option) for option in found[1]):
        return None
    asked = masked.unmask(found[0])
    subject = _SUBJECT_OPTIONS.match(masked.text)
    if subject and subject["head"] == found[0]:
        # "Is A or B a city?": "a city?" asks nothing.
        asked = f"Which {question.split()[0].lower()} {asked}"
    return Choice(f"{asked}?", (found[1][0], found[1][1]))


def works(name: str) -> bool:
    """Tell whether a name says of itself that it is a work: "Lola (1981 Film)"."""
    inner = re.search(r"\(([^)]*)\)$", name)
    kinds = {noun_type(word.lower()) for word in inner[1].split()} if inner else set()
    return bool(kinds & {AnswerType.WORK, AnswerType.ORGANISATION})


def _asks_person(head: str, options: list[str]) -> bool:
    if re.match(r"(?:who|whom)\b", head, re.IGNORECASE) or re.search(r"\bborn\b", head):
        return True
    kind = expected_type(head + "?")
    return kind is AnswerType.PERSON or (kind is AnswerType.ANY and not any(map(works, options)))


def option_of(text: str, masked: Masked) -> str:
    """Return the name of one thing compared, without the noun that says what it is."""
    unmasked = masked.unmask(text.strip(" ,?"))
    return _SAYS_WHAT.sub("", unmasked).strip('" ')


def _role(head: str) -> str | None:
    match = _ROLE.search(head)
    role = match["role"].removesuffix("s") if match else ""
    return role if noun_type(role) is AnswerType.PERSON else None


def measured(head: str, person: bool) -> tuple[str | None, Operator | None]:
    """Return how the compared quantity is asked of one thing, and the operator on it.

    `person` says that people are compared: "older" is then born earlier, not founded earlier.
    """
    low = head.lower()
    operator = next((op for op, words in _DIRECTIONS if re.search(words, low)), None)
    if operator in {Operator.EARLIER, Operator.LATER}:
        done = _happened(head) if re.search(r"\bdid\b", low) else None
        if done is not None:
            return done, operator
        for words, form in _TIMES:
            if re.search(words, low):
                aged = form == "When was {x} born?" and not person
                asked = "When was {x} founded?" if aged else form
                return asked.replace(
                    "founded", "released" if _of_works(low) else "founded"
                ), operator
        return _happened(head) or (None if person else "When was {x}?"), operator
    if operator is None or re.search(r"\b(?:live|lived|life|lifespan)\b", low):
        return None, operator
    if counted := _counted(head):
        return counted, operator
    if held := _HAS_MORE.search(head):
        quantity = _QUANTITIES.search(held["what"])
        what = held["what"][: quantity.end()] if quantity else None
        return (f"What is the {what} of {{x}}?" if what else None), operator
    for words, form in _MEASURES:
        if re.search(words, low):
            return form, operator
    return None, operator


def _happened(head: str) -> str | None:
    """Return how it is asked when what a question tells of two things happened to one of them.

    "Which mine first entered into production" is "When did {x} enter into production?", "Which film
    did Ann direct first" is "When did Ann direct {x}?". None where no verb in the past tells it.
    """
    if not re.match(r"(?:which|what|who)\b", head, re.IGNORECASE):
        return None
    if did := _DID.search(head):
        return f"When did {did['who']} {did['verb']} {{x}}?"
    doc = parser()(head)
    verb = next((t for t in doc if t.dep_ == "ROOT" and t.pos_ == "VERB"), None)
    if verb is None or verb.tag_ != "VBD" or verb.lemma_ in {"do", "have"}:
        return None
    subject = next((c for c in verb.children if c.dep_ == "nsubj"), None)
    if subject is None or subject.left_edge.i or any(c.dep_ == "neg" for c in verb.children):
        return None
    said = [t for t in doc[verb.i + 1 :] if t.lower_ not in _WHEN_OF_TWO and not t.is_punct]
    rest = " ".join([verb.lemma_, *(t.text for t in said)])
    return None if _COMPARES.search(rest) else f"When did {{x}} {rest}?"


_DID = re.compile(
    r"\bdid (?P<who>(?:the )?[A-Z]\w+) (?P<verb>[a-z]+)"
    rf"(?: (?:{'|'.join(sorted(_WHEN_OF_TWO))}))?\W*$"
)
_COMPARES = re.compile(rf"\b(?:{_EARLIER}|{_LATER}|{_LARGER}|{_SMALLER}|date|year|time)\b")


def _of_works(head: str) -> bool:
    """Tell that works are compared ("which film did X make first"): nobody founds one."""
    kinds = {noun_type(word) for word in head.split()[1:5]}
    return AnswerType.WORK in kinds and AnswerType.ORGANISATION not in kinds


def _counted(head: str) -> str | None:
    """Return how the things are counted of which one has more; None where none are."""
    match = _COUNTED.search(head)
    if match is None:
        return None
    what, verb = match["what"], match["verb"]
    if match["helper"] and verb:
        return f"How many {what} {match['helper'].replace('have', 'has')} {{x}} {verb}?"
    verbal = parser()(f"It {verb} them.")[1] if verb else None
    if verbal is None or verbal.pos_ != "VERB":
        return f"How many {what} {'did' if match['helper'] == 'had' else 'does'} {{x}} have?"
    helper = "did" if verbal.tag_ in {"VBD", "VBN"} else "does"
    return f"How many {what} {helper} {{x}} {verbal.lemma_}?"


def compared(
    question: str,
    options: list[str],
    role: str | None,
    asked: str,
    operator: Operator,
    labels: list[str],
) -> list[SubQuestion]:
    """Return bridge lookups, the lookups compared, and the operator."""
    steps = []
    things = list(options)
    if role is not None:
        for number, option in enumerate(options, 1):
            text = f"Who is the {role} of {option}?"
            steps.append(SubQuestion(text=text, expects=AnswerType.PERSON))
            things[number - 1] = f"#{number}"
    first = len(steps) + 1
    for thing in things:
        text = asked.replace("{x}", thing)
        steps.append(lookup(text))
    steps.append(
        SubQuestion(
            text=question,
            kind="operator",
            expects=AnswerType.YES_NO if not labels else AnswerType.ANY,
            operator=operator,
            arguments=(first, first + 1),
            labels=tuple(labels),
        )
    )
    return steps
