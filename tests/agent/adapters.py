"""Small GGUF LoRA adapters, written byte by byte so that no test needs more than the package does.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

RANK = 4
WIDTH = 576
"""Of SmolLM2-135M."""
_STRING, _FLOAT = 8, 6
_ALIGNED = 32


def written(path: Path, *, architecture: str = "llama", width: int = WIDTH, size: float) -> Path:
    """Write a LoRA of the first layer's attention, whose B holds numbers of this size."""
    numbers = np.random.default_rng(1)
    name = "blk.0.attn_output.weight"
    tensors = {
        f"{name}.lora_a": numbers.standard_normal((RANK, width)),
        f"{name}.lora_b": size * numbers.standard_normal((WIDTH, RANK)),
    }
    told = {
        "general.architecture": architecture,
        "general.type": "adapter",
        "adapter.type": "lora",
        "adapter.lora.alpha": float(RANK),
    }
    path.write_bytes(_gguf(told, tensors))
    return path


def _gguf(told: Mapping[str, str | float], tensors: Mapping[str, np.ndarray]) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(told))
    for key, value in told.items():
        head += _text(key)
        if isinstance(value, str):
            head += struct.pack("<I", _STRING) + _text(value)
        else:
            head += struct.pack("<If", _FLOAT, value)
    body = b""
    for name, rows in tensors.items():
        # The last axis comes first; 0 is the type of 32-bit floats.
        head += _text(name) + struct.pack("<IQQIQ", 2, *rows.shape[::-1], 0, len(body))
        body += _padded(rows.astype("<f4").tobytes())
    return _padded(head) + body


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNED)
