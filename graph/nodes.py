"""The nodes of the machine: small async functions from state to state update."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langgraph.runtime import Runtime
from langgraph.types import Send

from graph import operators, paths
from graph.calls import Calls, Emit
from graph.compose import cite, says, sentence_grammar
from graph.events import (
    Answered,
    Citation,
    Notice,
    PathLeft,
    PathOpened,
    PathSolved,
    Planned,
    Token,
    Voted,
)
from graph.planning import WHOLE_QUESTION, propose
from graph.planning.comparison import named_choice
from graph.planning.iterative import plans_from
from graph.planning.substitute import fill
from graph.state import State, Task, memory_key
from graph.types import (
    Bound,
    Failure,
    FailureReason,
    Outcome,
    Path,
    Plan,
    StepResult,
    Verdict,
)
from graph.vote import vote
from prompts.loader import render
from retrievers.fusion import rrf
from retrievers.passage import Hit, Passage

PLAN_TOKENS = 160
ANSWER_TOKENS = 160
CLOSED_BOOK_TOKENS = 96
SHOWN = 400
"""Characters of a question, and twice as many of findings, that the model is shown: more Chinese
would not fit a context window of 4,096 tokens."""
BRIDGES = 3
"""Passages of the first round that a bridging search goes on from."""


def _emit(runtime: Runtime[Calls]) -> Emit:
    return runtime.stream_writer


def _messages(prompt: str, language: str, **values: str) -> list[BaseMessage]:
    return [
        SystemMessage(render(f"{prompt}_system", language)),
        HumanMessage(render(prompt, language, **values)),
    ]


# ── plan ──────────────────────────────────────────────────────────────────────────────────────


async def plan(state: State, runtime: Runtime[Calls]) -> State:
    """Propose plans, check and rank them, and open the best one as the first path."""
    calls, emit = runtime.context, _emit(runtime)

    async def complete(prompt: str, json_schema: dict[str, Any]) -> str:
        return await calls.generate(
            "plan",
            [HumanMessage(prompt)],
            emit,
            max_tokens=PLAN_TOKENS,
            json_schema=json_schema,
        )

    plans = await propose(state["question"], complete)
    emit(Planned(plans=tuple(plans)))
    return {"plans": plans, **_open(_first_paths(plans), [], emit)}


def _first_paths(plans: Sequence[Plan]) -> list[Path]:
    return [
        Path(plan=number, origin=f"plan {number + 1}, by the {p.planner} planner", prior=p.score)
        for number, p in enumerate(plans)
    ]


def _open(frontier: Sequence[Path], walked: Sequence[Path], emit: Emit) -> State:
    path, remaining = paths.pick(frontier, walked)
    if path is None:
        return {"frontier": []}
    emit(PathOpened(number=len(walked) + 1, path=path))
    return {
        "path": path,
        "frontier": remaining,
        "walked": [*walked, path],
        "finished": False,
        "tasks": [],
    }


# ── seek, read ────────────────────────────────────────────────────────────────────────────────


def _ready_lookups(state: State) -> dict[int, str]:
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
    calls, emit = runtime.context, _emit(runtime)
    steps = state["plans"][state["path"].plan].steps
    first: dict[str, tuple[int, str]] = {}
    for number, text in _ready_lookups(state).items():
        if memory_key(text) not in state["memory"]:
            first.setdefault(memory_key(text), (number, text))
    asked = dict(first.values())
    if not asked:
        return {"tasks": []}
    k = calls.limits.passages
    found = await calls.search(list(asked.values()), k, emit)
    if len(steps) == 1:
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
        }
        for (number, text), hits in zip(asked.items(), found, strict=True)
    ]
    passages = {hit.passage.id: hit.passage for hits in found for hit in hits}
    return {"tasks": tasks, "passages": passages}


async def _bridge(question: str, hits: list[Hit], calls: Calls, emit: Emit) -> list[Hit]:
    """Search again with what the first passages name, for a question asked in one lookup.

    The second hop of a question that no plan could split: each of the best passages is appended to
    the question, which brings the passages that both speak of (as in Xiong et al., 2021,
    "Answering Complex Open-Domain Questions with Multi-Hop Dense Retrieval").
    """
    if not hits:
        return hits
    k = calls.limits.passages
    queries = [f"{question} {h.passage.title} {h.passage.text[:300]}" for h in hits[:BRIDGES]]
    further = await calls.search(queries, k, emit)
    known = {hit.passage.id: hit for found in [*reversed(further), hits] for hit in found}
    # The first round counts twice: a bridge is a guess, the question is not.
    rankings = [[hit.passage.id for hit in found] for found in [hits, hits, *further]]
    return [
        known[passage].model_copy(update={"score": score})
        for passage, score in rrf(rankings)[: k + BRIDGES]
    ]


def fan_out(state: State) -> list[Send] | str:
    """Send each task to its own `read`; go straight on where nothing is to be read."""
    return [Send("read", task) for task in state["tasks"]] or "settle"


async def read(state: Task, runtime: Runtime[Calls]) -> State:
    """Extract candidates from the passages of one task and vote on them."""
    emit, question = _emit(runtime), state["question"]
    passages = [hit.passage for hit in state["hits"]]
    # The reader is not shown the two names of a choice: it would take one of them anywhere.
    choice = named_choice(question)
    asked = choice.asked if choice else question
    candidates = await runtime.context.read(state["step"], asked, passages, state["expects"], emit)
    result = vote(question, state["hits"], candidates, state["step"], state["expects"])
    emit(Voted(step=state["step"], result=result))
    return {"memory": {memory_key(question): result}}


# ── settle, backtrack ─────────────────────────────────────────────────────────────────────────


async def settle(state: State, runtime: Runtime[Calls]) -> State:
    """Bind the verdicts to the path, compute what can be computed, and see whether it ended."""
    calls, emit = runtime.context, _emit(runtime)
    path, memory = state["path"], state["memory"]
    this = state["plans"][path.plan]
    bound = dict(path.bound)
    sought = {task["step"] for task in state["tasks"]}
    for number, text in _ready_lookups(state).items():
        result = memory[memory_key(text)]
        if number not in sought:
            emit(Voted(step=number, result=result, remembered=True))
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
    """Go on seeking, take a sure answer, or go back to the root."""
    if not state["finished"]:
        return "seek"
    last = state["outcomes"][-1]
    limits = runtime.context.limits
    if last.answer is not None and last.confidence >= limits.accept:
        return "compose"
    if len(state["walked"]) >= limits.max_paths or runtime.context.spent:
        return "conclude"
    return "backtrack"


async def backtrack(state: State, runtime: Runtime[Calls]) -> State:
    """Go back to the root and open the most promising path that was not walked.

    A question that was asked as a whole in vain may get new plans from what that search brought.
    """
    emit = _emit(runtime)
    last = state["outcomes"][-1]
    if last.failure is None:
        emit(PathLeft(number=len(state["walked"]), failure=_why_left(last, state)))
    frontier = _untried(state)
    learned = await asyncio.to_thread(_learned, state)
    if not learned:
        return _open(frontier, state["walked"], emit)
    plans = [*state["plans"], *learned]
    emit(Planned(plans=tuple(plans)))
    frontier += _first_paths(plans)[len(state["plans"]) :]
    return {"plans": plans, **_open(frontier, state["walked"], emit)}


def _learned(state: State) -> list[Plan]:
    path = state["outcomes"][-1].path
    this = state["plans"][path.plan]
    question = this.steps[0].text
    asked = state["memory"].get(memory_key(question))
    if this.planner != WHOLE_QUESTION or path.wording or asked is None:
        return []
    return plans_from(question, [state["passages"][passage] for passage in asked.passages])


def _why_left(outcome: Outcome, state: State) -> Failure:
    """Return why a path was left: it failed, or was solved but too weakly to stop at."""
    if outcome.failure is not None:
        return outcome.failure
    assert outcome.answer is not None  # an Outcome has an answer or a failure
    confidence = f"{outcome.confidence:.2f}"
    detail = render("weak", state["language"], answer=outcome.answer, confidence=confidence)
    final = len(state["plans"][outcome.path.plan].steps)
    return Failure(step=final, reason=FailureReason.WEAK, detail=detail)


def _untried(state: State) -> list[Path]:
    """Return the frontier and what the last path suggests; some of it may have been walked."""
    last = state["outcomes"][-1]
    left = last.model_copy(update={"failure": _why_left(last, state)})
    return [*state["frontier"], *paths.alternatives(left, state["plans"], state["memory"])]


def after_backtrack(state: State) -> str:
    """Seek along the new path, or conclude where none is left."""
    return "conclude" if state["finished"] else "seek"


async def conclude(state: State, runtime: Runtime[Calls]) -> State:
    """Say which limit, if any, ended the search. The routing after it decides what is said."""
    limits = runtime.context.limits
    reached = runtime.context.spent
    if reached is None and len(state["walked"]) >= limits.max_paths:
        following, _ = paths.pick(_untried(state), state["walked"])
        learned = await asyncio.to_thread(_learned, state)
        if following is not None or learned:
            reached = render("limit_paths", state["language"], count=str(limits.max_paths))
    if reached:
        _emit(runtime)(Notice(text=render("ended_early", state["language"], reached=reached)))
    return {}


def after_conclude(state: State, runtime: Runtime[Calls]) -> str:
    """Answer with the best solved path, or abstain."""
    chosen = paths.best(state["outcomes"], state["plans"])
    enough = chosen is not None and chosen.confidence >= runtime.context.limits.abstain
    return "compose" if enough else "abstain"


# ── the ends: compose, abstain, closed book ───────────────────────────────────────────────────


async def compose(state: State, runtime: Runtime[Calls]) -> State:
    """Stream the answer of the best path as one cited sentence."""
    calls, emit = runtime.context, _emit(runtime)
    chosen = paths.best(state["outcomes"], state["plans"])
    assert chosen is not None and chosen.answer is not None  # the routing came here for it
    this = state["plans"][chosen.path.plan]
    citations = cite(chosen, this, state["memory"], state["passages"])
    question, language = state["question"], state["language"]
    grammar = sentence_grammar(question, chosen.answer, [c.number for c in citations], language)
    found = " ".join(f"{c.question} {c.quote} [{c.number}]." for c in citations)
    text = await calls.generate(
        "compose",
        _messages(
            "compose",
            language,
            question=question[:SHOWN],
            findings=found[: 2 * SHOWN],
            answer=chosen.answer,
        ),
        emit,
        max_tokens=ANSWER_TOKENS,
        stream=True,
        grammar=grammar,
    )
    marks = [f"[{c.number}]" for c in citations]
    if not says(text, chosen.answer) or not all(mark in text for mark in marks):
        # A model that cannot be bound by a grammar, or a call cut short, may have lost the answer
        # or its sources.
        rest = render("compose_rest", language, answer=chosen.answer, marks="".join(marks))
        rest = rest if text else rest.lstrip()
        emit(Token(text=rest))
        text += rest
    emit(
        Answered(
            status="answered",
            answer=chosen.answer,
            text=text.strip(),
            confidence=chosen.confidence,
            citations=tuple(citations),
            passages=_ranked(citations, state),
        )
    )
    return {}


def _ranked(citations: Sequence[Citation], state: State) -> tuple[Passage, ...]:
    """Rank all passages seen: the cited, then what each lookup found, interleaved."""
    order = dict.fromkeys(citation.passage.id for citation in citations)
    for row in zip_longest(*(result.passages for result in state["memory"].values())):
        order |= dict.fromkeys(passage for passage in row if passage is not None)
    return tuple(state["passages"][passage] for passage in order)


async def abstain(state: State, runtime: Runtime[Calls]) -> State:
    """Say what was found, what is missing and which paths were tried. Nothing is claimed."""
    emit, language = _emit(runtime), state["language"]
    known = {
        result.question: result.verdict.answer
        for result in state["memory"].values()
        if result.verdict is not None
        and result.verdict.confidence >= runtime.context.limits.abstain
    }
    failures = dict.fromkeys(_why_left(o, state).detail for o in state["outcomes"])
    lines = [render("abstain", language, paths=str(len(state["walked"])))]
    lines += [render("abstain_known", language, question=q, answer=a) for q, a in known.items()]
    lines += [render("abstain_missing", language, detail=detail) for detail in failures]
    text = "\n".join(line.strip() for line in lines)
    emit(Token(text=text))
    emit(
        Answered(
            status="abstained",
            answer=None,
            text=text,
            confidence=0.0,
            citations=(),
            passages=_ranked((), state),
        )
    )
    return {}


async def closed_book(state: State, runtime: Runtime[Calls]) -> State:
    """Let the base model answer alone, and tell the reader so."""
    emit, language = _emit(runtime), state["language"]
    emit(Notice(text=render("no_sources", language).strip()))
    text = await runtime.context.generate(
        "closed_book",
        _messages("closed_book", language, question=state["question"][:SHOWN]),
        emit,
        max_tokens=CLOSED_BOOK_TOKENS,
        stream=True,
    )
    emit(
        Answered(
            status="closed_book",
            answer=None,
            text=text.strip(),
            confidence=0.0,
            citations=(),
            passages=(),
        )
    )
    return {}
