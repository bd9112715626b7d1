"""Questions that compare: "Which film has the director who was born first, A or B?".

Each option gets its own lookups (with a bridge where the thing compared is not the option itself
but its director, say), and a typed operator decides.
"""

from __future__ import annotations

import re

from graph.planning.language import Masked, expected_type
from graph.planning.nested import decompose
from graph.types import AnswerType, Operator, SubQuestion

_EARLIER = r"first|earlier|earliest|older|oldest|sooner|before"
_LATER = r"later|latest|last|younger|youngest|newer|more recently|most recently|recently|after"
_LARGER = r"more|most|larger|largest|bigger|biggest|longer|longest|taller|tallest|higher|highest|greater|greatest|farther|further|deeper|heavier"
_SMALLER = r"fewer|fewest|less|least|smaller|smallest|shorter|shortest|lower|lowest|closer"
_DIRECTIONS = (
    (Operator.EARLIER, rf"\b(?:{_EARLIER})\b"),
    (Operator.LATER, rf"\b(?:{_LATER})\b"),
    (Operator.LARGER, rf"\b(?:{_LARGER})\b"),
    (Operator.SMALLER, rf"\b(?:{_SMALLER})\b"),
)
# What is compared in time, by the words that say so, and how it is asked of one thing.
_TIMES = (
    (r"\b(?:die|died|dies|dead|death|lived)\b", "When did {x} die?"),
    (r"\b(?:born|birth|old(?:er|est)|young(?:er|est))\b", "When was {x} born?"),
    (
        r"\b(?:released|release|came out|come out|premiered|aired|debuted|newer)\b",
        "When was {x} released?",
    ),
    (r"\b(?:published|publish|issued|written)\b", "When was {x} published?"),
    (r"\b(?:built|constructed|completed|opened)\b", "When was {x} built?"),
    (
        r"\b(?:formed|started|began|begin|established|founded|created|launched|developed)\b",
        "When was {x} founded?",
    ),
    (
        r"\b(?:decided|fought|held|happened|take place|took place|occurred|ended|came|come)\b",
        "When was {x}?",
    ),
)
_MEASURES = (
    (r"\btall(?:er|est)\b|\bhigh(?:er|est)\b", "How tall is {x}?"),
    (r"\blong(?:er|est)\b|\bshort(?:er|est)\b", "How long is {x}?"),
    (r"\b(?:population|populated|people|inhabitants)\b", "What is the population of {x}?"),
    (r"\b(?:larger|largest|bigger|biggest|smaller|smallest)\b", "How large is {x}?"),
)
_COUNTED = re.compile(
    r"\b(?:more|most|fewer|fewest|less)\s+(?P<what>[a-z][\w-]*(?: [a-z][\w-]*){0,2})", re.IGNORECASE
)
_OPTIONS = re.compile(
    r"^(?P<head>.+?)(?:[,:]| between| from| out of| -) ?(?P<a>[^,]+(?:,[^,]+)*?),? or (?P<b>.+?)\s*\?*$"
)
_TAIL_OPTIONS = re.compile(
    r"^(?:Between |Of |Out of )(?:the )?(?:two )?(?P<a>.+?),? (?:and|or) (?P<b>.+?), (?P<head>.+?)\??$"
)
_BARE_OPTIONS = re.compile(r"^(?P<head>.*?) (?P<a>[A-Z]\w+),? or (?P<b>[A-Z]\w+)\s*\?*$")
_SUBJECT_OPTIONS = re.compile(
    r"^(?:Is|Was|Did|Does|Has) (?P<a>.+?) or (?P<b>[A-Z]\w+) (?P<head>.+?)\??$"
)
_ROLE = re.compile(r"\b(?:has|have|had|with|whose|whos)\s+(?:an?\s+|the\s+)?(?P<role>[a-z-]+)\b")
_ROLES = frozenset(
    "director composer performer singer author writer founder producer creator publisher artist "
    "directors composers performers singers authors writers founders producers creators".split()
)
_YES_NO = re.compile(
    r"^(?P<verb>Are|Is|Were|Was|Do|Does|Did|Have|Has|Had)(?: both)?(?P<noun>(?: of)?(?: the)?(?: [a-z]+){0,3}?),?"
    r"(?: of)? (?:the )?(?:(?P<role>[a-z]+) of )?(?P<a>[A-Z]\w+(?:, [A-Z]\w+)?),? and "
    r"(?:the )?(?:(?P=role) of )?(?P<b>[A-Z]\w+(?:, [A-Z]\w+)?),? (?P<rest>.+?)\??$"
)
_SHARED = (
    (
        r"nationalit|citizenship|from the same country|same country of",
        "What nationality is {x}?",
        AnswerType.PLACE,
    ),
    (
        r"same (?P<what>country|city|state|county|continent|province|district|region|town)",
        "In which {what} is {x}?",
        AnswerType.PLACE,
    ),
    (r"same (?P<what>year|date|decade|day)", "When was {x} born?", AnswerType.DATE),
    (
        r"(?:same|common|share)(?: the| a)? (?P<what>[a-z]+(?: [a-z]+)?)",
        "What is the {what} of {x}?",
        AnswerType.ANY,
    ),
)
_BOTH = re.compile(r"^(?:both )?(?:an? |the )?(?P<phrase>[\w' -]+)$")


