"""What a person or a program gets back: the answer with everything that led to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.errors import WaitingError
from graph.events import (
    Answered,
    Citation,
    Event,
    ModelCalled,
    Notice,
    PathLeft,
    PathOpened,
    PathSolved,
    Planned,
    Retrieved,
    RunStarted,
    StepAsked,
    Voted,
    elapsed,
)
from graph.tree import QuestionNode
from graph.types import Failure, Limits, Plan, StepResult, Way
from retrievers.passage import Passage


class StepTaken(BaseModel):
    """A step of a path as it went."""

    model_config = ConfigDict(frozen=True)

    step: int
    result: StepResult
    remembered: bool = False


class PathTaken(BaseModel):
    """A path of the tree: its steps, and its answer or why it was left."""

    model_config = ConfigDict(frozen=True)

    number: int
    plan: int
    origin: str
    """Why it was opened, in words."""
    way: Way = Way.PLAN
    bound: dict[int, str] = Field(default_factory=dict)
    """The answers that it was opened with, by step: they are not sought again."""
    steps: tuple[StepTaken, ...] = ()
    answer: str | None = None
    confidence: float = 0.0
    failure: Failure | None = None


class Tree(BaseModel):
    """The root question, its alternative plans, and the paths that were walked."""

    model_config = ConfigDict(frozen=True)

    question: str
    plans: tuple[Plan, ...] = ()
    paths: tuple[PathTaken, ...] = ()
    """In the order in which they were opened, each with its steps."""
    root: QuestionNode | None = None
    """All of it as one OR/AND tree, with what was not tried. None in the rows of an evaluation."""


class Usage(BaseModel):
    """What the answer cost."""

    model_config = ConfigDict(frozen=True)

    seconds: float = 0.0
    model_seconds: float = 0.0
    retrieval_seconds: float = 0.0
    model_calls: int = 0
    retrieval_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0


class Answer(BaseModel):
    """The machine form of an answer; `hoptree ask --json` prints it."""

    model_config = ConfigDict(frozen=True)

    run: str
    question: str
    status: Literal["answered", "abstained", "closed_book"]
    answer: str | None
    """The short answer; None where nothing is claimed from sources."""
    text: str
    """The answer as a person reads it, with citation marks such as [1]."""
    confidence: float
    """Probability that the answer is right; see `graph.support.scoring`."""
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    """All passages found, those that carry the answer first."""
    notices: tuple[str, ...]
    tree: Tree
    usage: Usage


def tree_of(events: Iterable[Event]) -> Tree:
    """Replay the tree from a run's events alone."""
    from graph.growing import question_tree  # which loads the planners: not to print a help text
    from graph.replay import state_of

    events = list(events)
    ways = Limits().ways
    question = ""
    plans: tuple[Plan, ...] = ()
    paths: list[PathTaken] = []
    for event in events:
        match event:
            case RunStarted():
                question = event.question
                told = event.settings.get("ways")
                ways = Limits.model_validate({"ways": told}).ways if told is not None else ways
            case Planned():
                plans = event.plans
            case PathOpened():
                opened = PathTaken(
                    number=event.number,
                    plan=event.path.plan,
                    origin=event.path.origin,
                    way=event.path.way,
                    bound={step: bound.answer for step, bound in event.path.bound.items()},
                )
                paths.append(opened)
            case Voted():
                taken = StepTaken(step=event.step, result=event.result, remembered=event.remembered)
                paths[-1] = paths[-1].model_copy(update={"steps": (*paths[-1].steps, taken)})
            case PathSolved():
                solved = {"answer": event.outcome.answer, "confidence": event.outcome.confidence}
                paths[-1] = paths[-1].model_copy(update=solved)
            case PathLeft():
                paths[-1] = paths[-1].model_copy(update={"failure": event.failure})
            case _:
                pass
    root = question_tree(state_of(events), ways)
    return Tree(question=question, plans=plans, paths=tuple(paths), root=root)


def answer_of(events: list[Event]) -> Answer:
    """Assemble the answer of a finished run from its events.

    Raises
    ------
    WaitingError
        Where it waits for a person.
    ValueError
        Where the run did not come to an end.
    """
    started = next((e for e in events if isinstance(e, RunStarted)), None)
    ended = next((e for e in reversed(events) if isinstance(e, Answered)), None)
    asked = next((e for e in reversed(events) if isinstance(e, StepAsked)), None)
    if started is not None and ended is None and asked is not None:
        raise WaitingError(
            f"step {asked.step} (“{asked.result.question}”) waits for a person's answer: "
            f'hoptree resume {started.run} --answer "…", or without one to go on as it is'
        )
    if started is None or ended is None:
        raise ValueError("the run did not come to an end")
    return Answer(
        run=started.run,
        question=started.question,
        status=ended.status,
        answer=ended.answer,
        text=ended.text,
        confidence=ended.confidence,
        citations=ended.citations,
        passages=ended.passages,
        notices=tuple(e.text for e in events if isinstance(e, Notice)),
        tree=tree_of(events),
        usage=usage_of(events),
    )


def usage_of(events: Sequence[Event]) -> Usage:
    """Add up what a run has cost so far; it need not have come to its end."""
    called = [e for e in events if isinstance(e, ModelCalled)]
    retrieved = [e for e in events if isinstance(e, Retrieved)]
    return Usage(
        seconds=elapsed(events),
        model_seconds=sum(e.seconds for e in called),
        retrieval_seconds=sum(e.seconds for e in retrieved),
        model_calls=len(called),
        retrieval_calls=len(retrieved),
        input_tokens=sum(e.input_tokens for e in called),
        output_tokens=sum(e.output_tokens for e in called),
        cached_tokens=sum(e.cached_tokens for e in called),
    )
