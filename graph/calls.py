"""The one place through which the graph calls a model or a retriever.

Every call is bounded, counted and traced here, so no node can pay for something unseen.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage

from graph.events import CandidatesRead, Event, ModelCalled, Notice, Retrieved, Token, elapsed
from graph.journal import Journal
from graph.protocols import Reader
from graph.support import prepare
from graph.types import AnswerType, Candidate, Limits, Voting, Wording
from prompts.loader import render
from retrievers.errors import RetrieverError
from retrievers.notices import listening
from retrievers.passage import Hit, Passage, Retriever

Emit = Callable[[Event], None]
MODEL_SECONDS = 60.0
"""The longest that one model call may take, whatever the question's own limit."""
LEAST_MODEL_SECONDS = 5.0
"""What a model call gets at least, so that an answer can still be said once the time is up."""
GRACE_SECONDS = 5.0
"""What a model that knows its time limit gets beyond it, to end by itself."""
LEAST_SEARCH_SECONDS = 1.0
"""What a search gets at least."""
READ_SECONDS = 60.0
"""The longest that reading the passages of one step may take."""
LEAST_READ_SECONDS = 5.0
"""What a read gets at least: what was found late is paid for, and wants to be read."""


def _read(
    reader: Reader, question: str, passages: Sequence[Passage], expects: AnswerType
) -> list[Candidate]:
    candidates = reader.read(question, passages, expects)
    prepare(passages, candidates)
    return candidates