def decompose_comparison(question: str) -> list[SubQuestion] | None:
    """Return the steps of a comparing question; None where it does not compare two things."""
    masked = Masked(question)
    return _choice(masked) or _yes_no(masked)


def _choice(masked: Masked) -> list[SubQuestion] | None:
    for pattern in (_TAIL_OPTIONS, _OPTIONS, _BARE_OPTIONS, _SUBJECT_OPTIONS):
        match = pattern.match(masked.text)
        if match:
            break
    else:
        return None
    head = match["head"].strip(" ,")
    options = [_option(match["a"], masked), _option(match["b"], masked)]
    if not all(options):
        return None
    operator = next((op for op, words in _DIRECTIONS if re.search(words, head, re.I)), None)
    if operator is None:
        return None
    asked, operator = _measured(head, operator)
    if asked is None:
        return None
    return _compared(masked.unmask(match[0]), options, _role(head), asked, operator, options)


def _option(text: str, masked: Masked) -> str:
    unmasked = masked.unmask(text.strip(" ,?"))
    # The noun that says what it is does not belong to the name.
    return re.sub(r"^(?:either |the |both )?(?:film |movie |song |album )?", "", unmasked).strip(
        '" '
    )


def _role(head: str) -> str | None:
    match = _ROLE.search(head)
    role = match["role"].removesuffix("s") if match else None
    return role if role in _ROLES else None


def _measured(head: str, operator: Operator) -> tuple[str | None, Operator]:
    """Return how the compared quantity is asked of one thing, and the operator on it."""
    low = head.lower()
    if operator in {Operator.EARLIER, Operator.LATER}:
        for words, form in _TIMES:
            if re.search(words, low):
                # "older" of a person is born earlier; of a thing, founded earlier.
                person = re.match(r"(?:who|which (?:person|man|woman|actor|actress|director))", low)
                if (
                    form == "When was {x} born?"
                    and not person
                    and "born" not in low
                    and _role(head) is None
                ):
                    form = "When was {x} founded?"
                return form, operator
        return "When was {x}?", operator
    if re.search(r"\b(?:live|lived|life|lifespan)\b", low):
        return None, operator
    for words, form in _MEASURES:
        if re.search(words, low):
            return form, operator
    counted = _COUNTED.search(head)
    if counted:
        what = counted["what"].removesuffix(" than")
        return f"How many {what} does {{x}} have?", operator
    return None, operator


def _compared(
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
        steps.append(SubQuestion(text=text, expects=expected_type(text)))
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


def _yes_no(masked: Masked) -> list[SubQuestion] | None:
    match = _YES_NO.match(masked.text)
    if match is None:
        return None
    options = [_option(match["a"], masked), _option(match["b"], masked)]
    rest, question = match["rest"], masked.unmask(match[0])
    named = [match["role"] or "", *rest.split()]
    role = next((w.removesuffix("s") for w in named if w in _ROLES), None)
    for words, form, _ in _SHARED:
        shared = re.search(words, rest)
        if shared:
            what = shared.groupdict().get("what") or ""
            asked = form.replace("{what}", what)
            if role is not None and what == role:
                asked, role = "Who is the {what} of {x}?".replace("{what}", what), None
            operator = Operator.DIFFERENT if "different" in rest else Operator.SAME
            return _compared(question, options, role, asked, operator, [])
    phrase = _BOTH.match(rest)
    if phrase and match["verb"] in {"Are", "Is", "Were", "Was"}:
        said = masked.unmask(phrase["phrase"]).strip()
        return _compared(question, options, None, "What is {x}?", Operator.BOTH, [said])
    return None


def plan_steps(question: str) -> list[SubQuestion]:
    """Decompose a question: as a comparison where it is one, else by its nested descriptions."""
    return decompose_comparison(question) or decompose(question)
