"""The nodes that end a run: an answer, an abstention, or the base model's own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import zip_longest

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langgraph.runtime import Runtime

from graph.calls import Calls, Emit
from graph.composing import cite, free_grammar, one_of, says, sentences
from graph.events import Answered, Citation, Notice, Token
from graph.nodes.backtracking import why_left
from graph.planning.substitute import fill, needs
from graph.state import State
from graph.support import across_paths, contradictions
from graph.types import Path, Plan
from prompts.loader import render
from retrievers.passage import Passage

ANSWER_TOKENS = 320
"""More than `composing.MAX_BYTES` comes to in Chinese, which takes two tokens a character."""
CLOSED_BOOK_TOKENS = 96
SHOWN = 400
"""Characters of a question, and twice as many of findings, that the model is shown: more Chinese
would not fit a context window of 4,096 tokens."""


def _messages(prompt: str, language: str, **values: str) -> list[BaseMessage]:
    return [
        SystemMessage(render(f"{prompt}_system", language)),
        HumanMessage(render(prompt, language, **values)),
    ]


async def compose(state: State, runtime: Runtime[Calls]) -> State:
    """Stream the answer of the best path as one cited sentence."""
    calls = runtime.context
    emit = calls.telling(runtime.stream_writer)
    consensus = across_paths(state["outcomes"], state["plans"])
    assert consensus is not None  # the routing came here for it
    chosen = consensus.outcome
    assert chosen.answer is not None
    this = state["plans"][chosen.path.plan]
    citations = cite(chosen, this, state["memory"], state["passages"])
    for contradiction in contradictions(consensus, state["language"]):
        emit(Notice(text=contradiction))
    text = await in_words(
        state["question"], chosen.answer, citations, state["language"], calls, emit
    )
    emit(
        Answered(
            status="answered",
            answer=chosen.answer,
            text=text,
            confidence=chosen.confidence,
            citations=tuple(citations),
            passages=_ranked(citations, state),
        )
    )
    return {}


async def in_words(
    question: str,
    answer: str,
    citations: Sequence[Citation],
    language: str,
    calls: Calls,
    emit: Emit,
) -> str:
    """Let the model write the answer as one cited sentence, streamed, and return it.

    By rules it writes one of the sentences that they make; freely, or where it cannot be bound by
    a grammar, its own.
    """
    asked = question, answer, [citation.number for citation in citations], language
    made = await asyncio.to_thread(sentences, *asked) if calls.wording == "rules" else []
    found = " ".join(f"{c.question} {c.quote} [{c.number}]." for c in citations)
    messages = _messages(
        "compose",
        language,
        question=question[:SHOWN],
        findings=found[: 2 * SHOWN],
        answer=answer,
    )
    text = await calls.generate(
        "compose",
        messages,
        emit,
        max_tokens=ANSWER_TOKENS,
        stream=True,
        grammar=one_of(made) if made else free_grammar(*asked),
    )
    marks = [f"[{c.number}]" for c in citations]
    told = says(text, answer) and all(mark in text for mark in marks)
    if text not in made and not told:
        # A model that cannot be bound by a grammar, or a call cut short, may have lost the answer
        # or its sources.
        rest = render("compose_rest", language, answer=answer, marks="".join(marks))
        rest = rest if text else rest.lstrip()
        emit(Token(text=rest))
        text += rest
    return text.strip()


def _ranked(citations: Sequence[Citation], state: State) -> tuple[Passage, ...]:
    """Rank all passages seen: the cited, then what each lookup found, interleaved."""
    order = dict.fromkeys(citation.passage.id for citation in citations)
    for row in zip_longest(*(result.passages for result in state["memory"].values())):
        order |= dict.fromkeys(passage for passage in row if passage is not None)
    return tuple(state["passages"][passage] for passage in order)


async def abstain(state: State, runtime: Runtime[Calls]) -> State:
    """Say what was found, what is missing and which paths were tried. Nothing is claimed."""
    language = state["language"]
    emit = runtime.context.telling(runtime.stream_writer)
    known = {
        result.question: result.verdict.answer
        for result in state["memory"].values()
        if result.verdict is not None and result.verdict.confidence >= runtime.context.limits.enough
    }
    failures = dict.fromkeys(why_left(o, state).detail for o in state["outcomes"])
    tried = dict.fromkeys(_tried(o.path, state["plans"][o.path.plan]) for o in state["outcomes"])
    lines = [render("abstain", language, paths=str(len(state["walked"])))]
    lines += [render("abstain_known", language, question=q, answer=a) for q, a in known.items()]
    lines += [render("abstain_missing", language, detail=detail) for detail in failures]
    lines += [render("abstain_tried", language, steps=steps) for steps in tried]
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


def _tried(path: Path, plan: Plan) -> str:
    """Return the questions of a path, each with its answer, up to the one that failed."""
    answers = {number: bound.answer for number, bound in path.bound.items()}
    told = []
    for number, step in enumerate(plan.steps, 1):
        if needs(step) <= answers.keys():
            asked = fill(path.wording.get(number, step.text), answers)
            told.append(f"{asked} {answers.get(number, '–')}")
    return " → ".join(told)


async def closed_book(state: State, runtime: Runtime[Calls]) -> State:
    """Let the base model answer alone, and tell the reader so."""
    language = state["language"]
    emit = runtime.context.telling(runtime.stream_writer)
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
