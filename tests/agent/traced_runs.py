"""Events of runs as hoptree writes them, made by hand: what a test wants of them it can set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from events_by_hand import candidate, cluster, hit

from agent.traces import TraceWriter
from graph.events import (
    Answered,
    CandidatesRead,
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
    Token,
    Voted,
)
from graph.types import (
    Bound,
    Failure,
    FailureReason,
    Outcome,
    Plan,
    StepResult,
    SubQuestion,
    Verdict,
)
from graph.types import Path as TreePath
from retrievers.passage import Passage

START = 1_700_000_000.0
QUESTION = "When was the singer of the hit born?"
SINGER = Passage(
    id="p-singer",
    title="The hit",
    text="The hit was sung by Ann Lee, not by Bob Ray.",
    url="https://example.org/hit",
)
OTHER = Passage(id="p-other", title="The charts", text="Ann Lee stood in the charts for a year.")
BIRTH = Passage(id="p-birth", title="Bob Ray", text="Bob Ray was born in 1950 in a small town.")


ANN, BOB = candidate(SINGER, "Ann Lee", 0.9, 0.1), candidate(SINGER, "Bob Ray", 0.4, 0.1)
YEAR = candidate(BIRTH, "1950", 0.8)
SUNG = StepResult(
    question="Who sang the hit?",
    passages=(SINGER.id, OTHER.id),
    verdict=Verdict(
        answer="Ann Lee",
        confidence=0.7,
        margin=0.4,
        clusters=(cluster(0.8, ANN, supporters=[OTHER.id]), cluster(0.4, BOB)),
        explanation="“Ann Lee” has 2 independent votes",
    ),
)
NOT_FOUND = Failure(step=2, reason=FailureReason.NOTHING_RETRIEVED, detail="nothing on Ann Lee")
UNBORN = StepResult(question="When was Ann Lee born?", failure=NOT_FOUND)
BORN = StepResult(
    question="When was Bob Ray born?",
    passages=(BIRTH.id,),
    verdict=Verdict(
        answer="1950",
        confidence=0.9,
        margin=0.8,
        clusters=(cluster(0.8, YEAR),),
        explanation="“1950” has 1 independent vote",
    ),
)
PLAN = Plan(
    steps=(SubQuestion(text="Who sang the hit?"), SubQuestion(text="When was #1 born?")),
    planner="linguistic",
    score=0.8,
)
FIRST = TreePath(plan=0, origin="plan 1, by the linguistic planner", prior=0.8)
SECOND = TreePath(
    plan=0,
    origin="runner-up “Bob Ray” for step 1",
    prior=0.4,
    bound={1: Bound(answer="Bob Ray", confidence=0.3, question="who sang the hit", cluster=1)},
)


def run(name: str = "20260101-000000-abcdef", question: str = QUESTION) -> list[Event]:
    """A run of two paths: the first is left at its second step, the second gives the answer."""
    return [
        RunStarted(
            at=START,
            run=name,
            question=question,
            language="en",
            settings={"index": "notes", "max_paths": 6},
        ),
        Planned(at=START + 1.0, plans=(PLAN,)),
        PathOpened(at=START + 1.0, number=1, path=FIRST),
        Retrieved(
            at=START + 1.5,
            queries=("Who sang the hit?",),
            hits=((hit(SINGER), hit(OTHER, 1)),),
            seconds=0.5,
        ),
        CandidatesRead(
            at=START + 2.0,
            step=1,
            question="Who sang the hit?",
            candidates=(BOB, ANN),
            seconds=0.5,
        ),
        Voted(at=START + 2.0, step=1, result=SUNG),
        Retrieved(at=START + 2.5, queries=("When was Ann Lee born?",), hits=((),), seconds=0.5),
        Voted(at=START + 2.5, step=2, result=UNBORN),
        PathLeft(at=START + 2.5, number=1, failure=NOT_FOUND),
        PathOpened(at=START + 2.5, number=2, path=SECOND),
        Retrieved(
            at=START + 3.0, queries=("When was Bob Ray born?",), hits=((hit(BIRTH),),), seconds=0.5
        ),
        CandidatesRead(
            at=START + 3.5,
            step=2,
            question="When was Bob Ray born?",
            candidates=(YEAR,),
            seconds=0.5,
        ),
        Voted(at=START + 3.5, step=2, result=BORN),
        PathSolved(
            at=START + 3.5,
            number=2,
            outcome=Outcome(path=SECOND, answer="1950", confidence=0.27),
        ),
        Notice(at=START + 3.5, text="the search ended early"),
        Token(at=START + 5.0, text="Born in 1950"),
        Token(at=START + 5.5, text=" [1]."),
        ModelCalled(
            at=START + 5.5,
            purpose="compose",
            prompt="[human] When?",
            output="Born in 1950 [1].",
            input_tokens=40,
            output_tokens=8,
            cached_tokens=10,
            seconds=2.0,
            finish_reason="stop",
        ),
        Answered(
            at=START + 6.0,
            status="answered",
            answer="1950",
            text="Born in 1950 [1].",
            confidence=0.27,
            citations=(
                Citation(
                    number=1,
                    passage=BIRTH,
                    start=YEAR.start,
                    end=YEAR.end,
                    quote="1950",
                    question="When was Bob Ray born?",
                ),
            ),
            passages=(BIRTH, SINGER, OTHER),
        ),
    ]


def long_run(name: str, paths: int) -> list[Event]:
    """A run that walks its first path again and again before it walks the second."""
    events = run(name)
    walk = events[2:9]
    again = [
        event.model_copy(update={"number": number}) if hasattr(event, "number") else event
        for number in range(2, paths)
        for event in walk
    ]
    return [*events[:9], *again, *events[9:]]


def written(folder: Path, events: Sequence[Event]) -> Path:
    """Write a run's trace where the viewer finds it."""
    started = events[0]
    assert isinstance(started, RunStarted)
    with TraceWriter(folder, started.run) as trace:
        for event in events:
            trace.write(event)
    return trace.path
