"""Extractive readers: models that copy an answer out of a passage."""

from __future__ import annotations

from collections.abc import Sequence

from graph.protocols import Reader
from graph.types import AnswerType, Candidate
from retrievers.analysis import language_of
from retrievers.passage import Passage


class BilingualReader:
    """Gives each question to the reader of its language."""

    def __init__(self, english: Reader, chinese: Reader) -> None:
        self._readers = {"en": english, "zh": chinese}

    def read(
        self,
        question: str,
        passages: Sequence[Passage],
        expects: AnswerType = AnswerType.ANY,
        per_passage: int = 3,
    ) -> list[Candidate]:
        """Return up to `per_passage` spans of each passage; see `graph.protocols.Reader`."""
        return self._readers[language_of(question)].read(question, passages, expects, per_passage)


def default_reader() -> Reader:
    """Return the readers that ship; each loads its weights when first used."""
    from agent.readers.chinese_reader import ChineseReader
    from agent.readers.encoder_reader import EncoderReader

    return BilingualReader(EncoderReader(), ChineseReader())
