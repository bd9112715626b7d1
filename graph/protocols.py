"""What the graph needs from outside besides a retriever and a chat model: a reader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from graph.types import AnswerType, Candidate
from retrievers.passage import Passage


class Reader(Protocol):
    """Extracts candidate answers from passages. Implementations are pure and thread-safe."""

    def read(
        self,
        question: str,
        passages: Sequence[Passage],
        expects: AnswerType = AnswerType.ANY,
        per_passage: int = 3,
    ) -> list[Candidate]:
        """Return up to `per_passage` candidates of each passage, in the passages' order.

        A passage may yield none. All spans index into `passage.text` in characters.
        """
        ...
