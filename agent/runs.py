"""One run from its start, from where it was killed, or from a person's correction, to its end."""

from __future__ import annotations

import contextlib
import functools
import pathlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from agent import checkpoints
from agent.checkpoints import Checkpoints
from agent.errors import TraceError, UsageError
from agent.traces import TraceWriter, cut_torn_line, read_trace, trace_path
from graph.calls import Calls
from graph.events import Answered, Event, RunFailed, RunResumed, RunStarted, StepAsked, Token
from graph.journal import Journal
from graph.machine import Machine, build
from graph.replay import corrected, state_of
from graph.state import State, initial
from graph.support import across_paths
from graph.types import Limits, Path, Voting, Wording
from prompts.loader import render
from retrievers.passage import Retriever

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from agent.planners import Adapter
    from graph.protocols import Reader

_STEPS_PER_PATH = 40
"""LangGraph's own bound: a path takes some super-steps for each of its hops."""


@functools.cache
def _machine() -> Machine:
    return build()


def printable(text: str) -> str:
    """Return the text as valid UTF-8: the name of a file need not be."""
    return text.encode(errors="backslashreplace").decode()


def place(retriever: Retriever | None) -> str | None:
    """Name an index in a trace: its folder, or what its `repr` says, which holds no password."""
    if retriever is None:
        return None
    return printable(str(getattr(retriever, "folder", None) or repr(retriever)))


@dataclass(frozen=True)
class Parts:
    """What a run works with."""

    model: BaseChatModel
    reader: Reader
    retriever: Retriever | None
    searchable: bool
    """False where there is no index, or an empty one."""
    voting: Voting
    wording: Wording = "rules"
    adapter: Adapter | None = None
    """Of the model, for its plans."""

    def named(self) -> dict[str, str | int | float | bool | None]:
        """Return the index, the model and its adapter that plans, if any, as a trace names them."""
        model = str(getattr(self.model, "model_path", None) or type(self.model).__name__)
        named: dict[str, str | int | float | bool | None] = {
            "index": place(self.retriever),
            "model": printable(model),
        }
        if self.adapter is not None:
            named["planner_lora"] = printable(self.adapter.name)
        return named


def told(folder: pathlib.Path, run: str) -> list[Event]:
    """Return the events of a run.

    Raises
    ------
    UsageError
        Where there is no such run.
    TraceError
        Where its trace cannot be read.
    """
    path = trace_path(folder, run)
    if pathlib.PurePath(run).name != run or not path.is_file():
        raise UsageError(f"there is no run {run!r} in {folder}: its name is that of its trace")
    events = read_trace(path)
    if not events or not isinstance(events[0], RunStarted):
        raise TraceError(f"the trace {path} does not say how the run began: ask again")
    return events


def started(events: Sequence[Event]) -> RunStarted:
    """Return the first event of a run."""
    first = events[0]
    assert isinstance(first, RunStarted)  # `told` has looked
    return first


def ended(events: Sequence[Event]) -> bool:
    """Tell whether a run has its answer."""
    return any(isinstance(event, Answered) for event in events)


def valid(events: Sequence[Event]) -> list[Event]:
    """Return the events but for the pieces of a sentence that a kill cut: it is written anew."""
    resumed = [n for n, event in enumerate(events) if isinstance(event, RunResumed)]
    anew = max(resumed, default=0) if ended(events) else len(events)
    return [e for n, e in enumerate(events) if n >= anew or not isinstance(e, Token)]


def waits(events: Sequence[Event]) -> bool:
    """Tell whether a run waits for a person."""
    last = next((e for e in reversed(events) if not isinstance(e, RunFailed)), None)
    return isinstance(last, StepAsked)


def limits_of(start: RunStarted) -> Limits:
    """Return the limits that a run was started with."""
    named = {name: start.settings[name] for name in Limits.model_fields if name in start.settings}
    return Limits.model_validate(named)


def first_state(begin: RunStarted, folder: pathlib.Path, searchable: bool) -> State:
    """Return the state in which a run enters the machine."""
    if begin.forked_from is None or begin.corrected is None:
        return initial(begin.question, begin.language, searchable)
    state = state_of(told(folder, begin.forked_from))
    step, answer = begin.corrected.step, begin.corrected.answer
    path = _walked(state)[begin.corrected.path - 1]
    told_of = {"run": begin.forked_from, "step": str(step), "answer": answer}
    origin = render("origin_fork", begin.language, **told_of)
    return corrected(state, path, step, answer, origin)


def _walked(state: State) -> list[Path]:
    """Return the paths of a run with what was bound to them at the end."""
    ended = [outcome.path for outcome in state["outcomes"]]
    return ended if len(ended) == len(state["walked"]) else [*ended, state["path"]]


