"""The public Python API: `Agent`."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import queue
import threading
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, cast

from agent.answer import Answer, answer_of
from agent.errors import QuestionError, TraceError
from agent.settings import Settings, expanded_index
from agent.traces import TraceWriter, new_run_id
from graph.events import Event, RunFailed, RunStarted
from graph.types import Limits
from retrievers.passage import Retriever

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from graph.machine import Machine
    from graph.protocols import Reader


@functools.cache
def _machine() -> Machine:
    from graph.machine import build

    return build()


def _printable(text: str) -> str:
    """Return the text as valid UTF-8: the name of a file need not be."""
    return text.encode(errors="backslashreplace").decode()


def _place(retriever: Retriever | None) -> str | None:
    """Name an index in a trace: its folder, or what its `repr` says, which holds no password."""
    if retriever is None:
        return None
    return _printable(str(getattr(retriever, "folder", None) or repr(retriever)))


class Agent:
    """Answers questions over an index with a local model.

    Parameters
    ----------
    index
        A folder, an `es://host:port/corpus` address, or any `Retriever`. None takes what the
        settings say; where that index does not exist, the base model answers alone and says so.
    model
        A GGUF file or any LangChain chat model. None takes what the settings say.
    reader
        Extracts candidate answers from passages. None takes the one that ships.
    settings
        None reads the environment and `hoptree.toml`.

    Examples
    --------
    >>> with Agent("my-index") as agent:  # doctest: +SKIP
    ...     print(agent.ask("Who is the mother of the director of Polish-Russian War?").text)
    """

    def __init__(
        self,
        index: str | Path | Retriever | None = None,
        model: str | Path | BaseChatModel | None = None,
        *,
        reader: Reader | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings if settings is not None else Settings()
        self._index = index
        self._given_model = model
        self._reader = reader
        self._model: BaseChatModel | None = None
        self._retriever: Retriever | None = None
        self._lock = threading.Lock()

    # ── parts, loaded when first used ─────────────────────────────────────────────────────────

    def _get_model(self) -> BaseChatModel:
        with self._lock:
            if self._model is None:
                if self._given_model is None or isinstance(self._given_model, str | Path):
                    from agent.llama import LlamaCppChat

                    path = self._given_model or self.settings.model
                    self._model = LlamaCppChat(
                        model_path=str(path) if path is not None else None,
                        n_ctx=self.settings.context,
                        n_threads=self.settings.threads,
                    )
                else:
                    self._model = self._given_model
            return self._model

    def _get_reader(self) -> Reader:
        with self._lock:
            if self._reader is None:
                from agent.readers import default_reader

                self._reader = default_reader()
            return self._reader

    def _get_retriever(self) -> Retriever | None:
        with self._lock:
            if self._retriever is None:
                if self._index is not None and not isinstance(self._index, str | Path):
                    self._retriever = self._index
                else:
                    from agent.indexes import open_index

                    named = self.settings.index
                    if self._index is not None:
                        named = expanded_index(str(self._index))
                    self._retriever = open_index(named, self.settings)
            return self._retriever

    # ── asking ────────────────────────────────────────────────────────────────────────────────

    async def astream(
        self, question: str, *, limits: Limits | None = None
    ) -> AsyncGenerator[Event, None]:
        """Answer a question, yielding each typed event as it happens, the answer last.

        Closing the iterator stops the model.

        Raises
        ------
        QuestionError
            For an empty or over-long question.
        HoptreeError
            For a model or an index that cannot be used.
        """
        question = self._checked(question)
        limits = limits if limits is not None else self.settings.limits
        retriever = await asyncio.to_thread(self._get_retriever)
        searchable = retriever is not None and await retriever.count() > 0
        model = await asyncio.to_thread(self._get_model)
        reader = await asyncio.to_thread(self._get_reader)

        from graph.calls import Calls
        from graph.machine import initial
        from retrievers.analysis import language_of

        run, language = new_run_id(), language_of(question)
        calls = Calls(
            model=model, reader=reader, retriever=retriever, limits=limits, language=language
        )
        with TraceWriter(self.settings.traces, run) as trace:
            told: dict[str, str | int | float | bool | None] = {
                "index": _place(retriever),
                "model": _printable(
                    str(getattr(model, "model_path", None) or type(model).__name__)
                ),
                **limits.model_dump(),
            }
            start = RunStarted(run=run, question=question, language=language, settings=told)
            trace.write(start)
            yield start
            try:
                # LangGraph types what a node streams as anything; our nodes stream events.
                events = cast(
                    "AsyncGenerator[Event, None]",
                    _machine().astream(
                        initial(question, language, searchable),
                        {"recursion_limit": 20 + limits.max_paths * 40},
                        context=calls,
                        stream_mode="custom",
                    ),
                )
                async with contextlib.aclosing(events):
                    async for event in events:
                        trace.write(event)
                        yield event
            except BaseException as error:
                with contextlib.suppress(TraceError):  # or it would hide the error itself
                    trace.write(RunFailed(error=_printable(f"{type(error).__name__}: {error}")))
                raise

    def _checked(self, question: str) -> str:
        question = question.replace("\0", " ").strip()
        if not question:
            raise QuestionError("the question is empty: ask something")
        if len(question) > self.settings.max_question:
            raise QuestionError(
                f"the question has {len(question):,} characters, more than the "
                f"{self.settings.max_question:,} that are taken: shorten it, "
                "or raise HOPTREE_MAX_QUESTION"
            )
        try:
            question.encode()
        except UnicodeEncodeError as error:
            raise QuestionError(
                "the question is not valid UTF-8: check the terminal's encoding"
            ) from error
        return question

    async def aask(self, question: str, *, limits: Limits | None = None) -> Answer:
        """Answer a question and return the whole answer."""
        return answer_of([event async for event in self.astream(question, limits=limits)])

    def ask(self, question: str, *, limits: Limits | None = None) -> Answer:
        """Answer a question; the sync form of `aask`, for use outside an event loop."""
        return answer_of(list(self.stream(question, limits=limits)))

    def stream(
        self, question: str, *, limits: Limits | None = None
    ) -> Generator[Event, None, None]:
        """Yield the events of an answer; closing the iterator stops the model."""
        events: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()
        loop = asyncio.new_event_loop()

        async def pump() -> None:
            async for event in self.astream(question, limits=limits):
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
        worker.start()
        try:
            while (event := events.get()) is not None:
                if isinstance(event, BaseException):
                    raise event
                yield event
        finally:
            with contextlib.suppress(RuntimeError):  # the run has ended, and closed its loop
                loop.call_soon_threadsafe(task.cancel)
            worker.join()

    # ── closing ───────────────────────────────────────────────────────────────────────────────

    async def aclose(self) -> None:
        """Release the model and the index, if this agent opened them."""
        if self._retriever is not None and self._retriever is not self._index:
            await self._retriever.aclose()
            self._retriever = None
        close = getattr(self._model, "close", None)
        if self._model is not self._given_model and callable(close):
            await asyncio.to_thread(close)
            self._model = None

    def close(self) -> None:
        """Release the model and the index; the sync form of `aclose`."""
        # In a thread of its own, as the caller's may run an event loop (a notebook's does).
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, self.aclose()).result()

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Agent:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
