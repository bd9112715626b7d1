"""Checking and ranking plans: pure code that trusts no planner."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from graph.planning.language import expected_type
from graph.planning.masking import Masked
from graph.planning.substitute import needs
from graph.planning.wellformed import flaw_of_its_own
from graph.types import AnswerType, Operator, Plan, SubQuestion
from graph.values.truth import NEGATION
from retrievers.analysis import HAN, language_of

MAX_STEPS = 8
MAX_LENGTH = 500
_ASKS = re.compile(
    r"\b(?:who|whom|whose|what|which|when|where|why|how|is|are|was|were|do|does|did|has|have)\b"
    r"|谁|什么|哪|何|几|多少|多[大长高远]|是否|是不是|有没有|吗|怎|为什么",
    re.IGNORECASE,
)


_ASKS_TWICE = re.compile(
    r"^(?:In |At |On |To )?(?:Who|What|Which|When|Where)\b.*\b(?:what|how (?:many|much|long))\b"
)
# What a split at a wrong place leaves of a question: "What is the university in Lawrence and?",
# "What was the of the two men?", "What is the larger than Rome?". What only the order of word
# classes tells is in `wellformed`.
_BROKEN = re.compile(
    r"\b(?:and|or|the|an?)\s*\?*$|\bthe (?:where|when)\b"
    r"|^(?:What|Who|Which)(?: (?:is|was))? the (?:of|before|after|in|on|at|by|that|which|who|with|"
    r"from|to)(?![\w-])|^Which th(?:e|is|ese)\b"
    r"|\bthe (?:more|less|fewer) [a-z]+ [^?]*\bthan\b|\bthe (?:more|less|fewer|[a-z]+er) than\b"
)
_COMPUTING = {Operator.COUNT, Operator.SUM, Operator.DIFFERENCE, Operator.INTERSECTION}
_DESCRIBES = re.compile(r"(?<=\S )(?:who|that|which|whose|without)\b", re.IGNORECASE)
_OPEN = {AnswerType.ANY, AnswerType.ENTITY}
# "Which American film …", "Which animal-themed Disney film …": of what kind both things are.
_OF_KIND = re.compile(
    r"(?<=^[Ww]hich )(?:(?:[A-Z\d][\w'’.-]*|[a-z]+-[\w-]+) )+(?=[a-z])"
    r"|(?<=^[Ww]hat )(?:(?:[A-Z\d][\w'’.-]*|[a-z]+-[\w-]+) )+(?=[a-z])"
)


def normal(text: str) -> str:
    """Return a question without what does not change its meaning: case, spaces, marks."""
    return " ".join(re.findall(r"#\d+|\w+", text.casefold()))


def _apart(text: str) -> str:
    """Return a text with spaces around its Chinese, so that names in Latin letters stand out."""
    return re.sub(rf"[{HAN}]+", r" \g<0> ", text)


def check(question: str, plan: Plan) -> list[str]:
    """Return what is wrong with a plan, in words; an empty list where nothing is.

    Checked are: references go backwards only (so the plan is acyclic); every step is used; every
    name and every negation of the question appears in some step; no step repeats the question or
    another step; texts are whole questions of bounded length, which of English ones the parser
    tells too; operators are well-formed. A plan of one lookup that asks the whole question is
    always right.
    """
    steps = plan.steps
    if len(steps) == 1 and steps[0].kind == "lookup" and normal(steps[0].text) == normal(question):
        return []
    problems = []
    if len(steps) > MAX_STEPS:
        problems.append(f"{len(steps)} steps are more than {MAX_STEPS}")
    used: set[int] = set()
    seen: dict[str, int] = {}
    for number, step in enumerate(steps, 1):
        needed = needs(step)
        wrong = sorted(n for n in needed if not 1 <= n < number)
        if wrong:
            problems.append(f"step {number} refers to #{wrong[0]}, which is not before it")
        used |= needed
        if not 0 < len(step.text.strip()) <= MAX_LENGTH:
            problems.append(f"step {number} has no text of usable length")
        if step.kind == "lookup":
            if normal(step.text) == normal(question):
                problems.append(f"step {number} repeats the question")
            if normal(step.text) in seen:
                problems.append(f"step {number} repeats step {seen[normal(step.text)]}")
            if step.operator is not None or step.arguments or step.labels:
                problems.append(f"step {number} is a lookup and cannot have an operator")
            if not _ASKS.search(step.text):
                problems.append(f"step {number} asks nothing")
            if _BROKEN.search(step.text):
                problems.append(f"step {number} is no whole question")
            if _ASKS_TWICE.search(step.text):
                problems.append(f"step {number} asks two things")
            seen.setdefault(normal(step.text), number)
        elif step.operator is None:
            problems.append(f"step {number} is an operator without its kind")
        else:
            if len(step.arguments) < step.operator.fewest:
                problems.append(f"step {number} compares too few answers")
            if step.labels and len(step.labels) not in {1, len(step.arguments)}:
                problems.append(f"step {number} has labels that do not match its arguments")
    unused = sorted(set(range(1, len(steps))) - used)
    if unused:
        problems.append(f"step {unused[0]} is not used")
    problems.extend(_last_step(question, steps[-1]))
    problems.extend(_negations(question, steps))
    # An operator's text is the question itself and proves nothing; its labels count.
    spoken = [[s.text] if s.kind == "lookup" else s.labels for s in steps]
    said = f" {normal(_apart(' '.join(text for texts in spoken for text in texts)))} "
    question = _apart(_OF_KIND.sub("", question) if _chooses(steps[-1]) else question)
    # The noun before a name ("film X") says what it is and may go.
    names = [re.sub(r"^(?:[a-z]+ )+(?=[^a-z])", "", title) for title in Masked(question).titles()]
    problems.extend(f"“{n}” is in no step" for n in names if f" {normal(n)} " not in said)
    numbers = re.findall(r"\b\d[\d.,]*\b", question)
    problems.extend(f"“{n}” is in no step" for n in numbers if f" {normal(n)} " not in said)
    if not problems and len(steps) > 1 and language_of(question) != "zh":
        problems.extend(_flaws(question, steps))
    return problems


def _flaws(question: str, steps: Sequence[SubQuestion]) -> Iterator[str]:
    """Yield what keeps lookups from being whole questions, but for what the question has too."""
    for number, step in enumerate(steps, 1):
        found = flaw_of_its_own(step.text, question) if step.kind == "lookup" else None
        if found is not None:
            yield f"step {number} {found}"


def _chooses(step: SubQuestion) -> bool:
    """Tell a step that answers with one of the things that the question names."""
    return step.kind == "operator" and len(step.labels) == len(step.arguments) > 1


def _last_step(question: str, last: SubQuestion) -> list[str]:
    """Return what keeps the last step from answering what the question asks for."""
    wanted = expected_type(question)
    if last.labels and last.expects is not AnswerType.YES_NO and last.operator is not Operator.BOTH:
        return []  # a choice: its labels stand in the question
    if wanted is last.expects or wanted in _OPEN:
        return []
    if last.expects in _OPEN and wanted is not AnswerType.YES_NO:
        return []
    return [f"the last step answers with a {last.expects}, the question asks for a {wanted}"]


def _negations(question: str, steps: Sequence[SubQuestion]) -> list[str]:
    """Return what a plan drops that turns the question into its opposite.

    A comparison knows no "not": of the steps that it compares, only what describes a thing may hold
    one ("the actor who never married", "the city without a river").
    """
    if not NEGATION.search(question):
        return []
    asked = [match[0] for match in NEGATION.finditer(Masked(question).text)]  # not those in titles
    compared = {
        n for s in steps if s.operator and s.operator not in _COMPUTING for n in s.arguments
    }
    said = [
        match[0].casefold()
        for number, step in enumerate(steps, 1)
        if step.kind == "lookup"
        for match in NEGATION.finditer(step.text)
        if number not in compared or _DESCRIBES.search(step.text[: match.end()])
    ]
    missing = Counter(word.casefold() for word in asked) - Counter(said)
    return [f"“{word}” is in no step that may hold it" for word in missing]


def rank(question: str, plans: Sequence[Plan]) -> list[Plan]:
    """Drop plans that are wrong or say the same as a better one; return the best first."""
    kept: dict[tuple[str, ...], Plan] = {}
    for plan in sorted(plans, key=lambda p: -p.score):
        if not check(question, plan):
            kept.setdefault(tuple(normal(step.text) for step in plan.steps), plan)
    return list(kept.values())
