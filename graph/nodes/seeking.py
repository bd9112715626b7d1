"""The nodes that look things up: what is ready is retrieved in one round trip, then read."""

from __future__ import annotations

from collections.abc import Sequence

from langgraph.runtime import Runtime
from langgraph.types import Send

from graph import paths
from graph.calls import Calls, Emit
from graph.events import Voted
from graph.normalise import names_again
from graph.planning.comparison import named_choice
from graph.planning.substitute import fill
from graph.state import State, Task, memory_key
from graph.support import vote
from graph.support.building import says_nothing
from graph.types import AnswerType
from retrievers.fusion import in_turns, rrf
from retrievers.names import names
from retrievers.passage import Hit

BRIDGES = 3
"""Passages of the first round that a bridging search goes on from."""


def ready_lookups(state: State) -> dict[int, str]:
    """Return the filled text of each lookup that can be sought now, by step number."""
    path = state["path"]
    steps = state["plans"][path.plan].steps
    answers = {number: bound.answer for number, bound in path.bound.items()}
    return {
        number: fill(path.wording.get(number, steps[number - 1].text), answers)
        for number in paths.ready(state["plans"][path.plan], path)
        if steps[number - 1].kind == "lookup"
    }


async def seek(state: State, runtime: Runtime[Calls]) -> State:
    """Retrieve for every ready lookup that is not remembered, in one round trip.

    Two steps can come to ask the same (the birth of two directors who are one): it is sought once.
    A plan of one step gets a second round trip, which bridges from what the first found.
    """
    calls = runtime.context
    emit = calls.telling(runtime.stream_writer)
    steps = state["plans"][state["path"].plan].steps
    first: dict[str, tuple[int, str]] = {}
    for number, text in ready_lookups(state).items():
        if memory_key(text) not in state["memory"]:
            first.setdefault(memory_key(text), (number, text))
    asked = dict(first.values())
    if not asked:
        return {"tasks": []}
    # A whole question asked in one lookup is mostly answered by what its description names.
    named = paths.bridging(state["outcomes"], state["plans"]) if len(steps) == 1 else []
    # Steps that an operator judges may well find what the question says ("both Armenian").
    split = len(steps) > 1 and all(step.kind == "lookup" for step in steps)
    k = calls.limits.passages
    found = await calls.search(list(asked.values()), k, emit)
    if len(steps) == 1 and calls.spent is None:
        found = [
            await _bridge(text, hits, calls, emit)
            for text, hits in zip(asked.values(), found, strict=True)
        ]
    tasks: list[Task] = [
        {
            "step": number,
            "question": text,
            "expects": steps[number - 1].expects,
            "hits": hits,
            "named": named,
            "whole": state["question"] if split else None,
        }
        for (number, text), hits in zip(asked.items(), found, strict=True)
    ]
    passages = {hit.passage.id: hit.passage for hits in found for hit in hits}
    return {"tasks": tasks, "passages": passages}


async def _bridge(question: str, hits: list[Hit], calls: Calls, emit: Emit) -> list[Hit]:
    """Search again with what the first passages name, for a question asked in one lookup."""
    if not hits:
        return hits
    k = calls.limits.passages
    further = await calls.search(bridges(question, hits), k, emit)
    return bridged(hits, further, k + BRIDGES)


def bridges(question: str, hits: Sequence[Hit]) -> list[str]:
    """Return the queries of the second hop of a question that no plan could split.

    Each of the best passages is appended to the question, which brings the passages that both speak
    of (as in Xiong et al., 2021, "Answering Complex Open-Domain Questions with Multi-Hop Dense
    Retrieval").
    """
    return [f"{question} {h.passage.title} {h.passage.text[:300]}" for h in hits[:BRIDGES]]


def bridged(first: Sequence[Hit], further: Sequence[Sequence[Hit]], most: int) -> list[Hit]:
    """Merge what the question found and what each bridge did, at most `most`, scored by place.

    They take turns, whatever their scores: what a bridge leads to is in its list alone, so that all
    that the lists agree on would stand before it: on 200 training questions of 2WikiMultihopQA
    recall@5 is 93.0, and 71.0 where they are merged by reciprocal rank (`benchmarks/ranking.py`).
    """
    known = {hit.passage.id: hit for found in [*reversed(further), first] for hit in found}
    merged = in_turns([[hit.passage.id for hit in found] for found in [first, *further]])
    return [
        known[passage].model_copy(update={"score": score})
        for passage, score in rrf([merged[:most]])
    ]


def fan_out(state: State) -> list[Send] | str:
    """Send each task to its own `read`; go straight on where nothing is to be read."""
    return [Send("read", task) for task in state["tasks"]] or "settle"


async def read(state: Task, runtime: Runtime[Calls]) -> State:
    """Extract candidates from the passages of one task and vote on them."""
    calls, question = runtime.context, state["question"]
    emit = calls.telling(runtime.stream_writer)
    passages = [hit.passage for hit in state["hits"]]
    # The reader is not shown the two names of a choice: it would take one of them anywhere.
    choice = named_choice(question)
    asked = choice.asked if choice else question
    candidates = await calls.read(state["step"], asked, passages, state["expects"], emit)
    named = state.get("named", [])
    candidates = [c for c in candidates if not any(names_again(c.text, name) for name in named)]
    whole = state.get("whole")
    if whole is not None and choice is None and state["expects"] is not AnswerType.YES_NO:
        candidates = [c for c in candidates if not says_nothing(c.text, _said(c.text, whole))]
    result = vote(
        question,
        state["hits"],
        candidates,
        state["step"],
        state["expects"],
        calls.voting,
        calls.language,
    )
    emit(Voted(step=state["step"], result=result))
    return {"memory": {memory_key(question): result}}


def _said(answer: str, question: str) -> str:
    """Return a question without the longer names that an answer is only a part of.

    The director of “London Town” may have died in London.
    """
    for name in names(question):
        if answer != name and answer in name:
            question = question.replace(name, " ")
    return question
