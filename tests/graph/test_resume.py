"""Runs that are killed, wait for a person, or are corrected by one, over scripted parts."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from fakes import Facts, FakeIndex, FakeReader, ModelWithAdapter, ScriptedModel

import agent.runs as runs
import graph.planning as planning
from agent import checkpoints
from agent.answer import Answer, answer_of, tree_of
from agent.api import Agent
from agent.errors import QuestionError, TraceError, UsageError, WaitingError
from agent.settings import Settings
from agent.show import draw
from agent.traces import TraceWriter, read_trace, trace_path
from graph.events import (
    Answered,
    CandidatesRead,
    Event,
    ModelCalled,
    PathOpened,
    Planned,
    Retrieved,
    RunFailed,
    RunResumed,
    RunStarted,
    StepAsked,
    Token,
    Voted,
    elapsed,
)
from graph.nodes import planning as planning_node
from graph.replay import is_by_a_person, state_of
from graph.types import Limits, Operator, Plan, SubQuestion
from retrievers.passage import Hit

pytestmark = pytest.mark.usefixtures("as_read")

QUESTION = "Where was the director of Ikarie XB-1 born?"
DIRECTOR, HOME = "Who is the director of Ikarie XB-1?", "Where was #1 born?"
POLAK_S_HOME, NOVAK_S_HOME = "Where was Jindřich Polák born?", "Where was Jan Novák born?"
CHAIN = Plan(steps=(SubQuestion(text=DIRECTOR), SubQuestion(text=HOME)), planner="test", score=0.8)
FOUND = {DIRECTOR: {"Jindřich Polák": 0.9}, POLAK_S_HOME: {"Prague": 0.9}}
TWO_DIRECTORS = {
    DIRECTOR: {"Jindřich Polák": 0.9, "Jan Novák": 0.8},
    NOVAK_S_HOME: {"Rome": 0.9},
}
COMPARISON = Plan(
    steps=(
        SubQuestion(text="Name the birthday of Ann Lee."),
        SubQuestion(text="Name the birthday of Bo Ek."),
        SubQuestion(
            text="Which one?",
            kind="operator",
            operator=Operator.EARLIER,
            arguments=(1, 2),
            labels=("Ann Lee", "Bo Ek"),
        ),
    ),
    planner="test",
    score=0.8,
)
COMPARED = {
    "Name the birthday of Ann Lee.": {"17 February 1898": 0.9},
    "Name the birthday of Bo Ek.": {"23 May 1947": 0.9},
}
SCENES: dict[str, tuple[Plan, Facts]] = {
    "chain": (CHAIN, FOUND),
    "runner-up": (CHAIN, TWO_DIRECTORS),
    "comparison": (COMPARISON, COMPARED),
    "nothing": (CHAIN, {}),
}


class Killed(Exception):
    """The process is gone, as far as a test can do that within one."""


class MortalWriter(TraceWriter):
    """Writes so many events, and is gone with the process after the last of them."""

    lives = 10**9
    dead = False

    def write(self, event: Event) -> None:
        if type(self).dead:
            raise Killed
        super().write(event)
        type(self).lives -= 1
        if type(self).lives == 0:
            type(self).dead = True
            raise Killed


class Stage:
    """An agent over scripted plans, facts and a scripted model, with what it paid for."""

    def __init__(self, folder: Path, facts: Facts, limits: Limits) -> None:
        self.index = FakeIndex(facts)
        self.reader = FakeReader(facts)
        self.model = ScriptedModel()
        self.settings = Settings(traces=folder, limits=limits)
        self.agent = Agent(self.index, self.model, reader=self.reader, settings=self.settings)

    @property
    def paid(self) -> Counter[str]:
        """Count every query, every reading and every prompt so far."""
        searched = [query for queries in self.index.searches for query in queries]
        return Counter(
            [
                *(f"search {query}" for query in searched),
                *(f"read {question}" for question in self.reader.questions),
                *(f"model {prompt}" for prompt in self.model.prompts),
            ]
        )

    @property
    def searched(self) -> list[str]:
        return sorted(query for queries in self.index.searches for query in queries)

    @property
    def run(self) -> str:
        [path] = self.settings.traces.glob("*.jsonl")
        return path.stem

    @property
    def trace(self) -> list[Event]:
        return read_trace(trace_path(self.settings.traces, self.run))


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stage]:
    def make(
        scene: str, name: str = "runs", limits: Limits | None = None, plans: Sequence[Plan] = ()
    ) -> Stage:
        plan, facts = SCENES[scene]

        async def propose(
            question: str, complete: planning.Complete, *, trained: bool
        ) -> list[Plan]:
            await complete("Split the question.", {})
            return list(plans) or [plan]

        monkeypatch.setattr(planning_node, "propose", propose)
        return Stage(tmp_path / name, facts, limits or Limits(accept=0.2, abstain=0.05))

    return make


def timeless(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Return what does not change from run to run, in order."""
    return [
        event.model_dump(exclude={"at", "seconds", "run", "settings"})
        for event in events
        if not isinstance(event, RunResumed | RunFailed | Token)
    ]


