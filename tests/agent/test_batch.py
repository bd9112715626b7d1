"""Many questions at once: in order, a few at a time, and one that fails is one that fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from agent.answer import Answer
from agent.api import Agent
from agent.errors import ModelFileError, QuestionError, UsageError
from agent.llama import LlamaCppChat
from agent.settings import Settings
from graph.events import Answered, Event, RunStarted
from graph.types import Limits
from retrievers.embedded import EmbeddedIndex


class SlowAgent(Agent):
    """Answers with the question after a while, so that who runs beside whom shows."""

    running = most = 0

    def __init__(self) -> None:
        super().__init__(settings=Settings())
        self.four = asyncio.Event()
        """Set once four run at the same time."""

    async def astream(
        self, question: str, *, limits: Limits | None = None
    ) -> AsyncGenerator[Event, None]:
        self.running += 1
        self.most = max(self.most, self.running)
        if self.running == 4:
            self.four.set()
        try:
            yield RunStarted(run=question, question=question, language="en", settings={})
            # The first questions take the longest.
            for _ in range(20 - int(question)):
                await asyncio.sleep(0)
            if question == "3":
                raise RuntimeError("the index went away")
            yield Answered(
                status="closed_book",
                answer=None,
                text=question,
                confidence=0.0,
                citations=(),
                passages=(),
            )
        finally:
            self.running -= 1


@pytest.mark.parametrize("concurrency", [1, 3, 50])
async def test_results_are_in_order_and_no_more_run_than_may(concurrency: int) -> None:
    agent = SlowAgent()
    results = await agent.abatch(map(str, range(10)), concurrency=concurrency)
    assert [r.text if isinstance(r, Answer) else str(r) for r in results] == [
        *"012",
        "the index went away",
        *"456789",
    ]
    assert agent.most == min(concurrency, 10)
    assert agent.running == 0


async def test_a_batch_that_is_cancelled_stops_every_question() -> None:
    agent = SlowAgent()
    batch = asyncio.create_task(agent.abatch(["1"] * 8, concurrency=4))
    await agent.four.wait()
    batch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await batch
    assert agent.running == 0


def test_a_batch_of_none_is_empty_and_one_without_concurrency_is_refused() -> None:
    agent = SlowAgent()
    assert agent.batch([]) == []
    with pytest.raises(UsageError, match="at least 1"):
        agent.batch(["1"], concurrency=0)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[EmbeddedIndex]:
    opened = EmbeddedIndex.create(tmp_path / "empty")
    yield opened
    opened.close()


async def test_the_real_model_answers_a_batch_inside_a_running_loop(
    empty: EmbeddedIndex, llama: LlamaCppChat, tmp_path: Path
) -> None:
    agent = Agent(empty, llama, settings=Settings(traces=tmp_path / "runs"))
    one, bad, two = agent.batch(["What is the capital of France?", " ", "What is snow?"])
    assert isinstance(bad, QuestionError)
    assert isinstance(one, Answer) and isinstance(two, Answer)
    assert "Paris" in one.text and one.run != two.run
    assert len(list((tmp_path / "runs").glob("*.jsonl"))) == 2


def test_a_model_that_is_missing_fails_every_question(empty: EmbeddedIndex, tmp_path: Path) -> None:
    settings = Settings(traces=tmp_path / "runs")
    agent = Agent(empty, tmp_path / "none.gguf", settings=settings)
    failed = agent.batch(["Who?", "What?"])
    assert [type(error) for error in failed] == [ModelFileError] * 2