def path_to_correct(events: Sequence[Event], path: int | None, step: int) -> int:
    """Return the number of the path that a fork takes: the answer's, or else the last one.

    Raises
    ------
    UsageError
        Where the run has no such path, or the path no such step.
    """
    state, run = state_of(events), started(events).run
    walked = _walked(state)
    if not walked:
        raise UsageError(f"the run {run} opened no path, so it has no step to correct")
    if path is None:
        best = across_paths(state["outcomes"], state["plans"])
        ended = [outcome.path for outcome in state["outcomes"]]
        path = ended.index(best.outcome.path) + 1 if best is not None else len(walked)
    elif not 1 <= path <= len(walked):
        raise UsageError(f"the run {run} has no path {path}: its paths are 1 to {len(walked)}")
    steps = state["plans"][walked[path - 1].plan].steps
    if not 1 <= step <= len(steps):
        raise UsageError(
            f"path {path} of the run {run} has no step {step}: its steps are 1 to {len(steps)}"
        )
    return path


async def start(
    parts: Parts, folder: pathlib.Path, begin: RunStarted
) -> AsyncGenerator[Event, None]:
    """Run a question or a fork, yielding each event once it stands in the trace."""
    state = first_state(begin, folder, parts.searchable)
    with TraceWriter(folder, begin.run) as trace:
        journal = Journal(trace.write)
        journal.add(begin)
        yield begin
        async with _failing(journal), checkpoints.opened(folder, begin.run) as saver:
            saver.follow(journal)
            events = _driven(saver, begin.run, state, _calls(parts, begin, journal))
            async with contextlib.aclosing(events):
                async for event in events:
                    yield event


async def resume(
    parts: Parts, folder: pathlib.Path, run: str, answer: str | None
) -> AsyncGenerator[Event, None]:
    """Go on with a run that has no answer yet, yielding what it tells from now on.

    Raises
    ------
    TraceError
        Where another process has the run, or it was left by another version of hoptree.
    """
    async with checkpoints.opened(folder, run) as saver:
        cut_torn_line(trace_path(folder, run))
        left = told(folder, run)
        begin, covered = started(left), await saver.covered(_config(run))
        if ended(left):
            saver.follow(Journal(told=left))  # which deletes the checkpoints
            raise TraceError(f"the run {run} has just come to its end: resume it once more")
        if covered > len(left):
            raise TraceError(f"lines of the trace of the run {run} are lost: ask again")
        with TraceWriter(folder, run) as trace:
            journal = Journal(trace.write, left, covered)
            saver.follow(journal)
            calls = _calls(parts, begin, journal)
            calls.recall(left)
            resumed = RunResumed(run=run, settings=parts.named(), answer=answer)
            journal.add(resumed)
            yield resumed
            async with _failing(journal):
                state = None if covered else first_state(begin, folder, parts.searchable)
                interrupted = await _interrupted(saver, run)
                if not interrupted:
                    async with contextlib.aclosing(_driven(saver, run, state, calls)) as events:
                        async for event in events:
                            yield event
                # A run that waits may have been killed before it was interrupted.
                if interrupted or (waits(left) and await _interrupted(saver, run)):
                    go_on: Command[Any] = Command(resume={"answer": answer})
                    async with contextlib.aclosing(_driven(saver, run, go_on, calls)) as events:
                        async for event in events:
                            yield event


def _calls(parts: Parts, begin: RunStarted, journal: Journal) -> Calls:
    return Calls(
        model=parts.model,
        reader=parts.reader,
        retriever=parts.retriever,
        limits=limits_of(begin),
        voting=parts.voting,
        wording=parts.wording,
        planner_languages=parts.adapter.languages if parts.adapter is not None else (),
        language=begin.language,
        journal=journal,
    )


def _config(run: str) -> RunnableConfig:
    return {"configurable": {"thread_id": run, "checkpoint_ns": ""}}


async def _interrupted(saver: Checkpoints, run: str) -> bool:
    snapshot = await _machine().copy(update={"checkpointer": saver}).aget_state(_config(run))
    return bool(snapshot.interrupts)


def _driven(
    saver: Checkpoints, run: str, inputs: State | Command[Any] | None, calls: Calls
) -> AsyncGenerator[Event, None]:
    config = _config(run)
    config["recursion_limit"] = 20 + calls.limits.max_paths * _STEPS_PER_PATH
    # LangGraph types what a node streams as anything; our nodes stream events.
    return cast(
        "AsyncGenerator[Event, None]",
        _machine()
        .copy(update={"checkpointer": saver})
        .astream(inputs, config, context=calls, stream_mode="custom", durability="sync"),
    )


@contextlib.asynccontextmanager
async def _failing(journal: Journal) -> AsyncIterator[None]:
    """Tell in the trace that a run failed or was stopped, unless it has its answer."""
    try:
        yield
    except BaseException as error:
        if not journal.ended:
            with contextlib.suppress(TraceError):  # or it would hide the error itself
                journal.add(RunFailed(error=printable(f"{type(error).__name__}: {error}")))
        raise
