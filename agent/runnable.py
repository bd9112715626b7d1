"""An agent as a LangChain Runnable: questions in, messages out, so that it fits into any chain.

`Agent` is not one itself, because the two promise different things under the same names: what
`Agent.stream` yields are the events of the search, what `Runnable.stream` yields are pieces whose
sum is what `invoke` returns.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    MessageLikeRepresentation,
    convert_to_messages,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import Runnable, RunnableConfig

from agent.answer import Answer, answer_of
from agent.errors import QuestionError
from graph.events import Event, Token

if TYPE_CHECKING:
    from agent.api import Agent
    from graph.types import Limits

Question = str | PromptValue | Sequence[MessageLikeRepresentation]
"""What a chat model takes too; of messages the last one is the question."""


class AgentRunnable(Runnable[Question, AIMessage]):
    """Answers questions in a chain.

    The message holds the answer as text, the tokens used in `usage_metadata`, and everything else
    in `response_metadata["hoptree"]`, as `hoptree ask --json` prints it; `answer_in` reads it back.
    A stream gives the text as it is written, and the rest with the last piece; the pieces add up to
    what `invoke` returns.

    Parameters
    ----------
    agent
        Whom to ask. It is not closed with the runnable.
    limits
        None takes those of the agent's settings.
    """

    def __init__(self, agent: Agent, limits: Limits | None = None) -> None:
        self._agent = agent
        self._limits = limits

    def invoke(
        self, input: Question, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AIMessage:
        """Answer one question."""
        return self._call_with_config(self._invoke, input, config, **kwargs)

    async def ainvoke(
        self, input: Question, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AIMessage:
        """Answer one question."""
        return await self._acall_with_config(self._ainvoke, input, config, **kwargs)

    def stream(
        self, input: Question, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[AIMessage]:
        """Yield the answer in pieces as it is written."""
        return self._transform_stream_with_config(iter([input]), self._stream, config, **kwargs)

    async def astream(
        self, input: Question, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[AIMessage]:
        """Yield the answer in pieces as it is written."""

        async def one() -> AsyncIterator[Question]:
            yield input

        pieces = self._atransform_stream_with_config(one(), self._astream, config, **kwargs)
        async for piece in pieces:
            yield piece

    def _invoke(self, question: Question) -> AIMessage:
        return _message(self._agent.ask(_text(question), limits=self._limits))

    async def _ainvoke(self, question: Question) -> AIMessage:
        return _message(await self._agent.aask(_text(question), limits=self._limits))

    def _stream(self, questions: Iterator[Question]) -> Iterator[AIMessage]:
        for question in questions:
            pieces, kept = _Pieces(), list[Event]()
            events = self._agent.stream(_text(question), limits=self._limits)
            with contextlib.closing(events):
                for event in events:
                    kept.append(event)
                    if isinstance(event, Token) and (text := pieces.add(event.text)):
                        yield AIMessageChunk(content=text)
            yield _last(answer_of(kept), pieces.told)

    async def _astream(self, questions: AsyncIterator[Question]) -> AsyncIterator[AIMessage]:
        async for question in questions:
            pieces, kept = _Pieces(), list[Event]()
            events = self._agent.astream(_text(question), limits=self._limits)
            async with contextlib.aclosing(events):
                async for event in events:
                    kept.append(event)
                    if isinstance(event, Token) and (text := pieces.add(event.text)):
                        yield AIMessageChunk(content=text)
            yield _last(answer_of(kept), pieces.told)


class _Pieces:
    """The tokens of an answer without the white space around it, which its text lacks."""

    def __init__(self) -> None:
        self.told = ""
        self._waiting = ""

    def add(self, token: str) -> str:
        """Return what can be told after this token; white space waits for what follows it."""
        text = self._waiting + token if self.told else token.lstrip()
        telling = text.rstrip()
        self._waiting = text[len(telling) :]
        self.told += telling
        return telling


def _text(question: Question) -> str:
    """Return the question that a chain hands on.

    Raises
    ------
    QuestionError
        Where there is none.
    """
    if isinstance(question, str):
        return question
    messages = (
        question.to_messages()
        if isinstance(question, PromptValue)
        else convert_to_messages(question)
    )
    if not messages:
        raise QuestionError("there is no message, and so no question: ask something")
    return str(messages[-1].text)


def _told(answer: Answer) -> dict[str, Any]:
    used = answer.usage
    return {
        "response_metadata": {"hoptree": answer.model_dump(mode="json")},
        "usage_metadata": UsageMetadata(
            input_tokens=used.input_tokens,
            output_tokens=used.output_tokens,
            total_tokens=used.input_tokens + used.output_tokens,
            input_token_details={"cache_read": used.cached_tokens},
        ),
    }


def _message(answer: Answer) -> AIMessage:
    return AIMessage(content=answer.text, id=f"run-{answer.run}", **_told(answer))


def _last(answer: Answer, told: str) -> AIMessageChunk:
    """Return the last piece: what was not told yet of the text, and all that is no text."""
    rest = answer.text.removeprefix(told) if answer.text.startswith(told) else ""
    return AIMessageChunk(
        content=rest, id=f"run-{answer.run}", chunk_position="last", **_told(answer)
    )


def answer_in(message: AIMessage) -> Answer:
    """Return the whole answer that a message of an `AgentRunnable` holds.

    Raises
    ------
    ValueError
        Where it holds none.
    """
    held = message.response_metadata.get("hoptree")
    if held is None:
        raise ValueError("this message is none of a hoptree agent")
    return Answer.model_validate(held)
