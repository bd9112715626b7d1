"""Many questions at once, a few at a time; one that fails does not take the others with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from agent.answer import Answer
from agent.errors import UsageError

if TYPE_CHECKING:
    from agent.api import Agent
    from graph.types import Limits

CONCURRENCY = 4
"""Questions under way at once. One local model answers them in turn, so more of them only overlap
more of the retrieval and reading with it."""
T = TypeVar("T")


async def ask_all(
    agent: Agent,
    questions: Iterable[str],
    *,
    limits: Limits | None = None,
    concurrency: int = CONCURRENCY,
) -> list[Answer | Exception]:
    """Answer the questions, at most `concurrency` of them at a time; see `Agent.abatch`."""
    if concurrency < 1:
        raise UsageError(f"a batch needs a concurrency of at least 1, not {concurrency}")
    free = asyncio.Semaphore(concurrency)

    async def one(question: str) -> Answer | Exception:
        async with free:
            try:
                return await agent.aask(question, limits=limits)
            except Exception as error:
                return error

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(question)) for question in questions]
    return [task.result() for task in tasks]


def blocking(work: Coroutine[Any, Any, T]) -> T:
    """Run the work to its end in an event loop and a thread of its own; Ctrl-C cancels it.

    So it can be called where a loop runs already, as one does in a notebook.
    """
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)
    done: Future[T] = Future()

    def run() -> None:
        asyncio.set_event_loop(loop)
        try:
            done.set_result(loop.run_until_complete(task))
        except BaseException as error:
            done.set_exception(error)
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())

    thread = threading.Thread(target=run, name="hoptree-batch", daemon=True)
    thread.start()
    try:
        return done.result()
    finally:
        loop.call_soon_threadsafe(task.cancel)  # nothing to cancel where it is done
        thread.join()
        loop.close()
