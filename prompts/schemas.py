"""Schemas of what a model writes: what it says is data until code has checked it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

MOST_STEPS = 6
"""Steps that a model may write."""


class ProposedPlan(BaseModel):
    """A plan as a model proposes it: questions in order, `#k` for the answer of the k-th."""

    model_config = ConfigDict(extra="forbid")

    steps: list[str] = Field(min_length=1, max_length=MOST_STEPS)