def calls(events: Sequence[Event]) -> Counter[str]:
    """Count the finished calls that a trace tells of, as `Stage.paid` does."""
    found: Counter[str] = Counter()
    for event in events:
        match event:
            case Retrieved():
                found.update(f"search {query}" for query in event.queries)
            case CandidatesRead():
                found[f"read {event.question}"] += 1
            case ModelCalled():
                found[f"model {event.prompt.split('[human] ')[1]}"] += 1
            case _:
                pass
    return found


def drawn(answer: Answer) -> str:
    """Return the tree with its steps in their order, which those read in parallel do not keep."""
    paths = [
        path.model_copy(update={"steps": sorted(path.steps, key=lambda step: step.step)})
        for path in answer.tree.paths
    ]
    return repr((answer.tree.plans, paths))


def only(events: Sequence[Event], kind: type[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


# ── killed and resumed ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scene", SCENES)
def test_a_run_killed_at_any_event_ends_as_if_it_had_not_been_and_pays_nothing_twice(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch, scene: str
) -> None:
    whole = stage(scene, "whole")
    expected = whole.agent.ask(QUESTION)
    told = timeless(whole.trace)
    monkeypatch.setattr(runs, "TraceWriter", MortalWriter)
    for lives in range(1, len(whole.trace)):
        killed = stage(scene, f"killed {lives}")
        MortalWriter.lives, MortalWriter.dead = lives, False
        with pytest.raises(Killed):
            killed.agent.ask(QUESTION)
        assert len(killed.trace) == lives
        before = killed.paid
        MortalWriter.lives, MortalWriter.dead = 10**9, False
        answer = killed.agent.resume(killed.run)
        assert answer.text == expected.text
        assert drawn(answer) == drawn(expected)
        assert sorted(map(str, timeless(killed.trace))) == sorted(map(str, told))
        assert killed.paid - before == whole.paid - calls(killed.trace[:lives])
        assert answer.usage.model_calls == expected.usage.model_calls
        assert answer.usage.retrieval_calls == expected.usage.retrieval_calls


def test_a_run_can_be_killed_again_and_again(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = stage("runner-up", "whole")
    expected = whole.agent.ask(QUESTION)
    monkeypatch.setattr(runs, "TraceWriter", MortalWriter)
    killed = stage("runner-up", "killed")
    MortalWriter.lives, MortalWriter.dead = 2, False
    with pytest.raises(Killed):
        killed.agent.ask(QUESTION)
    kills = 1
    while True:
        MortalWriter.lives, MortalWriter.dead = 3, False  # the resumption and two events
        if only(killed.trace, Token) or kills > 60:
            MortalWriter.lives = 10**9
        try:
            answer = killed.agent.resume(killed.run)
            break
        except Killed:
            kills += 1
    assert 5 < kills < 60
    assert answer.text == expected.text
    assert drawn(answer) == drawn(expected)
    assert len(only(killed.trace, RunResumed)) == kills
    assert killed.searched == whole.searched
    assert sorted(killed.reader.questions) == sorted(whole.reader.questions)


def test_the_stream_of_a_resumed_run_tells_everything_once(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "TraceWriter", MortalWriter)
    killed = stage("chain")
    MortalWriter.lives, MortalWriter.dead = 13, False
    with pytest.raises(Killed):
        killed.agent.ask(QUESTION)
    assert only(killed.trace, Token)
    MortalWriter.lives, MortalWriter.dead = 10**9, False
    streamed = list(killed.agent.stream_resume(killed.run))
    resumed = killed.trace.index(only(killed.trace, RunResumed)[0])
    cut = [e for e in killed.trace[:resumed] if isinstance(e, Token)]
    assert streamed == [e for e in killed.trace if e not in cut]
    assert list(killed.agent.stream_resume(killed.run)) == streamed
    [answered] = only(streamed, Answered)
    assert "".join(e.text for e in only(streamed, Token)).strip() == answered.text


def test_a_torn_last_line_is_cut_off_and_the_trace_goes_on_in_its_file(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "TraceWriter", MortalWriter)
    killed = stage("chain")
    MortalWriter.lives, MortalWriter.dead = 6, False
    with pytest.raises(Killed):
        killed.agent.ask(QUESTION)
    MortalWriter.lives, MortalWriter.dead = 10**9, False
    path = trace_path(killed.settings.traces, killed.run)
    before = path.read_bytes()
    path.write_bytes(before + b'{"type":"notice","text":"Pol')
    killed.agent.resume(killed.run)
    assert path.read_bytes().startswith(before + b'{"at":')
    assert len(only(killed.trace, RunResumed)) == 1


def test_a_run_that_failed_can_be_resumed(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = stage("chain")
    search = stopped.index.search

    async def stuck(queries: Sequence[str], k: int = 10) -> list[list[Hit]]:
        if POLAK_S_HOME in queries:
            await asyncio.Event().wait()  # or the run may be over before its stream is closed
        return await search(queries, k)

    with monkeypatch.context() as patch:
        patch.setattr(stopped.index, "search", stuck)
        events = stopped.agent.stream(QUESTION)
        while not isinstance(next(events), CandidatesRead):
            pass
        events.close()
    assert isinstance(stopped.trace[-1], RunFailed)
    assert stopped.agent.resume(stopped.run).answer == "Prague"
    assert stopped.searched == sorted([DIRECTOR, POLAK_S_HOME])


def test_a_finished_run_tells_its_answer_again_and_leaves_no_checkpoints(
    stage: Callable[..., Stage],
) -> None:
    done = stage("chain")
    answer = done.agent.ask(QUESTION)
    before = done.trace, done.paid
    assert done.agent.resume(answer.run) == answer
    assert list(done.agent.stream_resume(answer.run)) == done.trace
    assert (done.trace, done.paid) == before
    assert [path.name for path in done.settings.traces.iterdir()] == [f"{answer.run}.jsonl"]


def test_what_was_spent_before_the_kill_counts_after_it(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "TraceWriter", MortalWriter)
    killed = stage("chain", limits=Limits(max_model_tokens=9))
    MortalWriter.lives, MortalWriter.dead = 2, False
    with pytest.raises(Killed):
        killed.agent.ask(QUESTION)
    assert [e.input_tokens + e.output_tokens for e in only(killed.trace, ModelCalled)] == [10]
    MortalWriter.lives, MortalWriter.dead = 10**9, False
    answer = killed.agent.resume(killed.run)
    assert answer.status == "abstained"
    assert answer.notices == ("The search ended early: the limit of 9 model tokens was reached.",)


def test_the_time_in_which_a_run_was_stopped_does_not_count() -> None:
    told = [
        RunStarted(at=100, run="r", question="Q?", language="en", settings={}),
        Token(at=103, text="a"),
        RunResumed(at=900, run="r", settings={}),
        Token(at=902, text="b"),
        RunResumed(at=800, run="r", settings={}),  # the clock was set back
        Token(at=801, text="c"),
    ]
    assert elapsed(told) == 3 + 2 + 1
    assert elapsed([]) == 0


def test_a_checkpoint_holds_only_types_that_are_read_back(
    stage: Callable[..., Stage], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "TraceWriter", MortalWriter)
    killed = stage("runner-up")
    MortalWriter.lives, MortalWriter.dead = 17, False
    with pytest.raises(Killed):
        killed.agent.ask(QUESTION)
    MortalWriter.lives, MortalWriter.dead = 10**9, False

    async def saved() -> Any:
        async with checkpoints.opened(killed.settings.traces, killed.run) as saver:
            held = await saver.aget_tuple(runs._config(killed.run))
            return held.checkpoint["channel_values"] if held is not None else None

    values = asyncio.run(saved())
    state = state_of(killed.trace)
    for name in ("plans", "memory", "passages", "question", "language"):
        assert values[name] == state[name]  # type: ignore[literal-required]
        assert type(values[name]) is type(state[name])  # type: ignore[literal-required]
    assert not [r for r in caplog.records if "langgraph" in r.name]


# ── what cannot be resumed ────────────────────────────────────────────────────────────────────


def half(stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch, *, after: int = 7) -> Stage:
    """Return a stage with a run that was killed in the middle, after so many events."""
    monkeypatch.setattr(runs, "TraceWriter", MortalWriter)
    killed = stage("chain")
    MortalWriter.lives, MortalWriter.dead = after, False
    with pytest.raises(Killed):
        killed.agent.ask(QUESTION)
    MortalWriter.lives, MortalWriter.dead = 10**9, False
    return killed


def name_adapter(killed: Stage, adapter: str) -> None:
    """Let the trace of a run say that it was begun with this adapter."""
    begin, *rest = killed.trace
    assert isinstance(begin, RunStarted)
    named = begin.model_copy(update={"settings": {**begin.settings, "planner_lora": adapter}})
    lines = "".join(f"{event.model_dump_json()}\n" for event in (named, *rest))
    trace_path(killed.settings.traces, killed.run).write_text(lines, encoding="utf-8")


@pytest.mark.parametrize("run", ["20260101-000000-abcdef", "../runs", ""])
def test_a_run_that_is_none_is_told(stage: Callable[..., Stage], run: str) -> None:
    agent = stage("chain").agent
    for ask in (lambda: agent.resume(run), lambda: agent.fork(run, 1, "x")):
        with pytest.raises(UsageError, match="there is no run"):
            ask()


def test_checkpoints_of_another_version_are_refused(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = half(stage, monkeypatch)
    connection = sqlite3.connect(checkpoints.checkpoint_path(killed.settings.traces, killed.run))
    connection.execute("PRAGMA user_version=7")
    connection.commit()
    connection.close()
    before = killed.trace
    with pytest.raises(TraceError, match="another version of hoptree"):
        killed.agent.resume(killed.run)
    assert killed.trace == before


def test_a_file_that_holds_no_checkpoints_is_told(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = half(stage, monkeypatch)
    for path in killed.settings.traces.glob("*.sqlite*"):
        path.unlink()
    checkpoints.checkpoint_path(killed.settings.traces, killed.run).write_text("no database" * 99)
    with pytest.raises(TraceError, match="holds no checkpoints"):
        killed.agent.resume(killed.run)


def test_without_its_checkpoints_a_run_goes_on_from_its_trace_and_pays_nothing_twice(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = half(stage, monkeypatch)
    for path in killed.settings.traces.glob("*.sqlite*"):
        path.unlink()
    assert killed.agent.resume(killed.run).answer == "Prague"
    assert killed.searched == sorted([DIRECTOR, POLAK_S_HOME])
    assert len(only(killed.trace, Planned)) == 1


async def test_a_run_that_is_at_work_is_not_taken_up_by_another(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = half(stage, monkeypatch)
    first = killed.agent.astream_resume(killed.run)
    while not isinstance(await anext(first), RunResumed):
        pass
    with pytest.raises(TraceError, match="at work elsewhere"):
        await killed.agent.aresume(killed.run)
    events = [event async for event in first]
    assert isinstance(events[-1], Answered)
    assert len(only(killed.trace, RunResumed)) == 1


def test_a_run_goes_on_only_over_its_own_index(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = half(stage, monkeypatch)
    other = FakeIndex(FOUND)
    agent = Agent(other, killed.model, reader=killed.reader, settings=killed.settings)
    with pytest.raises(UsageError, match="was asked of the index"):
        agent.resume(killed.run)


def test_a_run_is_planned_only_with_the_adapter_that_it_was_begun_with(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = half(stage, monkeypatch, after=2)
    name_adapter(killed, "other.gguf")
    agent = Agent(killed.index, ModelWithAdapter(), reader=killed.reader, settings=killed.settings)
    with pytest.raises(UsageError, match=r"begun with the adapter other\.gguf .* plans\.gguf"):
        agent.resume(killed.run)


def test_a_run_that_was_begun_without_an_adapter_is_planned_without_one(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = half(stage, monkeypatch, after=1)
    assert "planner_lora" not in only(killed.trace, RunStarted)[0].settings
    model = ModelWithAdapter()
    agent = Agent(killed.index, model, reader=killed.reader, settings=killed.settings)
    agent.resume(killed.run)
    [resumed] = only(killed.trace, RunResumed)
    assert "planner_lora" not in resumed.settings
    assert model.options and not any("planner_lora" in options for options in model.options)
    begun = agent.ask(QUESTION)
    assert any("planner_lora" in options for options in model.options)
    [start] = only(read_trace(trace_path(killed.settings.traces, begun.run)), RunStarted)
    assert start.settings["planner_lora"] == "plans.gguf"


def test_a_run_that_is_planned_goes_on_with_any_adapter(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = half(stage, monkeypatch)
    name_adapter(killed, "other.gguf")
    model = ModelWithAdapter()
    agent = Agent(killed.index, model, reader=killed.reader, settings=killed.settings)
    assert agent.resume(killed.run).answer == "Prague"
    [resumed] = only(killed.trace, RunResumed)
    assert resumed.settings["planner_lora"] == "plans.gguf"


# ── forks ─────────────────────────────────────────────────────────────────────────────────────


def test_a_fork_keeps_what_does_not_depend_on_the_corrected_step(
    stage: Callable[..., Stage],
) -> None:
    done = stage("comparison")
    first = done.agent.ask(QUESTION)
    assert first.answer == "Ann Lee"
    paid, before = len(done.index.searches), done.trace
    fork = done.agent.fork(first.run, 1, "3 May 1999")
    assert fork.answer == "Bo Ek"
    assert fork.run != first.run
    assert len(done.index.searches) == paid
    traces = done.settings.traces
    assert read_trace(trace_path(traces, first.run)) == before
    events = read_trace(trace_path(traces, fork.run))
    begin = events[0]
    assert isinstance(begin, RunStarted)
    assert begin.forked_from == first.run
    assert begin.corrected is not None
    assert (begin.corrected.path, begin.corrected.step) == (1, 1)
    assert begin.corrected.answer == "3 May 1999"
    assert [path.bound for path in tree_of(events).paths] == [{1: "3 May 1999", 2: "23 May 1947"}]


def test_a_fork_seeks_anew_what_was_built_on_the_corrected_step(
    stage: Callable[..., Stage],
) -> None:
    done = stage("runner-up")
    first = done.agent.ask(QUESTION, limits=Limits(max_paths=1))
    assert first.status == "abstained"
    before = len(done.index.searches)
    fork = done.agent.fork(first.run, 1, "Jan Novák", limits=Limits())
    assert fork.answer == "Rome"
    assert done.index.searches[before:] == [(NOVAK_S_HOME,)]
    assert fork.confidence == pytest.approx(0.9)  # what a person says is certain
    [step, _] = fork.tree.paths[0].steps
    assert step.result.verdict is not None
    assert is_by_a_person(step.result.verdict)
    assert step.result.verdict.confidence == 1.0
    assert [c.quote for c in fork.citations] == ["Jan Novák", "Rome"]  # a passage says the same
    from rich.console import Console

    console = Console(width=200, record=True, file=io.StringIO())
    console.print(draw(fork.tree))
    assert "given by a person" in console.export_text()


def test_an_answer_that_no_passage_holds_is_taken_without_a_citation(
    stage: Callable[..., Stage],
) -> None:
    done = stage("chain")
    first = done.agent.ask(QUESTION)
    fork = done.agent.fork(first.run, 2, "Brno")
    assert fork.answer == "Brno"
    assert "Brno" in fork.text
    assert [c.quote for c in fork.citations] == ["Jindřich Polák"]


def test_every_path_of_a_fork_holds_the_person_s_answer(stage: Callable[..., Stage]) -> None:
    done = stage("runner-up", plans=[CHAIN, planning.whole(QUESTION)])
    first = done.agent.ask(QUESTION)
    assert first.answer == "Rome"
    fork = done.agent.fork(first.run, 1, "Someone Else")
    assert fork.status == "abstained"
    events = read_trace(trace_path(done.settings.traces, fork.run))
    opened = only(events, PathOpened)
    assert len(opened) > 1  # the step after it was asked in other words
    assert {event.path.bound[1].answer for event in opened} == {"Someone Else"}


def test_a_fork_can_be_killed_and_resumed_and_forked_again(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = stage("runner-up")
    first = done.agent.ask(QUESTION, limits=Limits(max_paths=1))
    monkeypatch.setattr(runs, "TraceWriter", MortalWriter)
    for lives in range(1, 8):
        MortalWriter.lives, MortalWriter.dead = lives, False
        known = set(done.settings.traces.glob("*.jsonl"))
        with pytest.raises(Killed):
            done.agent.fork(first.run, 1, "Jan Novák")
        MortalWriter.lives, MortalWriter.dead = 10**9, False
        [forked] = set(done.settings.traces.glob("*.jsonl")) - known
        assert done.agent.resume(forked.stem).answer == "Rome"
    assert done.agent.fork(forked.stem, 2, "Milan").answer == "Milan"


@pytest.mark.parametrize(
    ("step", "answer", "path", "said"),
    [
        (3, "x", None, "has no step 3: its steps are 1 to 2"),
        (0, "x", None, "has no step 0"),
        (1, "x", 4, "has no path 4: its paths are 1 to 2"),
        (1, " ", None, "the answer is empty"),
        (1, "\udcff", None, "the answer is not valid UTF-8"),
    ],
)
def test_a_fork_that_cannot_be_is_told_and_leaves_no_trace(
    stage: Callable[..., Stage], step: int, answer: str, path: int | None, said: str
) -> None:
    done = stage("runner-up")
    first = done.agent.ask(QUESTION)
    with pytest.raises(UsageError, match=said):
        done.agent.fork(first.run, step, answer, path=path)
    assert len(list(done.settings.traces.iterdir())) == 1


def test_a_run_without_sources_has_no_step_to_correct(stage: Callable[..., Stage]) -> None:
    alone = stage("nothing")
    alone.agent._index = None
    alone.settings.index = str(alone.settings.traces / "none")
    run = Agent(FakeIndex({}), alone.model, settings=alone.settings).ask("Who?").run
    with pytest.raises(UsageError, match="opened no path"):
        alone.agent.fork(run, 1, "x")


# ── a person is asked ─────────────────────────────────────────────────────────────────────────

ASKING = Limits(ask_below=0.95)


def test_a_run_waits_for_a_person_before_a_step_that_is_not_sure(
    stage: Callable[..., Stage],
) -> None:
    asking = stage("chain", limits=Limits(ask_below=0.95, accept=0.1))
    events = list(asking.agent.stream(QUESTION))
    asked = events[-1]
    assert isinstance(asked, StepAsked)
    assert asked.step == 1
    assert asked.result.question == DIRECTOR
    assert asked.result.verdict is not None
    assert asked.result.verdict.answer == "Jindřich Polák"
    with pytest.raises(WaitingError, match=rf"hoptree resume {asking.run} --answer"):
        answer_of(events)


def test_a_run_goes_on_with_what_a_person_answered(stage: Callable[..., Stage]) -> None:
    asking = stage("runner-up", limits=ASKING)
    with pytest.raises(WaitingError):
        asking.agent.ask(QUESTION)
    with pytest.raises(QuestionError, match="the answer is empty"):
        asking.agent.resume(asking.run, " ")
    with pytest.raises(WaitingError, match="step 2"):
        asking.agent.resume(asking.run, "Jan Novák")
    answer = asking.agent.resume(asking.run, "Roma")
    assert answer.answer == "Roma"
    assert answer.confidence == 1.0
    assert asking.searched == sorted([DIRECTOR, NOVAK_S_HOME])
    assert [e.answer for e in only(asking.trace, RunResumed)] == ["Jan Novák", "Roma"]
    assert len(only(asking.trace, StepAsked)) == 2


def test_without_an_answer_a_run_that_waits_goes_on_with_the_vote_and_asks_once(
    stage: Callable[..., Stage],
) -> None:
    asking = stage("runner-up", limits=ASKING)
    with pytest.raises(WaitingError, match="step 1"):
        asking.agent.ask(QUESTION)
    with pytest.raises(WaitingError, match="step 2"):  # nothing is found on the first director
        asking.agent.resume(asking.run)
    with pytest.raises(WaitingError, match="step 2"):
        asking.agent.resume(asking.run)
    questions = [e.result.question for e in only(asking.trace, StepAsked)]
    assert len(questions) == len(set(questions)) == 3


def test_several_steps_that_are_not_sure_are_asked_one_after_another(
    stage: Callable[..., Stage],
) -> None:
    asking = stage("comparison", limits=ASKING)
    with pytest.raises(WaitingError, match="step 1"):
        asking.agent.ask(QUESTION)
    with pytest.raises(WaitingError, match="step 2"):
        asking.agent.resume(asking.run, "1 May 1950")
    answer = asking.agent.resume(asking.run, "1 May 1940")
    assert answer.answer == "Bo Ek"
    assert len(only(asking.trace, Voted)) == 2 + 2 + 1


def test_a_run_killed_while_it_waits_still_waits(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "TraceWriter", MortalWriter)
    asking = stage("chain", limits=ASKING)
    MortalWriter.lives, MortalWriter.dead = 8, False
    with pytest.raises(Killed):
        asking.agent.ask(QUESTION)
    assert isinstance(asking.trace[-1], StepAsked)
    MortalWriter.lives, MortalWriter.dead = 10**9, False
    with pytest.raises(WaitingError, match="step 2"):
        asking.agent.resume(asking.run, "Jan Novák")


def test_an_answer_to_a_run_that_asked_nothing_is_refused(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = half(stage, monkeypatch)
    with pytest.raises(UsageError, match="waits for no answer"):
        killed.agent.resume(killed.run, "Brno")
    killed.agent.resume(killed.run)
    with pytest.raises(UsageError, match="waits for no answer"):
        killed.agent.resume(killed.run, "Brno")


# ── the trace alone ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scene", SCENES)
def test_the_state_of_a_search_can_be_rebuilt_from_its_events(
    stage: Callable[..., Stage], scene: str
) -> None:
    done = stage(scene, plans=[SCENES[scene][0], planning.whole(QUESTION)])
    answer = done.agent.ask(QUESTION)
    state = state_of(done.trace)
    assert state["question"] == QUESTION
    assert list(state["plans"]) == list(answer.tree.plans)
    assert len(state["walked"]) == len(state["outcomes"]) == len(answer.tree.paths)
    for outcome, path in zip(state["outcomes"], answer.tree.paths, strict=True):
        assert outcome.answer == path.answer
        assert outcome.failure == path.failure or outcome.answer is not None
    assert {p.id for p in answer.passages} <= state["passages"].keys()
    retrieved = [query for event in only(done.trace, Retrieved) for query in event.queries]
    asked = {result.question for result in state["memory"].values()}
    assert asked <= set(retrieved)


@pytest.mark.parametrize("heard", range(1, 9))
def test_a_run_that_is_stopped_anywhere_lets_go_of_its_checkpoints(
    stage: Callable[..., Stage], heard: int
) -> None:
    expected = stage("runner-up", "whole").agent.ask(QUESTION)
    for attempt in range(3):  # where it is stopped differs by some milliseconds
        done = stage("runner-up", f"stopped-{attempt}")
        with contextlib.closing(done.agent.stream(QUESTION)) as events:
            told = [event for event, _ in zip(events, range(heard), strict=False)]
        begun = told[0]
        assert isinstance(begun, RunStarted)
        assert done.agent.resume(begun.run).text == expected.text
