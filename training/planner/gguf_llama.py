"""A llama model in PyTorch over the very weights of a GGUF file, with a LoRA beside each of them.

Weights keep the layout of GGUF, where query and key rows are permuted for rotations of neighbouring
pairs, so what is trained here can be written as it is: no permutation to undo.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gguf
import numpy as np
import torch
from gguf.quants import dequantize
from torch import Tensor, nn
from torch.nn.functional import linear, scaled_dot_product_attention, silu

ADAPTED = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
"""Weights of a layer that get an adapter."""


class Shape(NamedTuple):
    """What the metadata of a GGUF file says of its model."""

    architecture: str
    layers: int
    heads: int
    kv_heads: int
    rotary_base: float
    epsilon: float


class Packed(NamedTuple):
    """Sequences one after another behind a prefix that all of them share, evaluated once."""

    tokens: Tensor
    """Token ids, shape (length,)."""
    positions: Tensor
    """Position of each token in its own sequence, shape (length,)."""
    seen: Tensor
    """Whether the token of a row sees that of a column, shape (length, length)."""
    places: Tensor
    """Places whose next token is to be predicted, shape (targets,)."""
    targets: Tensor
    """These next tokens, shape (targets,)."""


def packed(prefix: Sequence[int], rows: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Packed:
    """Pack rows of (rest of the prompt, answer) behind the prefix of their prompts."""
    tokens, positions, owner = list(prefix), list(range(len(prefix))), [0] * len(prefix)
    places: list[int] = []
    targets: list[int] = []
    for number, (prompt, answer) in enumerate(rows, 1):
        begin = len(tokens)
        # The last token of an answer is predicted and never read.
        tokens += [*prompt, *answer[:-1]]
        read = len(tokens) - begin
        positions += range(len(prefix), len(prefix) + read)
        owner += [number] * read
        places += range(begin + len(prompt) - 1, len(tokens))
        targets += answer
    whose = torch.tensor(owner)
    at = torch.arange(len(tokens))
    seen = (at[None] <= at[:, None]) & ((whose[None] == 0) | (whose[None] == whose[:, None]))
    return Packed(
        torch.tensor(tokens),
        torch.tensor(positions),
        seen,
        torch.tensor(places),
        torch.tensor(targets),
    )


class Adapted(nn.Module):
    """A frozen matrix and the low-rank change that is trained: W x + alpha / rank * B A x."""

    def __init__(self, weight: Tensor, rank: int, alpha: float) -> None:
        super().__init__()
        out, into = weight.shape
        self.register_buffer("weight", weight)
        self.a = nn.Parameter(torch.randn(rank, into) / into**0.5)
        self.b = nn.Parameter(torch.zeros(out, rank))
        self.scale = alpha / rank

    def forward(self, x: Tensor) -> Tensor:
        frozen: Tensor = linear(x.to(self.weight.dtype), self.weight).float()
        return frozen + self.scale * linear(linear(x, self.a), self.b)


class Llama(nn.Module):
    """The model of a GGUF file of the llama architecture, with tied or own output weights."""

    def __init__(
        self, path: Path, rank: int, alpha: float, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        reader = gguf.GGUFReader(path)
        self.shape = _shape(reader)
        self.rank, self.alpha = rank, alpha
        weights = {
            t.name: torch.from_numpy(np.array(dequantize(t.data, t.tensor_type), np.float32))
            for t in reader.tensors
        }
        self._norms = {name: w for name, w in weights.items() if w.dim() == 1}
        self._embedding = weights["token_embd.weight"]
        self._output = weights.get("output.weight", self._embedding).to(dtype)
        self.adapted = nn.ModuleDict(
            {
                f"{n}-{kind}": Adapted(weights[f"blk.{n}.{kind}.weight"].to(dtype), rank, alpha)
                for n in range(self.shape.layers)
                for kind in ADAPTED
            }
        )

    def forward(self, pack: Packed) -> Tensor:
        """Return the logits at the pack's places, shape (targets, vocabulary)."""
        x = self._embedding[pack.tokens]
        turn = self._turns(pack.positions, x.shape[1] // self.shape.heads)
        for n in range(self.shape.layers):
            x = x + self._attention(n, self._normed(x, f"blk.{n}.attn_norm"), turn, pack.seen)
            inner = self._normed(x, f"blk.{n}.ffn_norm")
            gate, up = self._of(n, "ffn_gate", inner), self._of(n, "ffn_up", inner)
            x = x + self._of(n, "ffn_down", silu(gate) * up)
        last = self._normed(x[pack.places], "output_norm")
        return linear(last.to(self._output.dtype), self._output).float()

    def _of(self, layer: int, kind: str, x: Tensor) -> Tensor:
        found: Tensor = self.adapted[f"{layer}-{kind}"](x)
        return found

    def _attention(self, n: int, x: Tensor, turn: tuple[Tensor, Tensor], seen: Tensor) -> Tensor:
        query = _turned(self._of(n, "attn_q", x).unflatten(1, (self.shape.heads, -1)), turn)
        key = _turned(self._of(n, "attn_k", x).unflatten(1, (self.shape.kv_heads, -1)), turn)
        value = self._of(n, "attn_v", x).unflatten(1, (self.shape.kv_heads, -1))
        shared = self.shape.heads // self.shape.kv_heads
        mixed = scaled_dot_product_attention(
            query.transpose(0, 1),
            key.transpose(0, 1).repeat_interleave(shared, 0),
            value.transpose(0, 1).repeat_interleave(shared, 0),
            attn_mask=seen,
        )
        return self._of(n, "attn_output", mixed.transpose(0, 1).flatten(1))

    def _normed(self, x: Tensor, name: str) -> Tensor:
        size = x.pow(2).mean(-1, keepdim=True) + self.shape.epsilon
        return x * size.rsqrt() * self._norms[f"{name}.weight"]

    def _turns(self, positions: Tensor, width: int) -> tuple[Tensor, Tensor]:
        speeds = self.shape.rotary_base ** (-torch.arange(0, width, 2) / width)
        angles = positions[:, None, None] * speeds
        return angles.cos(), angles.sin()

    def read_adapter(self, path: Path) -> None:
        """Go on from an adapter that `write_adapter` wrote, of the same rank."""
        values = {t.name: torch.from_numpy(np.array(t.data)) for t in gguf.GGUFReader(path).tensors}
        with torch.no_grad():
            for name, module in self.adapted.items():
                layer, _, kind = name.partition("-")
                for part in ("a", "b"):
                    getattr(module, part).copy_(values[f"blk.{layer}.{kind}.weight.lora_{part}"])

    def write_adapter(self, path: Path) -> None:
        """Write the adapter as a GGUF LoRA in float16, which llama.cpp loads beside the model."""
        writer = gguf.GGUFWriter(path, self.shape.architecture)
        writer.add_type(gguf.GGUFType.ADAPTER)
        writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, self.alpha)
        for name, module in self.adapted.items():
            layer, _, kind = name.partition("-")
            for part in ("a", "b"):
                values = getattr(module, part).detach().to(torch.float16).numpy()
                writer.add_tensor(f"blk.{layer}.{kind}.weight.lora_{part}", values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def _turned(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Rotate neighbouring pairs, as llama.cpp does for this architecture."""
    cos, sin = turn
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


def _shape(reader: Any) -> Shape:
    def told(key: str) -> Any:
        field = reader.get_field(key)
        if field is None:
            raise ValueError(f"the GGUF file does not tell {key}: it is no llama model")
        return field.contents()

    name = told("general.architecture")
    return Shape(
        architecture=name,
        layers=told(f"{name}.block_count"),
        heads=told(f"{name}.attention.head_count"),
        kv_heads=told(f"{name}.attention.head_count_kv"),
        rotary_base=told(f"{name}.rope.freq_base"),
        epsilon=told(f"{name}.attention.layer_norm_rms_epsilon"),
    )
