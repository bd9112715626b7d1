"""What people think of answers is kept beside the traces, one line each."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.api import Agent
from agent.errors import FeedbackError, UsageError
from agent.feedback import read
from agent.settings import Settings

RUN = "20260101-120000-abcdef"


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / f"{RUN}.jsonl").touch()
    return Agent(settings=Settings(traces=tmp_path / "runs"))


def test_feedback_is_kept_in_order_and_is_no_trace(agent: Agent) -> None:
    first = agent.feedback(RUN, "good", dwell_seconds=3.5)
    second = agent.feedback(RUN, form="list", follow_up="And the wife of 王?")
    assert read(agent.settings.traces, RUN) == [first, second]
    assert (first.rating, first.dwell_seconds, first.form) == ("good", 3.5, None)
    assert [path.stem for path in agent.settings.traces.glob("*.jsonl")] == [RUN]
    assert read(agent.settings.traces, "another-run") == []


@pytest.mark.parametrize("run", ["20260101-120000-000000", "../outside", "", "a/b"])
def test_feedback_on_a_run_that_is_not_there_is_refused(agent: Agent, run: str) -> None:
    with pytest.raises(UsageError, match="there is no run"):
        agent.feedback(run, "good")
    assert not (agent.settings.traces / "feedback").exists()


def test_feedback_that_says_nothing_or_is_none_is_refused(agent: Agent) -> None:
    with pytest.raises(UsageError, match="it says nothing"):
        agent.feedback(RUN, dwell_seconds=1.0)
    with pytest.raises(UsageError, match="dwell_seconds is wrong"):
        agent.feedback(RUN, "good", dwell_seconds=-1.0)
    with pytest.raises(UsageError, match="form is wrong"):
        agent.feedback(RUN, form="poem")  # type: ignore[arg-type]


def test_feedback_that_cannot_be_written_is_told(agent: Agent) -> None:
    (agent.settings.traces / "feedback").touch()
    with pytest.raises(FeedbackError, match="HOPTREE_TRACES"):
        agent.feedback(RUN, "bad")
