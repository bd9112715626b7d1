"""The data of a search over a question tree. Everything here can be written to a checkpoint."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class AnswerType(StrEnum):
    """What kind of thing a sub-question asks for."""

    PERSON = "person"
    PLACE = "place"
    ORGANISATION = "organisation"
    WORK = "work"
    DATE = "date"
    NUMBER = "number"
    YES_NO = "yes_no"
    ENTITY = "entity"
    """A named thing of no particular kind."""
    ANY = "any"
    """Nothing is known about the answer: a phrase, a reason, a description."""


class Operator(StrEnum):
    """A step computed from earlier answers by typed code, never by a model."""

    EARLIER = "earlier"
    """The label whose date comes first (older person, earlier film)."""
    LATER = "later"
    """The label whose date comes last (younger person, later film)."""
    LARGER = "larger"
    SMALLER = "smaller"
    SAME = "same"
    """yes when all arguments mean the same, else no."""
    DIFFERENT = "different"
    BOTH = "both"
    """yes when all arguments are affirmative, else no."""
    EITHER = "either"
    INTERSECTION = "intersection"
    """What the arguments (lists or phrases) have in common."""
    COUNT = "count"
    SUM = "sum"
    DIFFERENCE = "difference"


class SubQuestion(BaseModel):
    """One step of a plan: a lookup to be sought, or an operator over earlier answers.

    `#k` in `text` or in a label stands for the answer of step k, counted from 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(min_length=1)
    kind: Literal["lookup", "operator"] = "lookup"
    expects: AnswerType = AnswerType.ANY
    operator: Operator | None = None
    arguments: tuple[int, ...] = ()
    """Step numbers (from 1) whose answers the operator compares; empty for a lookup."""
    labels: tuple[str, ...] = ()
    """For a choice: what is answered when the argument at that place wins ("Film A", or "#1")."""


class Plan(BaseModel):
    """An acyclic list of steps whose last one answers the question. See `planning.check`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: tuple[SubQuestion, ...] = Field(min_length=1)
    planner: str
    score: float = Field(ge=0, le=1)
    """How likely the plan is judged to be right, before anything was sought."""


class Candidate(BaseModel):
    """One answer read from one passage: always a span of that passage's text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passage_id: str
    text: str = Field(min_length=1)
    start: int = Field(ge=0)
    end: int
    """`passage.text[start:end] == text`, in characters."""
    score: float = Field(ge=0, le=1)
    """Probability that this span is the best answer, given that the passage holds one."""
    no_answer: float = Field(ge=0, le=1)
    """Probability that the passage holds no answer to the question."""
