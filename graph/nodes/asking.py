"""A person is asked about a step that the vote is not sure of, where the limits say so."""

from __future__ import annotations

from collections.abc import Mapping

from langgraph.types import interrupt

from graph.calls import Emit
from graph.events import StepAsked, Voted
from graph.replay import by_a_person
from graph.state import State, memory_key
from graph.types import StepResult


def ask(ready: Mapping[int, str], state: State, below: float, emit: Emit) -> State:
    """Return what a person said of the steps that are less sure than `below`.

    `ready` is the filled text of each step by its number. The run is interrupted at each such step
    until it is resumed, with an answer or without one: then the vote's stands.
    """
    asked, given = set(state["asked"]), dict[str, StepResult]()
    for number, text in ready.items():
        key = memory_key(text)
        result = state["memory"][key]
        confidence = result.verdict.confidence if result.verdict is not None else 0.0
        if confidence >= below or key in asked:
            continue
        emit(StepAsked(step=number, result=result))
        answer: str | None = interrupt({"step": number})["answer"]
        asked.add(key)
        if answer is not None:
            given[key] = by_a_person(text, answer, result, state["language"])
            emit(Voted(step=number, result=given[key]))
    return {"memory": given, "asked": frozenset(asked)}
