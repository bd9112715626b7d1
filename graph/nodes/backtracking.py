"""Back to the root: which path is next, and what ends the search where none is."""

from __future__ import annotations

import asyncio

from langgraph.runtime import Runtime

from graph import paths
from graph.calls import Calls
from graph.events import Notice, PathLeft, Planned
from graph.nodes.planning import first_paths, opened
from graph.planning import WHOLE_QUESTION
from graph.planning.iterative import plans_from
from graph.state import State, memory_key
from graph.support import across_paths
from graph.types import Failure, FailureReason, Limits, Outcome, Path, Plan, Way
from prompts.loader import render


async def backtrack(state: State, runtime: Runtime[Calls]) -> State:
    """Go back to the root and open the most promising path that was not walked.

    A question that was asked as a whole in vain may get new plans from what that search brought.
    """
    calls = runtime.context
    emit = calls.telling(runtime.stream_writer)
    limits, last = calls.limits, state["outcomes"][-1]
    if last.failure is None:
        emit(PathLeft(number=len(state["walked"]), failure=why_left(last, state)))
    frontier = _untried(state, limits)
    learned = await asyncio.to_thread(_learned, state, limits)
    if not learned:
        return opened(frontier, state["walked"], limits.max_paths, emit)
    plans = [*state["plans"], *learned]
    emit(Planned(plans=tuple(plans)))
    made = len(state["plans"])
    frontier += first_paths(plans, state["language"], after=made, way=Way.LEARNED)
    return {"plans": plans, **opened(frontier, state["walked"], limits.max_paths, emit)}


def _learned(state: State, limits: Limits) -> list[Plan]:
    if Way.LEARNED not in limits.ways:
        return []
    path = state["outcomes"][-1].path
    this = state["plans"][path.plan]
    question = this.steps[0].text
    asked = state["memory"].get(memory_key(question))
    if this.planner != WHOLE_QUESTION or path.wording or asked is None:
        return []
    return plans_from(question, [state["passages"][passage] for passage in asked.passages])


def why_left(outcome: Outcome, state: State) -> Failure:
    """Return why a path was left: it failed, or was solved but too weakly to stop at."""
    if outcome.failure is not None:
        return outcome.failure
    assert outcome.answer is not None  # an Outcome has an answer or a failure
    consensus = across_paths(state["outcomes"], state["plans"])
    sure = consensus.sure_of(outcome.answer) if consensus is not None else outcome.confidence
    detail = render("weak", state["language"], answer=outcome.answer, confidence=f"{sure:.2f}")
    final = len(state["plans"][outcome.path.plan].steps)
    return Failure(step=final, reason=FailureReason.WEAK, detail=detail)


def _untried(state: State, limits: Limits) -> list[Path]:
    """Return the frontier and what the last path suggests; some of it may have been walked."""
    last = state["outcomes"][-1]
    left = last.model_copy(update={"failure": why_left(last, state)})
    return [
        *state["frontier"],
        *paths.alternatives(left, state["plans"], state["memory"], limits.ways, state["language"]),
    ]


def after_backtrack(state: State) -> str:
    """Seek along the new path, or conclude where none is left."""
    return "conclude" if state["finished"] else "seek"


async def conclude(state: State, runtime: Runtime[Calls]) -> State:
    """Say which limit, if any, ended the search. The routing after it decides what is said."""
    calls = runtime.context
    limits, reached = calls.limits, calls.spent
    if reached is None and len(state["walked"]) >= limits.max_paths:
        following, _ = paths.pick(_untried(state, limits), state["walked"])
        learned = await asyncio.to_thread(_learned, state, limits)
        if following is not None or learned:
            reached = render("limit_paths", state["language"], count=str(limits.max_paths))
    if reached:
        emit = calls.telling(runtime.stream_writer)
        emit(Notice(text=render("ended_early", state["language"], reached=reached)))
    return {}


def after_conclude(state: State, runtime: Runtime[Calls]) -> str:
    """Answer with the best solved path, or abstain."""
    consensus = across_paths(state["outcomes"], state["plans"])
    if consensus is None or consensus.outcome.confidence < runtime.context.limits.enough:
        return "abstain"
    return "compose"
