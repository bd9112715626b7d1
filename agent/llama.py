"""llama.cpp as a LangChain chat model: one model, one thread, one queue.

llama.cpp holds one context, so calls take turns. A prompt that begins like an earlier one reuses
the evaluated prefix, although calls of other kinds came between (`agent.warm`). A call that is
cancelled stops before its next token, or between two batches of its prompt; one that still waits
never runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import agenerate_from_stream, generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from agent.errors import HoptreeError, ModelError, PromptTooLongError
from agent.gguf import BATCH, LoadedModel, default_model, load_gguf
from agent.planners import SHIPPED, Adapter, adapter_of
from agent.streamed_text import StreamedText
from agent.warm import WarmPrompts, alike
from retrievers.onnx import cores

__all__ = ["CallOptions", "LlamaCppChat", "default_model"]

DEFAULT_MAX_TOKENS = 256
_CLOSED = "the model was closed: make a new one to ask again"
_ROLES = {"system": "system", "human": "user", "ai": "assistant"}


class CallOptions(BaseModel):
    """What one call may ask for beside its messages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_tokens: int = Field(default=DEFAULT_MAX_TOKENS, ge=1)
    timeout: float | None = None
    """Seconds for prompt and answer, from when the call's turn comes. None: without end."""
    stop: list[str] | None = None
    temperature: float = Field(default=0.0, ge=0.0)
    """0: greedy."""
    seed: int | None = Field(default=None, ge=0, lt=2**32)
    """For a temperature above 0. None: another at each call."""
    grammar: str | None = None
    """GBNF the answer follows; it goes before `json_schema`."""
    json_schema: dict[str, Any] | None = None
    prefill: str = ""
    """Text the answer begins with; it is not streamed."""
    planner_lora: bool = False
    """Compute this call with the adapter that plans, where the model has one."""


@dataclass
class _Request:
    """A call in the queue. `deliver` is called from the worker thread."""

    messages: Sequence[BaseMessage]
    options: CallOptions
    deliver: Callable[[ChatGenerationChunk | BaseException | None], None]
    cancelled: threading.Event = field(default_factory=threading.Event)