@dataclass
class Calls:
    """What one run may use, and what it has used so far. Lives as long as the run."""

    model: BaseChatModel
    reader: Reader | None = None
    retriever: Retriever | None = None
    limits: Limits = field(default_factory=Limits)
    voting: Voting = field(default_factory=Voting)
    wording: Wording = "rules"
    language: str = "en"
    """Of the question, and of what is told to the reader of the answer."""
    planner_languages: Collection[str] = ()
    """Of the questions that the model has an adapter to plan for."""
    journal: Journal = field(default_factory=Journal)
    started: float = field(default_factory=time.monotonic)
    model_tokens: int = 0
    model_calls: int = 0
    retrieval_calls: int = 0
    lost: str | None = None
    """Why the retriever that answered before can no longer be searched."""
    noticed: set[str] = field(default_factory=set)

    def recall(self, told: Iterable[Event]) -> None:
        """Count what a run had used before it was killed, from its events."""
        events = list(told)
        called = [event for event in events if isinstance(event, ModelCalled)]
        self.started = time.monotonic() - elapsed(events)
        self.model_calls = len(called)
        self.model_tokens = sum(event.input_tokens + event.output_tokens for event in called)
        self.retrieval_calls = sum(isinstance(event, Retrieved) for event in events)
        self.noticed = {event.text for event in events if isinstance(event, Notice)}

    def telling(self, stream: Emit) -> Emit:
        """Return what a node tells its events to: the journal first, then the stream."""

        def emit(event: Event) -> None:
            if self.journal.add(event):
                stream(event)

        return emit

    @property
    def seconds_left(self) -> float:
        return self.limits.max_seconds - (time.monotonic() - self.started)

    @property
    def spent(self) -> str | None:
        """Return which limit is reached, in words, or None."""
        if self.lost is not None:
            return render("index_lost", self.language)
        if self.seconds_left <= 0:
            return render("limit_seconds", self.language, seconds=f"{self.limits.max_seconds:g}")
        if self.model_tokens > self.limits.max_model_tokens:
            return render("limit_tokens", self.language, count=str(self.limits.max_model_tokens))
        if self.retrieval_calls >= self.limits.max_retrieval_calls:
            count = str(self.limits.max_retrieval_calls)
            return render("limit_retrievals", self.language, count=count)
        return None

    async def search(self, queries: Sequence[str], k: int, emit: Emit) -> list[list[Hit]]:
        """Search for all `queries` in one round trip.

        Once a search was answered, one that fails finds nothing: the run goes on with what it has,
        and says so.

        Raises
        ------
        RetrieverError
            Where the first search fails, or is not answered in what is left of the question's time.
        """
        if self.retriever is None:
            raise RuntimeError("a search without a retriever: the run should have been closed-book")
        if self.lost is not None:
            return [[] for _ in queries]
        done = self.journal.finished(Retrieved, queries=tuple(queries))
        if done is not None:
            return [list(hits) for hits in done.hits]
        begun = time.monotonic()
        try:
            with listening(lambda sentence: self._notice(sentence, emit)):
                found = await self._found(self.retriever, queries, k)
        except RetrieverError as error:
            if not self.retrieval_calls:
                raise
            self.lost = str(error)
            self._notice(render("search_failed", self.language, error=str(error)), emit)
            return [[] for _ in queries]
        self.retrieval_calls += 1
        emit(
            Retrieved(
                queries=tuple(queries),
                hits=tuple(tuple(hits) for hits in found),
                seconds=time.monotonic() - begun,
            )
        )
        return found

    async def _found(self, retriever: Retriever, queries: Sequence[str], k: int) -> list[list[Hit]]:
        seconds = max(self.seconds_left, LEAST_SEARCH_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                return await retriever.search(queries, k)
        except TimeoutError as error:
            raise RetrieverError(
                render("search_timeout", self.language, seconds=f"{seconds:.1f}")
            ) from error

    def _notice(self, sentence: str, emit: Emit) -> None:
        """Tell it once a run."""
        if sentence not in self.noticed:
            self.noticed.add(sentence)
            emit(Notice(text=sentence))

    async def read(
        self,
        step: int,
        question: str,
        passages: Sequence[Passage],
        expects: AnswerType,
        emit: Emit,
    ) -> list[Candidate]:
        """Extract candidates from passages and prepare both for the vote, off the event loop.

        A reader that takes longer than what is left of the question's time has read nothing: a
        Notice tells of it, and the run goes on. Its thread ends by itself, as none can be stopped.
        """
        if self.reader is None:
            raise RuntimeError("a read without a reader")
        done = self.journal.finished(CandidatesRead, step=step, question=question)
        if done is not None:
            return list(done.candidates)
        begun = time.monotonic()
        seconds = max(min(self.seconds_left, READ_SECONDS), LEAST_READ_SECONDS)
        candidates: list[Candidate] = []
        try:
            async with asyncio.timeout(seconds) as limit:
                candidates = await asyncio.to_thread(
                    _read, self.reader, question, passages, expects
                )
        except TimeoutError:
            if not limit.expired():
                raise
            values = {"question": question, "seconds": f"{seconds:.1f}"}
            emit(Notice(text=render("read_stopped", self.language, **values)))
        emit(
            CandidatesRead(
                step=step,
                question=question,
                candidates=tuple(candidates),
                seconds=time.monotonic() - begun,
            )
        )
        return candidates

    @property
    def plans_by_lora(self) -> bool:
        """Whether the model has an adapter that plans in the language of the run."""
        return self.language in self.planner_languages

    async def generate(
        self,
        purpose: str,
        messages: Sequence[BaseMessage],
        emit: Emit,
        *,
        max_tokens: int,
        stream: bool = False,
        grammar: str | None = None,
        json_schema: dict[str, Any] | None = None,
        stop: list[str] | None = None,
        planner_lora: bool = False,
    ) -> str:
        """Generate text; with `stream`, each piece is emitted as a Token event as it comes.

        `grammar` (GBNF) and `json_schema` bind models that can be bound (`supports_grammar`);
        from others the caller must check what comes back. `planner_lora` is for a model that has
        one (`plans_by_lora`). A model that takes too long is stopped: what it wrote until then is
        returned, and a Notice tells of it.
        """
        prompt = "\n\n".join(f"[{m.type}] {m.text}" for m in messages)
        done = self.journal.finished(ModelCalled, purpose=purpose, prompt=prompt)
        if done is not None:
            if stream and done.output:
                emit(Token(text=done.output))
            return done.output
        options: dict[str, Any] = {"max_tokens": max_tokens}
        seconds = max(min(self.seconds_left, MODEL_SECONDS), LEAST_MODEL_SECONDS)
        if getattr(self.model, "supports_grammar", False):
            options |= {"timeout": seconds}
            if grammar is not None:
                options["grammar"] = grammar
            if json_schema is not None:
                options["json_schema"] = json_schema
        if planner_lora:
            options["planner_lora"] = True
        begun = time.monotonic()
        whole: AIMessageChunk | None = None
        text = ""
        try:
            async with asyncio.timeout(seconds + GRACE_SECONDS) as limit:
                async for chunk in self.model.astream(list(messages), stop=stop, **options):
                    piece = str(chunk.text)
                    text += piece
                    if stream and piece:
                        emit(Token(text=piece))
                    # A model that cannot stream gives one message, whole.
                    whole = chunk if whole is None else whole + chunk
        except TimeoutError:
            if not limit.expired():
                raise
        told = whole.response_metadata if whole is not None else {}
        finish_reason = "timeout" if limit.expired() else str(told.get("finish_reason", ""))
        if finish_reason == "timeout":
            values = {"purpose": purpose, "seconds": f"{seconds:.1f}"}
            emit(Notice(text=render("model_stopped", self.language, **values)))
        usage = whole.usage_metadata if whole is not None else None
        details = usage.get("input_token_details", {}) if usage else {}
        used_in = usage["input_tokens"] if usage else 0
        used_out = usage["output_tokens"] if usage else 0
        self.model_calls += 1
        self.model_tokens += used_in + used_out
        emit(
            ModelCalled(
                purpose=purpose,
                prompt=prompt,
                output=text,
                input_tokens=used_in,
                output_tokens=used_out,
                cached_tokens=details.get("cache_read", 0),
                seconds=time.monotonic() - begun,
                finish_reason=finish_reason,
            )
        )
        return text
