"""The state of a search from its events alone, and the state that a person's correction makes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from graph.events import (
    Event,
    Inherited,
    PathLeft,
    PathOpened,
    PathSolved,
    Planned,
    Retrieved,
    RunStarted,
    Voted,
)
from graph.normalise import same_answer
from graph.paths import upstream
from graph.planning.substitute import fill
from graph.state import State, initial, memory_key
from graph.types import Bound, Outcome, Path, StepResult, Verdict
from prompts.loader import render
from retrievers.analysis import Language


def state_of(events: Iterable[Event]) -> State:
    """Rebuild what a search knew when it told its last event.

    The frontier is not in the events, and stays empty. `path` is missing where none was opened.
    """
    state = initial("", "en", True)
    for event in events:
        match event:
            case RunStarted():
                state |= {"question": event.question, "language": event.language}
            case Inherited():
                state["memory"] = {memory_key(r.question): r for r in event.results}
                state["passages"] = {passage.id: passage for passage in event.passages}
            case Planned():
                state["plans"] = list(event.plans)
            case Retrieved():
                hits = (hit for found in event.hits for hit in found)
                state["passages"] |= {hit.passage.id: hit.passage for hit in hits}
            case PathOpened():
                state["walked"] = [*state["walked"], event.path]
                state["path"] = event.path
            case Voted():
                _bind(state, event.step, event.result)
            case PathSolved():
                state["outcomes"] = [*state["outcomes"], event.outcome]
                state["path"] = event.outcome.path
            case PathLeft() if not _solved(state):
                outcome = Outcome(path=state["path"], failure=event.failure)
                state["outcomes"] = [*state["outcomes"], outcome]
            case _:
                pass
    return state


def _solved(state: State) -> bool:
    """Tell whether the current path has ended already: a weak one is solved, then left."""
    return len(state["outcomes"]) == len(state["walked"])


def _bind(state: State, number: int, result: StepResult) -> None:
    path = state["path"]
    lookup = state["plans"][path.plan].steps[number - 1].kind == "lookup"
    key = memory_key(result.question) if lookup else f"#{number}"
    if lookup:
        state["memory"] = {**state["memory"], key: result}
    if result.verdict is not None:
        bound = Bound(
            answer=result.verdict.answer, confidence=result.verdict.confidence, question=key
        )
        state["path"] = path.model_copy(update={"bound": {**path.bound, number: bound}})


def is_by_a_person(verdict: Verdict) -> bool:
    """Tell whether a person gave the answer: see `by_a_person`."""
    return verdict.explanation in {
        render("verdict_person", language) for language in get_args(Language)
    }


def by_a_person(
    question: str, answer: str, found: StepResult | None = None, language: str = "en"
) -> StepResult:
    """Return the verdict of a person on a sub-question, which says so in the run's language.

    Where the search had found the same answer, the passages that carry it are still cited.
    """
    verdict = found.verdict if found is not None else None
    same = (
        [c for c in verdict.clusters if same_answer(c.text, answer)] if verdict is not None else []
    )
    return StepResult(
        question=question,
        passages=found.passages if found is not None else (),
        verdict=Verdict(
            answer=answer,
            confidence=1.0,
            margin=1.0,
            clusters=tuple(same),
            explanation=render("verdict_person", language),
        ),
    )


def corrected(state: State, path: Path, step: int, answer: str, origin: str) -> State:
    """Return the state in which a search goes on along `path` with a person's answer to `step`.

    What does not depend on the step stays bound; what was sought is still remembered. No other
    path is open: those that may follow come from this one, and so hold the person's answer.
    """
    plan = state["plans"][path.plan]
    kept = {
        number: bound
        for number, bound in path.bound.items()
        if number != step and step not in upstream(plan, number)
    }
    memory = state["memory"]
    if plan.steps[step - 1].kind == "lookup":
        wording = path.wording.get(step, plan.steps[step - 1].text)
        question = fill(wording, {number: bound.answer for number, bound in kept.items()})
        key = memory_key(question)
        said = by_a_person(question, answer, memory.get(key), state["language"])
        memory = {**memory, key: said}
    else:
        key = f"#{step}"
    fresh = path.model_copy(
        update={
            "origin": origin,
            "bound": {**kept, step: Bound(answer=answer, confidence=1.0, question=key)},
        }
    )
    begun = initial(state["question"], state["language"], True)
    known: State = {"plans": state["plans"], "memory": memory, "passages": state["passages"]}
    return {**begun, **known, "path": fresh}
