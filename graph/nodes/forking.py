"""The first node of a fork: the path that a person corrected is opened as it stands."""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.calls import Calls
from graph.events import Inherited, PathOpened, Planned, Voted
from graph.state import State


async def fork(state: State, runtime: Runtime[Calls]) -> State:
    """Open the corrected path, and tell what is known of its steps."""
    emit = runtime.context.telling(runtime.stream_writer)
    path = state["path"]
    known, passages = state["memory"].values(), state["passages"].values()
    emit(Inherited(results=tuple(known), passages=tuple(passages)))
    emit(Planned(plans=tuple(state["plans"])))
    emit(PathOpened(number=1, path=path))
    for number, bound in sorted(path.bound.items()):
        result = state["memory"].get(bound.question)
        # A runner-up that is bound is not what the vote decided: it is told with the path.
        if result is not None and bound.cluster == 0:
            emit(Voted(step=number, result=result, remembered=True))
    return {"walked": [path]}
