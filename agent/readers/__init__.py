"""Extractive readers: models that copy an answer out of a passage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graph.protocols import Reader
from graph.types import AnswerType, Candidate
from retrievers.analysis import Language, language_of
from retrievers.passage import Passage

__all__ = ["MultilingualReader", "default_reader"]


class MultilingualReader:
    """Gives each passage to the reader of its language, judged by question and passage together.

    `readers` holds one for each language that `retrievers.analysis.language_of` returns.
    """

    def __init__(self, readers: Mapping[Language, Reader]) -> None:
        self._readers = dict(readers)

    def read(
        self,
        question: str,
        passages: Sequence[Passage],
        expects: AnswerType = AnswerType.ANY,
        per_passage: int = 3,
    ) -> list[Candidate]:
        """Return up to `per_passage` spans of each passage; see `graph.protocols.Reader`."""
        groups: dict[Language, list[Passage]] = {}
        for passage in passages:
            language = language_of(f"{question}\n{passage.text}")
            groups.setdefault(language, []).append(passage)
        found: dict[str, list[Candidate]] = {passage.id: [] for passage in passages}
        for language, group in groups.items():
            for candidate in self._readers[language].read(question, group, expects, per_passage):
                found[candidate.passage_id].append(candidate)
        return [candidate for candidates in found.values() for candidate in candidates]


def default_reader() -> MultilingualReader:
    """Return the readers that ship; each loads its weights when first used."""
    from agent.readers.encoder_reader import CHINESE, ENGLISH, EncoderReader

    return MultilingualReader({"en": EncoderReader(ENGLISH), "zh": EncoderReader(CHINESE)})
