"""An ONNX encoder run on many token sequences, each alone, on all cores.

Padded batches cost more than they save on a CPU, in time (`benchmarks/encoding.py`) and in memory,
and an int8 model scales its activations by what shares a batch: alone, a text always has the same
result.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Outputs = dict[str, NDArray[np.float32]]


def cores() -> int:
    """Return how many cores this process may use: in a container often fewer than there are."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class OnnxEncoder:
    """A transformer encoder in a file, or in the bytes of one; safe to share between threads."""

    def __init__(self, weights: Path | bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            weights if isinstance(weights, bytes) else str(weights),
            options,
            providers=["CPUExecutionProvider"],
        )
        self._inputs = {node.name for node in self._session.get_inputs()}
        self._outputs = [node.name for node in self._session.get_outputs()]
        self._pool = ThreadPoolExecutor(cores(), thread_name_prefix="onnx")

    def run(self, ids: Sequence[Sequence[int]]) -> list[Outputs]:
        """Return the outputs of each sequence of token ids by name, without the batch's axis."""
        return list(self._pool.map(self._one, ids))

    def _one(self, ids: Sequence[int]) -> Outputs:
        row = np.array([ids], dtype=np.int64)
        feed = {
            "input_ids": row,
            "attention_mask": np.ones_like(row),
            "token_type_ids": np.zeros_like(row),
        }
        given = {name: value for name, value in feed.items() if name in self._inputs}
        found = self._session.run(None, given)
        return {name: value[0] for name, value in zip(self._outputs, found, strict=True)}
