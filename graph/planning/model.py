"""A plan proposed by a language model. It is only a proposal: `check` decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import ValidationError

from graph.planning.language import expected_type
from graph.types import Plan, SubQuestion
from prompts.loader import render
from prompts.schemas import ProposedPlan
from retrievers.analysis import language_of

Complete = Callable[[str, dict[str, Any]], Awaitable[str]]
"""Prompt and JSON schema to text; the text may break the schema where a model cannot be bound."""
SCORE = 0.5
LONGEST = 400
"""Characters of a question that a small model may be asked to split."""


async def propose_by_model(question: str, complete: Complete) -> Plan | None:
    """Ask the model for a plan; None where it wrote none, or for a question over `LONGEST`."""
    if len(question) > LONGEST:
        return None
    prompt = render("plan", language_of(question), question=question)
    written = await complete(prompt, ProposedPlan.model_json_schema())
    begin, end = written.find("{"), written.rfind("}")
    try:
        proposed = ProposedPlan.model_validate_json(written[begin : end + 1])
        steps = [SubQuestion(text=t.strip(), expects=expected_type(t)) for t in proposed.steps]
    except ValidationError:
        return None
    return Plan(steps=tuple(steps), planner="model", score=SCORE)
