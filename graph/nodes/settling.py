"""The node that binds verdicts to the path and sees whether it ended."""

from __future__ import annotations

import math

from langgraph.runtime import Runtime

from graph import operators, paths
from graph.calls import Calls, Emit
from graph.events import PathLeft, PathSolved, Voted
from graph.nodes.asking import ask
from graph.nodes.seeking import ready_lookups
from graph.planning.substitute import fill
from graph.state import State, memory_key
from graph.support import across_paths
from graph.types import Bound, Failure, FailureReason, Outcome, Path, Plan, StepResult, Verdict
from prompts.loader import render


async def settle(state: State, runtime: Runtime[Calls]) -> State:
    """Bind the verdicts to the path, compute what can be computed, and see whether it ended."""
    calls = runtime.context
    emit = calls.telling(runtime.stream_writer)
    sought = {task["step"] for task in state["tasks"]}
    ready = ready_lookups(state)
    for number, text in ready.items():
        if number not in sought:
            emit(Voted(step=number, result=state["memory"][memory_key(text)], remembered=True))
    said = ask(ready, state, calls.limits.ask_below, emit)
    memory = {**state["memory"], **said["memory"]}
    return {**said, **_settled({**state, "memory": memory}, ready, calls, emit)}


def _settled(state: State, ready: dict[int, str], calls: Calls, emit: Emit) -> State:
    path, memory = state["path"], state["memory"]
    this = state["plans"][path.plan]
    bound = dict(path.bound)
    for number, text in ready.items():
        result = memory[memory_key(text)]
        if result.verdict is None:
            failure = result.failure
            assert failure is not None  # a StepResult has one of the two
            return _ended(state, path, bound, failure.model_copy(update={"step": number}), emit)
        bound[number] = Bound(
            answer=result.verdict.answer,
            confidence=result.verdict.confidence,
            question=memory_key(text),
        )
    while computable := _operators(this, path.model_copy(update={"bound": bound})):
        for number in computable:
            step = this.steps[number - 1]
            answers = {k: b.answer for k, b in bound.items()}
            computed = operators.apply(step, answers, language=state["language"])
            if computed.answer is None:
                failure = Failure(
                    step=number,
                    reason=FailureReason(computed.failure or FailureReason.TYPE_MISMATCH),
                    detail=computed.explanation,
                )
                return _ended(state, path, bound, failure, emit)
            bound[number] = Bound(answer=computed.answer, confidence=1.0, question=f"#{number}")
            emit(Voted(step=number, result=_computed(step.text, answers, computed)))
    if len(this.steps) in bound:
        return _ended(state, path, bound, None, emit)
    first = min(set(range(1, len(this.steps) + 1)) - bound.keys())
    if calls.spent:
        failure = Failure(step=first, reason=FailureReason.BUDGET, detail=calls.spent)
        return _ended(state, path, bound, failure, emit)
    if bound.keys() == path.bound.keys():
        # All that is ready gets bound or fails, so nothing is ready, nor ever will be.
        detail = render(FailureReason.STUCK, state["language"], step=str(first))
        failure = Failure(step=first, reason=FailureReason.STUCK, detail=detail)
        return _ended(state, path, bound, failure, emit)
    return {"path": path.model_copy(update={"bound": bound})}


def _operators(this: Plan, path: Path) -> list[int]:
    return [n for n in paths.ready(this, path) if this.steps[n - 1].kind == "operator"]


def _computed(text: str, answers: dict[int, str], computed: operators.OperatorResult) -> StepResult:
    assert computed.answer is not None  # the caller has dealt with a failure
    verdict = Verdict(
        answer=computed.answer, confidence=1.0, margin=1.0, explanation=computed.explanation
    )
    return StepResult(question=fill(text, answers), verdict=verdict)


def _ended(
    state: State, path: Path, bound: dict[int, Bound], failure: Failure | None, emit: Emit
) -> State:
    """Close the current path: solved, or failed with the reason."""
    path = path.model_copy(update={"bound": bound})
    number = len(state["walked"])
    if failure is not None:
        outcome = Outcome(path=path, failure=failure)
        emit(PathLeft(number=number, failure=failure))
    else:
        this = state["plans"][path.plan]
        confidence = math.prod(b.confidence for b in bound.values())
        outcome = Outcome(path=path, answer=bound[len(this.steps)].answer, confidence=confidence)
        emit(PathSolved(number=number, outcome=outcome))
    return {"path": path, "outcomes": [outcome], "finished": True}


def after_settle(state: State, runtime: Runtime[Calls]) -> str:
    """Go on seeking, take a sure answer, or go back to the root.

    A path that is sure by itself ends the search, though others may make its answer less sure: what
    is told of it is what all say together. Where the person bounds the risk, that has to be enough.
    """
    if not state["finished"]:
        return "seek"
    last, limits = state["outcomes"][-1], runtime.context.limits
    if last.answer is not None and last.confidence >= limits.sure:
        consensus = across_paths(state["outcomes"], state["plans"])
        if limits.risk is None or (consensus and consensus.outcome.confidence >= limits.enough):
            return "compose"
    if len(state["walked"]) >= limits.max_paths or runtime.context.spent:
        return "conclude"
    return "backtrack"
