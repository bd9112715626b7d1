"""The first node: plans are proposed, and the best one is opened as the first path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import HumanMessage
from langgraph.runtime import Runtime

from graph import paths
from graph.calls import Calls, Emit
from graph.events import PathOpened, Planned
from graph.planning import propose
from graph.state import State
from graph.types import Path, Plan, Way

PLAN_TOKENS = 160


async def plan(state: State, runtime: Runtime[Calls]) -> State:
    """Propose plans, check and rank them, and open the best one as the first path."""
    calls = runtime.context
    emit = calls.telling(runtime.stream_writer)

    async def complete(prompt: str, json_schema: dict[str, Any]) -> str:
        return await calls.generate(
            "plan",
            [HumanMessage(prompt)],
            emit,
            max_tokens=PLAN_TOKENS,
            json_schema=json_schema,
            planner_lora=calls.plans_by_lora,
        )

    plans = await propose(state["question"], complete, trained=calls.plans_by_lora)
    emit(Planned(plans=tuple(plans)))
    first = first_paths(plans, state["language"])
    first = first if Way.PLAN in calls.limits.ways else first[:1]
    return {"plans": plans, **opened(first, [], calls.limits.max_paths, emit)}


def first_paths(
    plans: Sequence[Plan], language: str, *, after: int = 0, way: Way = Way.PLAN
) -> list[Path]:
    """Return the path that each plan begins with, in order, but for the first `after` plans."""
    found = []
    for number, plan in list(enumerate(plans))[after:]:
        origin = paths.plan_origin(number + 1, plan.planner, language)
        found.append(Path(plan=number, origin=origin, way=way, prior=plan.score))
    return found


def opened(frontier: Sequence[Path], walked: Sequence[Path], most: int, emit: Emit) -> State:
    """Open the most promising path that was not walked, if there is one.

    Of the others only those are kept that can still be opened when `most` may be walked.
    """
    path, remaining = paths.pick(frontier, walked)
    if path is None:
        return {"frontier": []}
    beam = most - len(walked)  # with one more than can be opened: a limit that cut it off is told
    emit(PathOpened(number=len(walked) + 1, path=path))
    return {
        "path": path,
        "frontier": remaining[:beam],
        "walked": [*walked, path],
        "finished": False,
        "tasks": [],
    }
