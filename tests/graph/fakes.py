"""Stand-ins for a model, an index and a reader that do exactly what a test tells them.

They are for faults and for the order of things; what the real parts do is tested on themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from agent.planners import Adapter
from graph.types import AnswerType, Candidate
from retrievers.passage import Hit, Passage

# Sentences with next to nothing in common, so that none is taken for a copy of another.
_FRAMES = (
    "It is {}, says the register of the town.",
    "Critics of the time named {} without any doubt at all.",
    "An old letter in the archive speaks of {} in passing.",
    "{} stands at the head of a long and dusty list.",
)


class ScriptedModel(BaseChatModel):
    """Says its replies one after another, word by word, the last one again and again."""

    supports_grammar: ClassVar[bool] = False

    replies: tuple[str, ...] = ("I say nothing of it.",)
    tokens: tuple[int, int] | None = (7, 3)
    """Prompt and answer tokens that each call reports; None where it reports none."""
    hangs: bool = False
    """After its reply it neither goes on nor ends."""

    _asked: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _options: list[dict[str, Any]] = PrivateAttr(default_factory=list)
    _hanging: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)
    _stopped: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def prompts(self) -> list[str]:
        """The last message of each call."""
        return [str(messages[-1].text) for messages in self._asked]

    @property
    def options(self) -> list[dict[str, Any]]:
        """The options of each call."""
        return self._options

    @property
    def hanging(self) -> asyncio.Event:
        """Set once the model hangs."""
        return self._hanging

    @property
    def stopped(self) -> asyncio.Event:
        """Set once a call that hung was ended from outside."""
        return self._stopped

    def _reply(self, messages: list[BaseMessage], options: dict[str, Any]) -> str:
        self._asked.append(messages)
        self._options.append(options)
        return self.replies[min(len(self._asked), len(self.replies)) - 1]

    def _usage(self) -> UsageMetadata | None:
        if self.tokens is None:
            return None
        read, written = self.tokens
        return {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = AIMessage(
            content=self._reply(messages, {"stop": stop, **kwargs}),
            usage_metadata=self._usage(),
            response_metadata={"finish_reason": "stop"},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for word in self._reply(messages, {"stop": stop, **kwargs}).split(" "):
            yield ChatGenerationChunk(message=AIMessageChunk(content=f"{word} "))
        if self.hangs:
            self._hanging.set()
            try:
                await asyncio.Event().wait()
            finally:
                self._stopped.set()
        yield ChatGenerationChunk(
            message=AIMessageChunk(
                content="",
                usage_metadata=self._usage(),
                response_metadata={"finish_reason": "stop"},
            )
        )


class ScriptedGrammarModel(ScriptedModel):
    """A scripted model that says of itself that it can be bound by a grammar."""

    supports_grammar: ClassVar[bool] = True


class ModelWithAdapter(ScriptedGrammarModel):
    """A scripted model that says of itself that it has an adapter that plans."""

    planner_adapter: Adapter = Adapter(name="plans.gguf", path=Path("plans.gguf"))


Facts = Mapping[str, Mapping[str, float]]
"""Sub-question to its answers, each with the reader's score; each is found in its own passage."""


class FakeIndex:
    """Finds the passages of the facts, by the exact words of a sub-question."""

    def __init__(self, facts: Facts, on_search: Callable[[int], None] | None = None) -> None:
        self.searches: list[tuple[str, ...]] = []
        """The queries of each round trip."""
        self._on_search = on_search
        self._found = {
            question: [
                Hit(
                    passage=Passage(id=f"{question}/{n}", text=_FRAMES[n].format(answer)),
                    score=1.0,
                )
                for n, answer in enumerate(answers)
            ]
            for question, answers in facts.items()
        }

    async def search(self, queries: Sequence[str], k: int = 10) -> list[list[Hit]]:
        self.searches.append(tuple(queries))
        if self._on_search is not None:
            self._on_search(len(self.searches))
        return [self._found.get(query, [])[:k] for query in queries]

    async def get(self, ids: Sequence[str]) -> list[Passage]:
        known = {hit.passage.id: hit.passage for hits in self._found.values() for hit in hits}
        return [known[passage] for passage in ids if passage in known]

    async def count(self) -> int:
        return sum(map(len, self._found.values()))

    async def aclose(self) -> None:
        return None


class FakeReader:
    """Reads the answers of the facts out of the passages that hold them."""

    def __init__(self, facts: Facts) -> None:
        self.questions: list[str] = []
        """The sub-questions it was given to read for."""
        self._facts = facts

    def read(
        self,
        question: str,
        passages: Sequence[Passage],
        expects: AnswerType = AnswerType.ANY,
        per_passage: int = 3,
    ) -> list[Candidate]:
        self.questions.append(question)
        return [
            Candidate(
                passage_id=passage.id,
                text=answer,
                start=passage.text.index(answer),
                end=passage.text.index(answer) + len(answer),
                score=score,
                no_answer=0.0,
            )
            for passage in passages
            for answer, score in self._facts.get(question, {}).items()
            if answer in passage.text
        ]
