"""An agent in LangChain: a Runnable that keeps LangChain's contracts, with the real model."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from agent.api import Agent
from agent.errors import QuestionError
from agent.llama import LlamaCppChat
from agent.runnable import AgentRunnable, answer_in
from agent.settings import Settings
from graph.types import Limits
from retrievers.embedded import EmbeddedIndex

QUESTION = "When was Les McCann born?"
ANSWER = "September 23, 1935"


class Watching(BaseCallbackHandler):
    """Notes what LangChain tells of a chain, and not of what runs inside it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def _note(self, kind: str, what: Any, parent_run_id: Any = None, **_: Any) -> None:
        if parent_run_id is None:
            self.told.append((kind, what))

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        self._note("start", inputs, **kwargs)

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        self._note("end", outputs, **kwargs)

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        self._note("error", error, **kwargs)


@pytest.fixture(scope="module")
def runnable(
    sample_index: Path, llama: LlamaCppChat, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AgentRunnable]:
    index = EmbeddedIndex.open(sample_index)
    limits = Limits(max_seconds=600, accept=0.3)
    settings = Settings(traces=tmp_path_factory.mktemp("runs"), limits=limits)
    yield Agent(index, llama, settings=settings).as_runnable()
    index.close()


def test_a_question_becomes_a_message_that_holds_the_whole_answer(runnable: AgentRunnable) -> None:
    watching = Watching()
    message = runnable.invoke(QUESTION, {"callbacks": [watching]})
    answer = answer_in(message)
    assert type(message) is AIMessage
    assert message.text == answer.text and ANSWER in message.text
    assert answer.citations[0].quote == ANSWER
    assert message.usage_metadata is not None
    assert message.usage_metadata["input_tokens"] == answer.usage.input_tokens > 0
    assert [kind for kind, _ in watching.told] == ["start", "end"]
    assert watching.told[1][1] == message


async def test_the_pieces_of_a_stream_add_up_to_the_message(runnable: AgentRunnable) -> None:
    whole = runnable.invoke(QUESTION)
    pieces = list(runnable.stream(QUESTION))
    apieces = [piece async for piece in runnable.astream(QUESTION)]
    for streamed in (pieces, apieces):
        assert len(streamed) > 3
        assert all(isinstance(piece, AIMessageChunk) for piece in streamed)
        total = reduce(add, streamed)
        assert total.text == whole.text
        assert total.usage_metadata is not None and whole.usage_metadata is not None
        assert total.usage_metadata["total_tokens"] == whole.usage_metadata["total_tokens"]
        assert answer_in(total).answer == ANSWER


async def test_it_stands_in_a_chain_and_takes_what_a_chat_model_takes(
    runnable: AgentRunnable,
) -> None:
    prompt = ChatPromptTemplate.from_messages([("human", "When was {who} born?")])
    chain = prompt | runnable | StrOutputParser()
    text = await chain.ainvoke({"who": "Les McCann"})
    assert ANSWER in text
    assert "".join(chain.stream({"who": "Les McCann"})) == text
    messages = [("system", "Be brief."), HumanMessage(QUESTION)]
    assert (await runnable.ainvoke(messages)).text == text


def test_a_batch_keeps_the_order_and_raises_or_returns_what_fails(
    runnable: AgentRunnable,
) -> None:
    config: Any = {"max_concurrency": 2}
    one, bad, two = runnable.batch([QUESTION, " ", QUESTION], config, return_exceptions=True)
    assert isinstance(bad, QuestionError)
    assert one.text == two.text and ANSWER in one.text
    with pytest.raises(QuestionError):
        runnable.batch([" ", QUESTION], config)


def test_what_fails_is_told_to_the_callbacks(runnable: AgentRunnable) -> None:
    watching = Watching()
    with pytest.raises(QuestionError):
        runnable.invoke([], {"callbacks": [watching]})
    assert [kind for kind, _ in watching.told] == ["start", "error"]
    with pytest.raises(QuestionError):
        list(runnable.stream(" "))
    with pytest.raises(ValueError, match="none of a hoptree agent"):
        answer_in(AIMessage("hello"))
