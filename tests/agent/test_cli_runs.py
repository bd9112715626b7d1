"""`hoptree resume` and `hoptree fork` as a person runs them: real processes, killed for real."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hoptree_command import Hoptree

from agent.traces import read_trace
from graph.events import (
    Event,
    ModelCalled,
    PathOpened,
    Retrieved,
    RunResumed,
    RunStarted,
    StepAsked,
    Token,
)

QUESTION = "When was the pianist who recorded Live at Shelly's Manne-Hole born?"
ANSWER = "September 23, 1935"


def traced(hoptree: Hoptree) -> list[Event]:
    """Return the events of the only run."""
    [path] = (hoptree.folder / "runs").glob("*.jsonl")
    return read_trace(path)


def begun(hoptree: Hoptree) -> str:
    first = traced(hoptree)[0]
    assert isinstance(first, RunStarted)
    return first.run


def killed(hoptree: Hoptree, index: Path, reached: Callable[[list[Event]], bool]) -> str:
    """Ask, and kill -9 once the trace says that it got so far; return the run."""
    process = hoptree.start("ask", "--index", index, QUESTION)
    runs, deadline = hoptree.folder / "runs", time.monotonic() + 120
    while not any(reached(read_trace(path)) for path in runs.glob("*.jsonl")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return begun(hoptree)


def refused(done: subprocess.CompletedProcess[str], code: int) -> str:
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stderr
    return done.stderr


@pytest.mark.parametrize("kind", [PathOpened, Retrieved, Token])
def test_a_run_killed_for_real_is_resumed_and_ends_with_its_answer(
    hoptree: Hoptree, sample_index: Path, kind: type[Event]
) -> None:
    run = killed(hoptree, sample_index, lambda told: any(isinstance(e, kind) for e in told))
    before = [e for e in traced(hoptree) if isinstance(e, Retrieved)]
    done = hoptree("resume", run)
    assert done.returncode == 0, done.stderr
    assert ANSWER in done.stdout.splitlines()[0]
    events = traced(hoptree)
    queries = [query for e in events if isinstance(e, Retrieved) for query in e.queries]
    assert len(queries) == len(set(queries)) == 2
    assert [e for e in events if isinstance(e, Retrieved)][: len(before)] == before
    assert len([e for e in events if isinstance(e, ModelCalled)]) == 1
    assert len([e for e in events if isinstance(e, RunResumed)]) == 1
    again = hoptree("resume", run)
    assert again.stdout == done.stdout
    assert traced(hoptree) == events


def test_a_corrected_step_makes_a_new_run(hoptree: Hoptree, sample_index: Path) -> None:
    first = json.loads(hoptree("ask", "--index", sample_index, "--json", QUESTION).stdout)
    corrected = ("--at", "1", "--answer", "Shelly Manne", "--explain")
    # The run had the adapter that ships, whatever the settings say now.
    done = hoptree("fork", first["run"], *corrected, env={"HOPTREE_PLANNER_LORA": "gone.gguf"})
    assert done.returncode == 0, done.stderr
    assert "given by a person" in done.stdout
    [path] = set((hoptree.folder / "runs").glob("*.jsonl")) - {
        hoptree.folder / "runs" / f"{first['run']}.jsonl"
    }
    events = read_trace(path)
    assert isinstance(events[0], RunStarted)
    assert events[0].forked_from == first["run"]
    queries = [query for e in events if isinstance(e, Retrieved) for query in e.queries]
    assert queries[0] == "When was Shelly Manne born?"


def test_a_run_goes_on_with_its_own_adapter_or_not_at_all(
    hoptree: Hoptree, sample_index: Path
) -> None:
    run = json.loads(hoptree("ask", "--index", sample_index, "--json", QUESTION).stdout)["run"]
    path = hoptree.folder / "runs" / f"{run}.jsonl"
    first, _, rest = path.read_text(encoding="utf-8").partition("\n")
    begin = json.loads(first)
    assert begin["settings"]["planner_lora"] == "shipped"
    assert "adapter that plans: shipped" in hoptree("trace", "show", run).stdout
    begin["settings"]["planner_lora"] = "gone.gguf"
    path.write_text(f"{json.dumps(begin)}\n{rest}", encoding="utf-8")
    assert "adapter that plans: gone.gguf" in hoptree("trace", "show", run).stdout
    corrected = ("--at", "1", "--answer", "Les McCann")
    assert "gone.gguf" in refused(hoptree("fork", run, *corrected), 5)
    # As every trace was before one shipped.
    del begin["settings"]["planner_lora"]
    path.write_text(f"{json.dumps(begin)}\n{rest}", encoding="utf-8")
    assert "adapter" not in hoptree("trace", "show", run).stdout
    forked = json.loads(hoptree("fork", run, *corrected, "--json").stdout)["run"]
    first, _, _ = (hoptree.folder / "runs" / f"{forked}.jsonl").read_text().partition("\n")
    assert "planner_lora" not in json.loads(first)["settings"]


def test_a_person_is_asked_about_a_step_where_the_settings_say_so(
    hoptree: Hoptree, sample_index: Path
) -> None:
    asking = {"HOPTREE_LIMITS__ASK_BELOW": "1"}
    done = hoptree("ask", "--index", sample_index, QUESTION, env=asking)
    said = refused(done, 8)
    assert "Les McCann" in done.stdout and "Shelly Manne" in done.stdout
    [event] = [e for e in traced(hoptree) if isinstance(e, StepAsked)]
    run = begun(hoptree)
    assert f"hoptree resume {run} --answer" in said
    second = hoptree("resume", run, "--answer", "Les McCann")
    assert "step 2" in refused(second, 8)
    done = hoptree("resume", run)
    assert done.returncode == 0, done.stderr
    assert ANSWER in done.stdout
    assert event.step == 1


def test_what_cannot_be_resumed_or_forked_is_told(hoptree: Hoptree, sample_index: Path) -> None:
    assert "there is no run 'none'" in refused(hoptree("resume", "none"), 2)
    assert "there is no run 'none'" in refused(
        hoptree("fork", "none", "--at", "1", "--answer", "x"), 2
    )
    run = json.loads(hoptree("ask", "--index", sample_index, "--json", QUESTION).stdout)["run"]
    assert "waits for no answer" in refused(hoptree("resume", run, "--answer", "x"), 2)
    assert "has no step 9" in refused(hoptree("fork", run, "--at", "9", "--answer", "x"), 2)
    assert "has no path 9" in refused(
        hoptree("fork", run, "--at", "1", "--answer", "x", "--path", "9"), 2
    )
