"""An async stream of events as a sync one: it runs in a thread and an event loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import AsyncGenerator, Callable, Generator

from graph.events import Event


def pumped(begin: Callable[[], AsyncGenerator[Event, None]]) -> Generator[Event, None, None]:
    """Yield what the stream that `begin` makes yields; closing the iterator cancels it."""
    events: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()
    loop = asyncio.new_event_loop()

    async def pump() -> None:
        async for event in begin():
            events.put(event)

    task = loop.create_task(pump())

    def work() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(task)
            events.put(None)
        except BaseException as error:
            events.put(error)
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    worker = threading.Thread(target=work, name="hoptree-ask", daemon=True)
    try:
        worker.start()  # within: an interrupt may come while it waits for the thread
        while (event := events.get()) is not None:
            if isinstance(event, BaseException):
                raise event
            yield event
    finally:
        with contextlib.suppress(RuntimeError):  # the run has ended, and closed its loop
            loop.call_soon_threadsafe(task.cancel)
        if worker.ident is not None:
            worker.join()
