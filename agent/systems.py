"""The systems that `hoptree eval` compares: hoptree itself and its two baselines.

All three use the same model; `single-shot` uses the same retriever as hoptree, and reads its top
five passages in one prompt. The baselines answer with the first line that the model writes.
"""

from __future__ import annotations

import time

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from agent.api import Agent
from agent.evaluation import SystemAnswer
from graph.calls import Calls
from graph.events import Event, ModelCalled
from prompts.loader import render
from retrievers.analysis import language_of
from retrievers.passage import Passage, Retriever

PASSAGES = 5
ANSWER_TOKENS = 48
PASSAGE_TOKENS = 400
"""A passage is cut to about this many tokens in the single-shot prompt."""


class HoptreeSystem:
    """The agent as a user runs it."""

    name = "hoptree"

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    async def answer(self, question: str) -> SystemAnswer:
        begun = time.monotonic()  # the run's own seconds follow the clock of the machine
        answer = await self._agent.aask(question)
        seconds = time.monotonic() - begun
        for citation in answer.citations:
            if citation.passage.text[citation.start : citation.end] != citation.quote:
                raise AssertionError(f"citation {citation.number} is not a span of its passage")
        return SystemAnswer(
            answer=answer.answer,
            passages=[passage.id for passage in answer.passages],
            prompt_tokens=answer.usage.input_tokens,
            output_tokens=answer.usage.output_tokens,
            seconds=seconds,
            extra={
                "status": answer.status,
                "confidence": answer.confidence,
                "text": answer.text,
                "citations": [
                    {"passage": c.passage.id, "start": c.start, "end": c.end, "quote": c.quote}
                    for c in answer.citations
                ],
                "tree": answer.tree.model_dump(
                    mode="json",
                    exclude={
                        "root": True,
                        "paths": {
                            "__all__": {"steps": {"__all__": {"result": {"verdict": {"clusters"}}}}}
                        },
                    },
                ),
                "retrieval_calls": answer.usage.retrieval_calls,
            },
        )


class ClosedBook:
    """The base model alone."""

    name = "closed-book"

    def __init__(self, model: BaseChatModel) -> None:
        self._model = model

    async def answer(self, question: str) -> SystemAnswer:
        language = language_of(question)
        return await _prompted(self._model, language, render("short", language, question=question))


class SingleShot:
    """The top five passages in one prompt."""

    name = "single-shot"

    def __init__(self, model: BaseChatModel, retriever: Retriever) -> None:
        self._model = model
        self._retriever = retriever

    async def answer(self, question: str) -> SystemAnswer:
        language = language_of(question)
        begun = time.monotonic()
        [hits] = await self._retriever.search([question], PASSAGES)
        passages = [hit.passage for hit in hits]
        prompt = render(
            "short_from_passages",
            language,
            passages="\n\n".join(map(self._shown, passages)),
            question=question,
        )
        answered = await _prompted(self._model, language, prompt)
        return answered.model_copy(
            update={
                "passages": [passage.id for passage in passages],
                "seconds": time.monotonic() - begun,
            }
        )

    def _shown(self, passage: Passage) -> str:
        text = passage.text
        while (tokens := self._model.get_num_tokens(text)) > PASSAGE_TOKENS:
            text = text[: int(len(text) * PASSAGE_TOKENS / tokens)]
        return f"{passage.title}\n{text}"


async def _prompted(model: BaseChatModel, language: str, prompt: str) -> SystemAnswer:
    called: list[ModelCalled] = []

    def keep(event: Event) -> None:
        if isinstance(event, ModelCalled):
            called.append(event)

    calls = Calls(model)
    messages = [SystemMessage(render("short_system", language)), HumanMessage(prompt)]
    text = await calls.generate("answer", messages, keep, max_tokens=ANSWER_TOKENS, stop=["\n"])
    [call] = called
    return SystemAnswer(
        answer=text.strip() or None,
        passages=[],
        prompt_tokens=call.input_tokens,
        output_tokens=call.output_tokens,
        seconds=call.seconds,
    )
