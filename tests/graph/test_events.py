"""The trace: what is written can be read back, one event a line, and nothing else passes."""

from __future__ import annotations

import types
from typing import Any, get_args

import pytest
from events_by_hand import CITATION, EVENTS, PATH, SETTINGS
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from graph.events import (
    Citation,
    Event,
    Notice,
    PathLeft,
    PathOpened,
    RunFailed,
    RunStarted,
    Token,
    event_adapter,
)
from graph.types import Bound, Failure, FailureReason, Path


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
