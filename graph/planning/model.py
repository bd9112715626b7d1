"""A plan proposed by a language model. It is only a proposal: `check` decides.

A model writes its steps as texts. One of them may name an operator over earlier answers, and for a
choice what is answered when one of them wins: `earlier of #1, #2: Film A | Film B`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import ValidationError

from graph.planning.language import expected_type, lookup
from graph.types import AnswerType, Operator, Plan, SubQuestion
from prompts.loader import render
from prompts.schemas import ProposedPlan
from retrievers.analysis import language_of

Complete = Callable[[str, dict[str, Any]], Awaitable[str]]
"""Prompt and JSON schema to text; the text may break the schema where a model cannot be bound."""
SCORE = 0.5
LONGEST = 400
"""Characters of a question that a small model may be asked to split."""
_COMPUTED = re.compile(
    rf"(?P<operator>{'|'.join(Operator)}) of (?P<arguments>#\d+(?:, #\d+)*)(?:: (?P<labels>.+))?"
)
_BETWEEN = " | "


def plan_prompt(question: str, *, trained: bool) -> str:
    """Return what a model is asked: with examples, or shortly where an adapter has learned it."""
    return render("plan_trained" if trained else "plan", language_of(question), question=question)


async def propose_by_model(
    question: str, complete: Complete, *, trained: bool = False
) -> Plan | None:
    """Ask the model for a plan; None where it wrote none, or for a question over `LONGEST`.

    A model with an adapter of `training.planner.adapter` is `trained`.
    """
    if len(question) > LONGEST:
        return None
    written = await complete(
        plan_prompt(question, trained=trained), ProposedPlan.model_json_schema()
    )
    begin, end = written.find("{"), written.rfind("}")
    try:
        proposed = ProposedPlan.model_validate_json(written[begin : end + 1])
        steps = [step_of(text.strip(), question) for text in proposed.steps]
    except ValidationError:
        return None
    return Plan(steps=tuple(steps), planner="model", score=SCORE)


def step_of(written: str, question: str) -> SubQuestion:
    """Return the step that a written one stands for; an operator's text is the question itself."""
    found = _COMPUTED.fullmatch(written)
    if found is None:
        return lookup(written)
    operator = Operator(found["operator"])
    labels = found["labels"].split(_BETWEEN) if found["labels"] else []
    asked = expected_type(question)
    return SubQuestion(
        text=question,
        kind="operator",
        # A choice answers with one of its labels, whatever its question looks like.
        expects=AnswerType.ANY if len(labels) > 1 and asked is not AnswerType.YES_NO else asked,
        operator=operator,
        arguments=tuple(int(n) for n in re.findall(r"\d+", found["arguments"])),
        labels=tuple(labels),
    )


def written_step(step: SubQuestion) -> str:
    """Return a step as a model writes it: the inverse of `step_of`."""
    if step.operator is None:
        return step.text
    told = ", ".join(f"#{n}" for n in step.arguments)
    labels = f": {_BETWEEN.join(step.labels)}" if step.labels else ""
    return f"{step.operator} of {told}{labels}"
