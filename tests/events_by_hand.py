"""Events made by hand: one of every kind, with texts that try a trace's format."""

from __future__ import annotations

from collections.abc import Sequence

from graph.events import (
    Answered,
    CandidatesRead,
    Citation,
    Correction,
    Event,
    Inherited,
    ModelCalled,
    Notice,
    PathLeft,
    PathOpened,
    PathSolved,
    Planned,
    Retrieved,
    RunFailed,
    RunResumed,
    RunStarted,
    StepAsked,
    Token,
    Voted,
)
from graph.types import (
    AnswerType,
    Bound,
    Candidate,
    Cluster,
    Failure,
    FailureReason,
    Operator,
    Outcome,
    Path,
    Plan,
    StepResult,
    SubQuestion,
    Verdict,
)
from retrievers.passage import Hit, Passage


def candidate(passage: Passage, text: str, score: float, no_answer: float = 0.0) -> Candidate:
    start = passage.text.index(text)
    return Candidate(
        passage_id=passage.id,
        text=text,
        start=start,
        end=start + len(text),
        score=score,
        no_answer=no_answer,
    )


def hit(passage: Passage, rank: int = 0) -> Hit:
    return Hit(passage=passage, score=0.03, lexical_rank=rank, dense_rank=None)


def cluster(strength: float, *candidates: Candidate, supporters: Sequence[str] = ()) -> Cluster:
    return Cluster(
        text=candidates[0].text,
        strength=strength,
        votes=len(candidates),
        candidates=candidates,
        supporters=tuple(supporters),
    )


NASTY = 'He said “no” \\ "yes"\n\r\t {#1} [1] 长江 🐼 \u2028 \u0085 \x07 é'
PASSAGE = Passage(
    id="p1",
    title="Polák",
    text=f"Born in Prague. {NASTY}",
    document="p",
    source="films.example",
    url="https://example.org/?a=1&b=2",
    offset=3,
    time_start=0.5,
    time_end=61.25,
    metadata={"year": 1963, "tags": ["film", None, True]},
)
CANDIDATE = candidate(PASSAGE, "Prague", 0.9, 0.1)
PLAN = Plan(
    steps=(
        SubQuestion(text="Who directed A?", expects=AnswerType.PERSON),
        SubQuestion(text="Who directed B?", expects=AnswerType.PERSON),
        SubQuestion(
            text="Which is older?",
            kind="operator",
            operator=Operator.EARLIER,
            arguments=(1, 2),
            labels=("A", "#2"),
        ),
    ),
    planner="test",
    score=0.8,
)
PATH = Path(
    plan=0,
    origin="plan 1",
    prior=0.8,
    bound={1: Bound(answer="Ann", confidence=0.5, question="who directed a", cluster=1)},
    wording={2: "Who was the director of B?"},
)
RESULT = StepResult(
    question="Where was he born?",
    passages=("p1",),
    verdict=Verdict(
        answer="Prague",
        confidence=0.7,
        margin=0.4,
        clusters=(cluster(0.8, CANDIDATE, supporters=["p2"]),),
        explanation=NASTY,
    ),
)
FAILURE = Failure(step=2, reason=FailureReason.NOTHING_READ, detail=NASTY)
CITATION = Citation(
    number=1, passage=PASSAGE, start=8, end=14, quote="Prague", question="Where was he born?"
)
SETTINGS: dict[str, str | int | float | bool | None] = {
    "model": "m.gguf",
    "max_paths": 6,
    "max_seconds": 60.0,
    "told": True,
    "index": None,
}
EVENTS: list[Event] = [
    RunStarted(
        run="r",
        question=NASTY,
        language="en",
        settings=SETTINGS,
        forked_from="q",
        corrected=Correction(path=1, step=2, answer=NASTY),
    ),
    RunResumed(run="r", settings=SETTINGS, answer=NASTY),
    Inherited(results=(RESULT,), passages=(PASSAGE,)),
    Planned(plans=(PLAN,)),
    PathOpened(number=1, path=PATH),
    Retrieved(queries=("Where?",), hits=((hit(PASSAGE),),), seconds=0.1),
    CandidatesRead(step=1, question="Where?", candidates=(CANDIDATE,), seconds=0.2),
    Voted(step=1, result=RESULT),
    Voted(step=2, result=StepResult(question="Who?", failure=FAILURE), remembered=True),
    StepAsked(step=1, result=RESULT),
    PathLeft(number=1, failure=FAILURE),
    PathSolved(number=2, outcome=Outcome(path=PATH, answer="Prague", confidence=0.4)),
    ModelCalled(
        purpose="compose",
        prompt=NASTY,
        output=NASTY,
        input_tokens=5,
        output_tokens=4,
        cached_tokens=3,
        seconds=0.2,
        finish_reason="stop",
    ),
    Token(text=NASTY),
    Notice(text=NASTY),
    Answered(
        status="answered",
        answer="Prague",
        text="Prague [1].",
        confidence=0.4,
        citations=(CITATION,),
        passages=(PASSAGE,),
    ),
    RunFailed(error=NASTY),
]