class LlamaCppChat(BaseChatModel):
    """A chat model over a GGUF file, with the call options of `CallOptions`.

    The last chunk carries the usage, with the prompt tokens taken from the cache, and the finish
    reason: "stop", "length" (`max_tokens` were written) or "timeout" (the answer is what it had).
    A call raises `PromptTooLongError`, `GrammarError`, or `ModelError` for anything else.
    """

    supports_grammar: ClassVar[bool] = True

    model_path: str | None = None
    """None: the model that ships, `default_model()`."""
    n_ctx: int = Field(default=4096, ge=64)
    n_threads: int | None = None
    planner_lora: str = SHIPPED
    """A GGUF LoRA for the calls that ask for it; the others are computed without it. `shipped`: the
    one that ships, where the model is the one that ships. `none`: none."""

    _requests: queue.SimpleQueue[_Request | None] = PrivateAttr(default_factory=queue.SimpleQueue)
    _worker: threading.Thread | None = PrivateAttr(default=None)
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)
    _closed: bool = PrivateAttr(default=False)
    _loaded: LoadedModel | None = PrivateAttr(default=None)

    @property
    def _llm_type(self) -> str:
        return "llama.cpp"

    @property
    def planner_adapter(self) -> Adapter | None:
        """The adapter that plans, if any."""
        return adapter_of(self._path, self.planner_lora)

    @property
    def _path(self) -> Path | None:
        return Path(self.model_path).expanduser() if self.model_path else None

    # ── loading ───────────────────────────────────────────────────────────────────────────────

    def load(self) -> None:
        """Load the model now rather than at the first call.

        Raises
        ------
        ModelFileError
            Where the file cannot be loaded.
        """
        with self._lock:
            self._open()

    def _open(self) -> LoadedModel:
        """Return the loaded model, loading it first where need be; the lock is held."""
        if self._closed:
            raise ModelError(_CLOSED)
        if self._loaded is None:
            adapter = self.planner_adapter
            self._loaded = load_gguf(
                self._path or default_model(),
                adapter.checked() if adapter is not None else None,
                self.n_ctx,
                self.n_threads or cores(),
            )
            self._worker = threading.Thread(
                target=self._work, args=(self._loaded,), name="llama.cpp", daemon=True
            )
            self._worker.start()
        return self._loaded

    def close(self) -> None:
        """Free the model. The call that runs and those that wait raise `ModelError`."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._requests.put(None)
        if self._worker is not None:
            self._worker.join()

    def get_token_ids(self, text: str) -> list[int]:
        """Return the tokens of a text, without waiting for the calls in the queue."""
        with self._lock:
            return self._open().tokens(text)

    # ── the worker ────────────────────────────────────────────────────────────────────────────

    def _work(self, model: LoadedModel) -> None:
        warm = WarmPrompts(model)
        while (request := self._requests.get()) is not None:
            if not request.cancelled.is_set():
                try:
                    for chunk in self._run(model, warm, request):
                        request.deliver(chunk)
                except HoptreeError as error:
                    request.deliver(error)
                except Exception as error:
                    failure = ModelError(f"the local model failed: {error}")
                    failure.__cause__ = error
                    request.deliver(failure)
            request.deliver(None)
        model.close()

    def _run(
        self, model: LoadedModel, warm: WarmPrompts, request: _Request
    ) -> Iterator[ChatGenerationChunk]:
        options = request.options
        deadline = time.monotonic() + options.timeout if options.timeout is not None else None

        def halted() -> str | None:
            if self._closed:
                raise ModelError(_CLOSED)
            if request.cancelled.is_set():
                return "cancelled"
            return "timeout" if deadline is not None and time.monotonic() >= deadline else None

        reason = halted()
        grammar = model.grammar(options.grammar, options.json_schema)
        tokens = model.prompt(_turns(request.messages), options.prefill)
        window = model.llama.n_ctx()
        if len(tokens) + options.max_tokens > window:
            raise PromptTooLongError(
                f"the prompt has {len(tokens):,} tokens and {options.max_tokens:,} may be written, "
                f"more than the context window of {window:,}: shorten it, or raise HOPTREE_CONTEXT"
            )
        warm.turn(tokens, options.planner_lora)
        cached, reason = (0, reason) if reason else _evaluate(model.llama, tokens, halted)
        text, written = StreamedText(options.stop or ()), 0
        if reason is None:
            reason = "length"
            with contextlib.closing(_generated(model.llama, tokens, options, grammar)) as generated:
                for token in generated:
                    if model.ends(token):
                        reason = "stop"
                        break
                    written += 1
                    if piece := text.add(model.piece(token)):
                        yield _chunk(piece)
                    if text.stopped:
                        reason = "stop"
                        break
                    if written >= options.max_tokens:
                        break
                    if pause := halted():
                        reason = pause
                        break
        if rest := text.end():
            yield _chunk(rest)
        yield ChatGenerationChunk(
            message=AIMessageChunk(
                content="",
                usage_metadata={
                    "input_tokens": len(tokens),
                    "output_tokens": written,
                    "total_tokens": len(tokens) + written,
                    "input_token_details": {"cache_read": cached},
                },
                response_metadata={"finish_reason": reason},
                chunk_position="last",
            )
        )

    # ── LangChain ─────────────────────────────────────────────────────────────────────────────

    def _submit(
        self,
        messages: Sequence[BaseMessage],
        stop: list[str] | None,
        options: dict[str, Any],
        deliver: Callable[[ChatGenerationChunk | BaseException | None], None],
    ) -> _Request:
        given = {name: value for name, value in options.items() if value is not None}
        try:
            checked = CallOptions(**given, stop=stop)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"]))
            raise ModelError(f"the call option {name!r} is wrong: {first['msg']}") from error
        request = _Request(messages, checked, deliver)
        with self._lock:  # so that no call can come after the worker was told to end
            self._open()
            self._requests.put(request)
        return request

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        await asyncio.to_thread(self.load)
        loop = asyncio.get_running_loop()
        arrived: asyncio.Queue[ChatGenerationChunk | BaseException | None] = asyncio.Queue()

        def deliver(item: ChatGenerationChunk | BaseException | None) -> None:
            # A loop that was closed belongs to a call that nobody waits for any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(arrived.put_nowait, item)

        request = self._submit(messages, stop, kwargs, deliver)
        try:
            while (item := await arrived.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                if run_manager is not None and item.text:
                    await run_manager.on_llm_new_token(item.text, chunk=item)
                yield item
        finally:
            request.cancelled.set()

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        arrived: queue.SimpleQueue[ChatGenerationChunk | BaseException | None] = queue.SimpleQueue()
        request = self._submit(messages, stop, kwargs, arrived.put)
        try:
            while (item := arrived.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                if run_manager is not None and item.text:
                    run_manager.on_llm_new_token(item.text, chunk=item)
                yield item
        finally:
            request.cancelled.set()

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))


def _turns(messages: Sequence[BaseMessage]) -> list[tuple[str, str]]:
    return [(_ROLES.get(message.type, "user"), str(message.text)) for message in messages]


def _chunk(text: str) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=AIMessageChunk(content=text))


def _evaluate(
    llama: Any, tokens: list[int], halted: Callable[[], str | None]
) -> tuple[int, str | None]:
    """Evaluate the prompt but for its last token, in batches.

    Returns
    -------
    (cached, reason)
        How many tokens the call before had already evaluated, and why it was halted, if it was.
    """
    known = llama._input_ids.tolist()
    cached = alike(tokens[:-1], known)
    if cached < len(known):
        # Some architectures cannot forget a part of what they have read.
        if not llama._ctx.kv_cache_seq_rm(-1, cached, -1):
            cached = 0
            llama.reset()
        llama.n_tokens = cached
    for begin in range(cached, len(tokens) - 1, BATCH):
        if reason := halted():
            return cached, reason
        llama.eval(tokens[begin : min(begin + BATCH, len(tokens) - 1)])
    return cached, halted()


def _generated(
    llama: Any, tokens: list[int], options: CallOptions, grammar: Any
) -> Generator[int, None, None]:
    from llama_cpp import LLAMA_DEFAULT_SEED

    # The default stands for a random seed; the one of the call before must not linger.
    llama.set_seed(options.seed if options.seed is not None else LLAMA_DEFAULT_SEED)
    generated: Generator[int, None, None] = llama.generate(
        tokens, temp=options.temperature, grammar=grammar
    )
    return generated
