"""The trace: what is written can be read back, one event a line, and nothing else passes."""

from __future__ import annotations

import types
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

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
    event_adapter,
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
CANDIDATE = Candidate(passage_id="p1", text="Prague", start=8, end=14, score=0.9, no_answer=0.1)
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
        clusters=(
            Cluster(
                text="Prague", strength=0.8, votes=1, candidates=(CANDIDATE,), supporters=("p2",)
            ),
        ),
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
    Retrieved(
        queries=("Where?",), hits=((Hit(passage=PASSAGE, score=0.3, lexical_rank=0),),), seconds=0.1
    ),
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


def kinds() -> set[type[BaseModel]]:
    union = get_args(Event)[0]
    assert isinstance(union, types.UnionType)
    return set(get_args(union))


def test_every_kind_of_event_is_among_those_tested_here() -> None:
    assert {type(event) for event in EVENTS} == kinds()


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_an_event_is_one_line_and_is_read_back_as_it_was(event: Event) -> None:
    line = event.model_dump_json()
    assert "\n" not in line
    assert event_adapter.validate_json(line) == event


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_an_event_in_the_trace_does_not_change(event: Event) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        event.at = 0.0


def test_settings_keep_their_types_in_the_trace() -> None:
    written = RunStarted(run="r", question="Who?", language="en", settings=SETTINGS)
    read = event_adapter.validate_json(written.model_dump_json())
    assert isinstance(read, RunStarted)
    assert {k: type(v) for k, v in read.settings.items()} == {
        k: type(v) for k, v in SETTINGS.items()
    }


def test_the_steps_of_a_path_are_numbers_again_after_reading() -> None:
    read = event_adapter.validate_json(PathOpened(number=1, path=PATH).model_dump_json())
    assert isinstance(read, PathOpened)
    assert read.path.bound[1].answer == "Ann"
    assert read.path.signature() == PATH.signature()


texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
shares = st.floats(min_value=0, max_value=1)
read_back = st.one_of(
    st.builds(Token, text=texts),
    st.builds(Notice, text=texts),
    st.builds(RunFailed, error=texts),
    st.builds(
        PathLeft,
        number=st.integers(1, 64),
        failure=st.builds(
            Failure, step=st.integers(1, 8), reason=st.sampled_from(FailureReason), detail=texts
        ),
    ),
    st.builds(
        PathOpened,
        number=st.integers(1, 64),
        path=st.builds(
            Path,
            plan=st.integers(0, 3),
            origin=texts,
            prior=shares,
            bound=st.dictionaries(
                st.integers(1, 8),
                st.builds(Bound, answer=texts, confidence=shares, question=texts),
                max_size=3,
            ),
            wording=st.dictionaries(st.integers(1, 8), texts, max_size=2),
        ),
    ),
)


@given(read_back)
def test_whatever_the_texts_an_event_is_read_back_as_it_was(event: Event) -> None:
    line = event.model_dump_json()
    assert "\n" not in line
    assert event_adapter.validate_json(line) == event


@pytest.mark.parametrize(
    "line",
    [
        '{"at": 1.0, "type": "gossip", "text": "psst"}',
        '{"at": 1.0, "text": "of no type"}',
        '{"at": 1.0, "type": "token", "text": "more than asked", "mood": "good"}',
        '{"at": 1.0, "type": "token"}',
        '{"at": 1.0, "type": "token", "text": "cut',
    ],
)
def test_what_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(ValidationError):
        event_adapter.validate_json(line)


@pytest.mark.parametrize("wrong", [{"number": 0}, {"start": -1}, {"mood": "good"}])
def test_a_citation_counts_from_one_and_begins_in_the_passage(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Citation.model_validate({**CITATION.model_dump(), **wrong})
