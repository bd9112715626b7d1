"""Evaluated prompts that are kept, so that each kind of call finds its own prefix warm.

Calls of one kind (plans, answers in words) begin alike: with the same instructions and examples.
llama.cpp's context holds one prompt, so that a call of another kind in between would let the next
one read them all again. Here the context's keys and values are copied out before such a call, and
back in when a prompt comes that begins like them.
"""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from agent.gguf import LoadedModel

T = TypeVar("T")
KINDS = 4
"""Prompts that are kept, each of another kind, as far as there is `ROOM`."""
ROOM = 128 * 2**20
"""Bytes of keys and values that are kept. A token of the model that ships takes 23 kB, one of a
model of seven billion weights up to half a megabyte."""
ALIKE = 32
"""Tokens that two prompts of one kind share at least. Fewer are read as fast as copied."""
LONGEST = 1024
"""Tokens of a prompt up to which it is kept."""


@dataclass(frozen=True)
class _Kept:
    tokens: tuple[int, ...]
    adapted: bool
    state: ctypes.Array[ctypes.c_uint8]


class WarmPrompts:
    """The prompts that a model has read last, one of each kind. For its one thread only."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self._kept: list[_Kept] = []
        """The one that was used last at the end."""

    def turn(self, tokens: Sequence[int], adapted: bool) -> None:
        """Make ready for a prompt: computed with the adapter or not, over what begins like it."""
        before, here = self._model.adapted, self._model.evaluated()
        changes = adapted != before and self._model.adaptable
        shared = 0 if changes else alike(here, tokens)
        known = [kept for kept in self._kept if kept.adapted == (adapted if changes else before)]
        best = max(known, key=lambda kept: alike(kept.tokens, tokens), default=None)
        better = best is not None and alike(best.tokens, tokens) >= shared + ALIKE
        if better or shared < ALIKE:
            self._keep(here, before)
        self._model.adapt(adapted)
        if best is not None and better:
            self._model.restore(best.tokens, best.state)
            if best in self._kept:
                self._kept.append(self._kept.pop(self._kept.index(best)))

    def _keep(self, tokens: tuple[int, ...], adapted: bool) -> None:
        if not ALIKE <= len(tokens) <= LONGEST or self._model.state_size() > ROOM:
            return
        others = [
            kept
            for kept in self._kept
            if kept.adapted != adapted or alike(kept.tokens, tokens) < ALIKE
        ]
        self._kept = [*others, _Kept(tokens, adapted, self._model.state())][-KINDS:]
        while sum(len(kept.state) for kept in self._kept) > ROOM:
            del self._kept[0]


def alike(one: Sequence[T], other: Sequence[T]) -> int:
    """Return how many tokens, or characters, two prompts begin with alike."""
    same = (a == b for a, b in zip(one, other, strict=False))
    return sum(itertools.takewhile(bool, same))
