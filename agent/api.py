"""The public Python API: `Agent`."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from agent.answer import Answer, answer_of
from agent.errors import QuestionError, UsageError
from agent.planners import SHIPPED
from agent.pump import pumped
from agent.settings import Settings, expanded, expanded_index
from agent.telemetry import traced
from agent.traces import new_run_id
from graph.events import Correction, Event, Planned, RunStarted
from graph.types import Limits
from retrievers.passage import Retriever

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.retrievers import BaseRetriever

    from agent.feedback import Feedback, Form, Rating
    from agent.runnable import AgentRunnable
    from agent.runs import Parts
    from graph.protocols import Reader
    from retrievers.indexing import IndexReport
    from retrievers.langchain import PassageRetriever


_SAY = {"question": "ask something", "answer": "say what is right, or leave it out"}


async def _answer(events: AsyncGenerator[Event, None]) -> Answer:
    async with contextlib.aclosing(events):
        return answer_of([event async for event in events])


class Agent:
    """Answers questions over an index with a local model.

    Parameters
    ----------
    index
        A folder, an `es://host:port/corpus` address, any `Retriever`, or a LangChain retriever (see
        `retrievers.langchain.LangChainRetriever` for what it lacks). None takes what the settings
        say; where that index does not exist, the base model answers alone and says so.
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
        index: str | Path | Retriever | BaseRetriever | None = None,
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
                        planner_lora=str(self.settings.planner_lora),
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
                    from retrievers.langchain import adapted

                    self._retriever = adapted(self._index)
                else:
                    from agent.indexes import open_index

                    named = self.settings.index
                    if self._index is not None:
                        named = expanded_index(str(self._index))
                    self._retriever = open_index(named, self.settings)
            return self._retriever

    def load(self) -> None:
        """Open the index, the model and the reader now rather than at the first question.

        Raises
        ------
        HoptreeError
            For a model that cannot be loaded.
        retrievers.errors.RetrieverError
            For an index that cannot be opened.
        """
        self._get_retriever()
        load = getattr(self._get_model(), "load", None)
        if callable(load):
            load()
        self._get_reader()
        import_module("agent.runs")  # and with it LangGraph, which takes its time

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
        parts = await self._parts()

        from agent import runs
        from retrievers.analysis import language_of

        begin = RunStarted(
            run=new_run_id(),
            question=question,
            language=language_of(question),
            settings=parts.named() | self._taken(limits).as_settings(),
        )
        told = self._told(parts, runs.start(parts, self.settings.traces, begin))
        async with contextlib.aclosing(told) as events:
            async for event in events:
                yield event

    async def astream_resume(
        self, run: str, answer: str | None = None
    ) -> AsyncGenerator[Event, None]:
        """Go on with a run that was killed, stopped, or waits for a person; yield its events.

        What it told before comes first, but for the pieces of an answer that was cut; no call that
        had finished is made again. A run that has its answer tells it again.

        Parameters
        ----------
        run
            The name of its trace.
        answer
            What a person answers to the step that the run asks about. None takes the vote's.

        Raises
        ------
        UsageError
            Where there is no such run, it was asked of another index, it waits for no answer, or
            it has no plan yet and was begun with an adapter that plans, and not with this one.
        TraceError
            Where its trace or its checkpoints cannot be used.
        """
        from agent import runs

        left = runs.told(self.settings.traces, run)
        if answer is not None:
            answer = self._checked(answer, "answer")
            if not runs.waits(left):
                raise UsageError(
                    f"the run {run} waits for no answer: resume it without one, or fork it"
                )
        for event in runs.valid(left):
            yield event
        if runs.ended(left):
            return
        parts = await self._parts()
        asked, named = runs.started(left).settings, parts.named()
        if asked.get("index") != named["index"]:
            raise UsageError(
                f"the run {run} was asked of the index {asked.get('index')}, "
                f"and not of {named['index']}"
            )
        plans, other = asked.get("planner_lora"), named.get("planner_lora")
        if plans is None:
            parts = replace(parts, adapter=None)
        elif plans != other and not any(isinstance(event, Planned) for event in left):
            remedy = (
                "resume it with the model it was begun with"
                if plans == SHIPPED and self.settings.planner_lora == SHIPPED
                else f"set HOPTREE_PLANNER_LORA to {plans}"
            )
            raise UsageError(
                f"the run {run} has no plan yet, and was begun with the adapter {plans} to plan "
                f"it, not with {other or 'none'}: {remedy}, or ask again"
            )
        going_on = runs.resume(parts, self.settings.traces, run, answer)
        events = self._told(parts, going_on, runs.valid(left))
        async with contextlib.aclosing(events):
            async for event in events:
                yield event

    async def astream_fork(
        self,
        run: str,
        step: int,
        answer: str,
        *,
        path: int | None = None,
        limits: Limits | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Take the path of a run with a person's answer to one step, as a run of its own.

        Everything that does not depend on that step is kept, and nothing of it is sought again.

        Parameters
        ----------
        step, path
            Which step of which path is corrected, counted from 1. Without a path it is the one that
            the answer came from, or else the last one.
        limits
            None takes those of the run that is forked.

        Raises
        ------
        UsageError
            Where there is no such run, path or step, or no answer.
        """
        from agent import runs

        left = runs.told(self.settings.traces, run)
        first = runs.started(left)
        answer = self._checked(answer, "answer")
        correction = Correction(
            path=runs.path_to_correct(left, path, step), step=step, answer=answer
        )
        parts = await self._parts()
        taken = limits if limits is not None else runs.limits_of(first)
        begin = RunStarted(
            run=new_run_id(),
            question=first.question,
            language=first.language,
            settings=parts.named() | taken.as_settings(),
            forked_from=run,
            corrected=correction,
        )
        told = self._told(parts, runs.start(parts, self.settings.traces, begin))
        async with contextlib.aclosing(told) as events:
            async for event in events:
                yield event

    async def _parts(self) -> Parts:
        from agent.runs import Parts
        from agent.sources import file_of, trusting

        retriever = await asyncio.to_thread(self._get_retriever)
        searchable = retriever is not None and await retriever.count() > 0
        model = await asyncio.to_thread(self._get_model)
        reader = await asyncio.to_thread(self._get_reader)
        voting = await asyncio.to_thread(trusting, self.settings.voting, file_of(retriever))
        adapter = getattr(model, "planner_adapter", None)
        wording = self.settings.wording
        return Parts(model, reader, retriever, searchable, voting, wording, adapter)

    def _told(
        self, parts: Parts, events: AsyncGenerator[Event, None], before: Sequence[Event] = ()
    ) -> AsyncGenerator[Event, None]:
        """Return the events of a run, of which spans are made and from which is learned."""
        from agent.sources import file_of, learning

        file = file_of(parts.retriever) if parts.voting.learn else None
        return traced(learning(events, file, before), self.settings)

    def _taken(self, limits: Limits | None) -> Limits:
        return limits if limits is not None else self.settings.limits

    def _checked(self, text: str, kind: str = "question") -> str:
        text = text.replace("\0", " ").strip()
        if not text:
            raise QuestionError(f"the {kind} is empty: {_SAY[kind]}")
        if len(text) > self.settings.max_question:
            raise QuestionError(
                f"the {kind} has {len(text):,} characters, more than the "
                f"{self.settings.max_question:,} that are taken: shorten it, "
                "or raise HOPTREE_MAX_QUESTION"
            )
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise QuestionError(
                f"the {kind} is not valid UTF-8: check the terminal's encoding"
            ) from error
        return text

    async def aask(self, question: str, *, limits: Limits | None = None) -> Answer:
        """Answer a question and return the whole answer.

        Raises
        ------
        WaitingError
            Where a person is asked about a step first (`Limits.ask_below`).
        """
        return await _answer(self.astream(question, limits=limits))

    async def aresume(self, run: str, answer: str | None = None) -> Answer:
        """Go on with a run (see `astream_resume`) and return the whole answer."""
        return await _answer(self.astream_resume(run, answer))

    async def afork(
        self,
        run: str,
        step: int,
        answer: str,
        *,
        path: int | None = None,
        limits: Limits | None = None,
    ) -> Answer:
        """Correct a step of a run (see `astream_fork`) and return the whole answer."""
        return await _answer(self.astream_fork(run, step, answer, path=path, limits=limits))

    # ── the sync forms, for use outside an event loop ─────────────────────────────────────────

    def ask(self, question: str, *, limits: Limits | None = None) -> Answer:
        """Answer a question; the sync form of `aask`."""
        return answer_of(list(self.stream(question, limits=limits)))

    def resume(self, run: str, answer: str | None = None) -> Answer:
        """Go on with a run; the sync form of `aresume`."""
        return answer_of(list(self.stream_resume(run, answer)))

    def fork(
        self,
        run: str,
        step: int,
        answer: str,
        *,
        path: int | None = None,
        limits: Limits | None = None,
    ) -> Answer:
        """Correct a step of a run; the sync form of `afork`."""
        return answer_of(list(self.stream_fork(run, step, answer, path=path, limits=limits)))

    def stream(
        self, question: str, *, limits: Limits | None = None
    ) -> Generator[Event, None, None]:
        """Yield the events of an answer; closing the iterator stops the model."""
        return pumped(lambda: self.astream(question, limits=limits))

    def stream_resume(self, run: str, answer: str | None = None) -> Generator[Event, None, None]:
        """Yield the events of a run that goes on; the sync form of `astream_resume`."""
        return pumped(lambda: self.astream_resume(run, answer))

    def stream_fork(
        self,
        run: str,
        step: int,
        answer: str,
        *,
        path: int | None = None,
        limits: Limits | None = None,
    ) -> Generator[Event, None, None]:
        """Yield the events of a fork; the sync form of `astream_fork`."""
        return pumped(lambda: self.astream_fork(run, step, answer, path=path, limits=limits))

    async def abatch(
        self, questions: Iterable[str], *, limits: Limits | None = None, concurrency: int = 4
    ) -> list[Answer | Exception]:
        """Answer many questions, at most `concurrency` of them at a time.

        The results are in the order of the questions. A question that fails has what went wrong in
        its place, and the others are answered all the same.
        """
        from agent.batch import ask_all

        return await ask_all(self, questions, limits=limits, concurrency=concurrency)

    def batch(
        self, questions: Iterable[str], *, limits: Limits | None = None, concurrency: int = 4
    ) -> list[Answer | Exception]:
        """Answer many questions; the sync form of `abatch`."""
        from agent.batch import blocking

        return blocking(self.abatch(questions, limits=limits, concurrency=concurrency))

    # ── in LangChain ──────────────────────────────────────────────────────────────────────────

    def as_runnable(self, *, limits: Limits | None = None) -> AgentRunnable:
        """Return this agent as a LangChain Runnable: a question in, a message out."""
        from agent.runnable import AgentRunnable

        return AgentRunnable(self, limits)

    def as_retriever(self, *, k: int = 10) -> PassageRetriever:
        """Return this agent's index as a LangChain retriever of up to `k` documents a query.

        Raises
        ------
        UsageError
            Where nothing is indexed yet.
        retrievers.errors.RetrieverError
            For an index that cannot be opened.
        """
        from retrievers.langchain import PassageRetriever

        retriever = self._get_retriever()
        if retriever is None:
            raise UsageError("there is no index yet: index documents first, with Agent.index")
        return PassageRetriever(retriever=retriever, k=k)

    # ── beside asking ─────────────────────────────────────────────────────────────────────────

    def index(
        self,
        paths: Sequence[str | Path] | str | Path,
        *,
        delete: Sequence[str] = (),
        prune: bool = False,
        progress: Callable[[int], None] = lambda done: None,
    ) -> IndexReport:
        """Index files and folders into this agent's index; unchanged documents are skipped.

        Parameters
        ----------
        paths
            JSONL, Markdown, text, HTML or PDF files, or folders of them.
        delete
            Ids of documents to remove.
        prune
            Remove documents that are no longer in `paths`.
        progress
            Is given the number of documents done, again and again.

        Raises
        ------
        UsageError
            Where a path does not exist, or the agent was given a retriever and not an index.
        retrievers.errors.RetrieverError
            Where the index cannot be made or written.
        """
        from agent.indexing import add_files

        if self._index is not None and not isinstance(self._index, str | Path):
            raise UsageError("this agent searches a retriever of yours: index with that")
        named = expanded_index(str(self._index)) if self._index is not None else self.settings.index
        files = [paths] if isinstance(paths, str | Path) else paths
        _, report = add_files(
            [expanded(Path(path)) for path in files],
            self.settings.model_copy(update={"index": named}),
            delete=delete,
            prune=prune,
            progress=progress,
        )
        return report

    def feedback(
        self,
        run: str | Answer,
        rating: Rating | None = None,
        *,
        form: Form | None = None,
        dwell_seconds: float | None = None,
        follow_up: str | None = None,
    ) -> Feedback:
        """Keep what a person thought of an answer, beside the traces, and return it.

        Raises
        ------
        UsageError
            Where there is no such run, or nothing is said of it.
        FeedbackError
            Where it cannot be written.
        """
        from agent.feedback import given, store

        kept = given(
            run if isinstance(run, str) else run.run,
            rating=rating,
            form=form,
            dwell_seconds=dwell_seconds,
            follow_up=follow_up,
        )
        store(self.settings.traces, kept)
        return kept

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
