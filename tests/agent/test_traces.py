"""Traces: what was written is what is read, whatever ended the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import TraceError
from agent.traces import TraceWriter, new_run_id, read_trace
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
    RunFailed,
    RunStarted,
    Token,
    Voted,
)
from graph.types import (
    Bound,
    Candidate,
    Cluster,
    Failure,
    FailureReason,
    Outcome,
    Plan,
    StepResult,
    SubQuestion,
    Verdict,
)
from graph.types import Path as TreePath
from retrievers.passage import Hit, Passage

PASSAGE = Passage(
    id="大槐树", text="Line\u2028one\x85two\x1b[2J\n三。🐼", metadata={"a": [1, None]}
)
CANDIDATE = Candidate(passage_id="大槐树", text="one", start=5, end=8, score=0.1, no_answer=1 / 3)
CLUSTER = Cluster(text="one", strength=0.3, votes=1, candidates=(CANDIDATE,), supporters=("b",))
STEP = StepResult(
    question="Q?",
    passages=("大槐树",),
    verdict=Verdict(answer="one", confidence=0.3, margin=0.2, clusters=(CLUSTER,)),
)
FAILURE = Failure(step=2, reason=FailureReason.TIE, detail="both are “one”")
PATH = TreePath(
    plan=0,
    origin="runner-up",
    prior=0.5,
    bound={1: Bound(answer="one", confidence=0.3, question="q")},
    wording={2: "again?"},
)
PLAN = Plan(steps=(SubQuestion(text="Q?"),), planner="whole-question", score=0.35)
EVENTS: list[Event] = [
    RunStarted(run="r", question="谁？", language="zh", settings={"model": None, "max_paths": 3}),
    Planned(plans=(PLAN,)),
    PathOpened(number=1, path=PATH),
    Retrieved(
        queries=("Q?",),
        hits=((Hit(passage=PASSAGE, score=0.1, lexical_rank=0, dense_rank=None),),),
        seconds=0.25,
    ),
    CandidatesRead(step=1, question="Q?", candidates=(CANDIDATE,), seconds=0.1),
    Voted(step=1, result=STEP, remembered=True),
    Voted(step=2, result=StepResult(question="R?", failure=FAILURE)),
    PathLeft(number=1, failure=FAILURE),
    PathSolved(number=2, outcome=Outcome(path=PATH, answer="one", confidence=0.3)),
    ModelCalled(
        purpose="compose",
        prompt="[human] 谁",
        output="",
        input_tokens=1,
        output_tokens=0,
        cached_tokens=0,
        seconds=0.5,
        finish_reason="stop",
    ),
    Token(text="\n"),
    Notice(text="early"),
    Answered(
        status="answered",
        answer="one",
        text="one [1]",
        confidence=0.3,
        citations=(
            Citation(number=1, passage=PASSAGE, start=5, end=8, quote="one", question="Q?"),
        ),
        passages=(PASSAGE,),
    ),
    RunFailed(error="KeyboardInterrupt: "),
]


def written(folder: Path, events: list[Event]) -> Path:
    with TraceWriter(folder, "run") as trace:
        for event in events:
            trace.write(event)
    return trace.path


def test_every_kind_of_event_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    assert read_trace(written(tmp_path / "new" / "folder", EVENTS)) == EVENTS


def test_an_event_is_on_disk_as_soon_as_it_is_written(tmp_path: Path) -> None:
    with TraceWriter(tmp_path, "run") as trace:
        for count, event in enumerate(EVENTS, 1):
            trace.write(event)
            assert read_trace(trace.path) == EVENTS[:count]


@pytest.mark.parametrize("lost", [1, 2, 40])
def test_last_line_that_was_torn_is_left_out(tmp_path: Path, lost: int) -> None:
    path = written(tmp_path, EVENTS[:3])
    path.write_bytes(path.read_bytes()[:-lost])
    assert read_trace(path) == EVENTS[:2]


def test_last_line_torn_inside_a_character_is_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, [EVENTS[1], EVENTS[0]])
    data = path.read_bytes()
    path.write_bytes(data[: data.index("谁".encode()) + 1])
    assert read_trace(path) == [EVENTS[1]]


@pytest.mark.parametrize("line", [b"{}", b"not json", b'{"type": "poem"}', b"\xff\xfe"])
def test_line_that_is_no_event_is_named(tmp_path: Path, line: bytes) -> None:
    path = written(tmp_path, EVENTS[:2])
    path.write_bytes(path.read_bytes() + line + b"\n" + path.read_bytes())
    with pytest.raises(TraceError, match=r"run\.jsonl:3 is not a trace event"):
        read_trace(path)


def test_missing_trace_is_named(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"none\.jsonl: No such file"):
        read_trace(tmp_path / "none.jsonl")


def test_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(TraceError, match=r"file/runs/run\.jsonl.*HOPTREE_TRACES"),
        TraceWriter(tmp_path / "file" / "runs", "run"),
    ):
        pass


def test_full_disk_is_told_once_and_does_not_hide_an_error(tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").symlink_to("/dev/full")
    with (
        pytest.raises(TraceError, match=r"No space left.*HOPTREE_TRACES"),
        TraceWriter(tmp_path, "run") as trace,
    ):
        trace.write(EVENTS[0])
    with pytest.raises(KeyError), TraceWriter(tmp_path, "run") as trace:
        trace._file.write("what waits to be written")  # type: ignore[union-attr]
        raise KeyError


def test_run_ids_are_unique_and_sort_by_time() -> None:
    ids = [new_run_id() for _ in range(50)]
    assert len(set(ids)) == 50
    assert [run[:15] for run in ids] == sorted(run[:15] for run in ids)
