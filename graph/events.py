"""The trace: typed events, in the order they happened, from which a run can be replayed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from graph.types import (
    Candidate,
    Failure,
    Outcome,
    Path,
    Plan,
    StepResult,
)
from retrievers.passage import Hit, Passage


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    at: float = Field(default_factory=time.time)
    """Seconds since the epoch."""


class Correction(BaseModel):
    """An answer that a person gave to a step of a path, both counted from 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: int = Field(ge=1)
    step: int = Field(ge=1)
    answer: str = Field(min_length=1)


class RunStarted(_Event):
    type: Literal["run_started"] = "run_started"
    run: str
    question: str
    language: str
    settings: dict[str, str | int | float | bool | None]
    forked_from: str | None = None
    """The run whose path this one takes, with a step that a person corrected."""
    corrected: Correction | None = None
    """What was corrected in that run; None where it is no fork."""


class RunResumed(_Event):
    """A run that was killed, stopped, or waited for a person goes on.

    The tokens told before it are void: a sentence that was cut is written anew.
    """

    type: Literal["run_resumed"] = "run_resumed"
    run: str
    settings: dict[str, str | int | float | bool | None]
    answer: str | None = None
    """What a person answered to the step that the run asked about."""


class Inherited(_Event):
    """What a fork knows from the run that it corrects, so that its own trace is whole."""

    type: Literal["inherited"] = "inherited"
    results: tuple[StepResult, ...]
    passages: tuple[Passage, ...]


class Planned(_Event):
    type: Literal["planned"] = "planned"
    plans: tuple[Plan, ...]


class PathOpened(_Event):
    type: Literal["path_opened"] = "path_opened"
    number: int
    path: Path


class Retrieved(_Event):
    """One retrieval round trip, for all sub-questions that were ready."""

    type: Literal["retrieved"] = "retrieved"
    queries: tuple[str, ...]
    hits: tuple[tuple[Hit, ...], ...]
    seconds: float


class CandidatesRead(_Event):
    type: Literal["candidates"] = "candidates"
    step: int
    question: str
    candidates: tuple[Candidate, ...]
    seconds: float


class Voted(_Event):
    """The verdict on a step, or why there is none."""

    type: Literal["verdict"] = "verdict"
    step: int
    result: StepResult
    remembered: bool = False
    """True where the answer came from an earlier path or step and nothing was paid again."""


class StepAsked(_Event):
    """The run waits for a person: a step is less sure than the limit `ask_below` says."""

    type: Literal["step_asked"] = "step_asked"
    step: int
    result: StepResult
    """What the vote decided, with its candidates; no verdict where nothing was found."""


class PathLeft(_Event):
    type: Literal["backtrack"] = "backtrack"
    number: int
    failure: Failure


class PathSolved(_Event):
    type: Literal["path_solved"] = "path_solved"
    number: int
    outcome: Outcome


class ModelCalled(_Event):
    type: Literal["model_call"] = "model_call"
    purpose: str
    prompt: str
    output: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    seconds: float
    finish_reason: str


class Token(_Event):
    type: Literal["token"] = "token"
    text: str


class Citation(BaseModel):
    """A numbered reference from the answer to a span of a passage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(ge=1)
    passage: Passage
    start: int = Field(ge=0)
    end: int
    quote: str
    """`passage.text[start:end]`."""
    question: str
    """The sub-question that this span answers."""


class Notice(_Event):
    """Something the reader of the answer must be told: no sources, a limit reached, …"""

    type: Literal["notice"] = "notice"
    text: str


class Answered(_Event):
    type: Literal["answer"] = "answer"
    status: Literal["answered", "abstained", "closed_book"]
    answer: str | None
    """The short answer; None where nothing is claimed from sources."""
    text: str
    """The whole text as streamed."""
    confidence: float
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    """Every passage the search found, the ones that carry the answer first."""


class RunFailed(_Event):
    type: Literal["run_failed"] = "run_failed"
    error: str


Event = Annotated[
    RunStarted
    | RunResumed
    | Inherited
    | Planned
    | PathOpened
    | Retrieved
    | CandidatesRead
    | Voted
    | StepAsked
    | PathLeft
    | PathSolved
    | ModelCalled
    | Token
    | Notice
    | Answered
    | RunFailed,
    Field(discriminator="type"),
]
event_adapter: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads one line of a trace file back into its event."""


def elapsed(events: Iterable[Event]) -> float:
    """Return the seconds that a run took: from each start or resumption to what it told last.

    The time in which it was stopped does not count, nor does a clock that was set back.
    """
    total = begun = last = 0.0
    for event in events:
        if isinstance(event, RunStarted | RunResumed):
            total, begun = total + max(0.0, last - begun), event.at
        last = event.at
    return total + max(0.0, last - begun)
