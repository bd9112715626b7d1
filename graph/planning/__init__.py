"""Planners, and the code that checks and ranks what they propose."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from graph.planning.agreement import decompose_agreement
from graph.planning.arithmetic import decompose_arithmetic, decompose_count
from graph.planning.check import normal, rank
from graph.planning.chinese import decompose_chinese
from graph.planning.common import decompose_common
from graph.planning.comparison import decompose_comparison
from graph.planning.kind import decompose_kind
from graph.planning.kinship import readings
from graph.planning.language import expected_type
from graph.planning.learned import learned
from graph.planning.model import Complete, propose_by_model
from graph.planning.nested import decompositions
from graph.planning.substitute import unreferenced
from graph.types import Plan, SubQuestion
from retrievers.analysis import language_of

# Shares of plans found right on the training questions; see benchmarks/planning.py.
COMPARISON = 0.9
NESTED = 0.8
WHOLE = 0.35
COUNT = 0.3
"""Below the whole question: a passage that states the number is worth more than a list."""
LINGUISTIC = "linguistic"
LEARNED = "learned"
WHOLE_QUESTION = "whole-question"
"""Name of the planner that asks the question in one lookup."""


def by_language(question: str) -> list[Plan]:
    """Return the plans that grammar and the learned splits give: often one, sometimes none."""
    if language_of(question) == "zh":
        return [
            *_plans(question, LINGUISTIC, [(decompose_kind(question), COMPARISON)]),
            *_plans(question, LINGUISTIC, [(decompose_chinese(question), NESTED)]),
        ]
    question = _capital(question)
    found = [
        (decompose_comparison(question), COMPARISON),
        (decompose_agreement(question), COMPARISON),
        (decompose_common(question), COMPARISON),
        (decompose_kind(question), COMPARISON),
        (decompose_arithmetic(question), COMPARISON),
        (decompose_count(question), COUNT),
    ]
    return [*_plans(question, LINGUISTIC, found), *nested(question)]


def _capital(question: str) -> str:
    """Return a question as one writes it: the forms and the parser know openings in capitals."""
    return f"{question[:1].upper()}{question[1:]}"


def nested(question: str) -> list[Plan]:
    """Return the plans for an English question that describes what it does not name.

    The learned splits weigh what grammar finds as well, as it splits some questions that ask for
    one thing under two conditions. Of kinship, which one word holds, only grammar knows.
    """
    weighed = learned(question)
    grammar = _plans(
        question,
        LINGUISTIC,
        [(steps, NESTED / (1 + n)) for n, steps in enumerate(decompositions(question))],
    )
    other = [
        plan
        for plan in _plans(question, LEARNED, weighed.plans)
        if not any(_agree(plan, known) for known in grammar)
    ]
    agreed = len(other) < len(weighed.plans)
    if readings(question) == [question] and not agreed:
        trust = 1 - weighed.whole
        grammar = [p.model_copy(update={"score": p.score * trust}) for p in grammar]
    return [*grammar, *other]


def _agree(plan: Plan, known: Plan) -> bool:
    """Tell whether two plans are the same but for the wording of later steps."""
    first, same = normal(plan.steps[0].text), normal(known.steps[0].text)
    return len(plan.steps) == len(known.steps) and first == same


def _plans(
    question: str, planner: str, found: Sequence[tuple[Sequence[SubQuestion] | None, float]]
) -> list[Plan]:
    return [
        Plan(steps=tuple(steps), planner=planner, score=score)
        for steps, score in found
        if steps and (len(steps) > 1 or normal(steps[0].text) != normal(question))
    ]


def whole(question: str) -> Plan:
    """Return the plan that asks the question in one lookup: always the last path."""
    step = SubQuestion(text=question, expects=expected_type(question))
    return Plan(steps=(step,), planner=WHOLE_QUESTION, score=WHOLE)


async def propose(
    question: str, complete: Complete | None = None, *, trained: bool = False
) -> list[Plan]:
    """Return the plans for a question, checked and ranked, the whole question last.

    The model is asked only where grammar found no plan: an untrained small model repeats the
    question more often than it splits it, and what it says costs a second. One that is `trained`
    gets the short prompt that it was trained on.
    """
    question = unreferenced(question)
    plans = rank(question, await asyncio.to_thread(by_language, question))
    if not plans and complete is not None:
        proposed = await propose_by_model(question, complete, trained=trained)
        plans = rank(question, [proposed] if proposed is not None else [])
    plans = [plan for plan in plans if len(plan.steps) > 1 or plan.planner != "model"]
    return [*plans, whole(question)]
