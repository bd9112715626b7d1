"""The rows the Chinese reader is trained on and measured on, and similar passages for each."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from agent.readers.han_folding import folded

FILES = ("xquad", "drcd", "cmrc2018")
HELD_OUT = 10
"""One article in so many is held out."""
_SPACE = re.compile(r"[\W_]+")


class Source(BaseModel):
    """A passage of a training file."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    title: str
    text: str


class Row(BaseModel):
    """A question, the passage that answers it, where, and passages that are like it."""

    model_config = ConfigDict(frozen=True)

    id: str
    file: str
    question: str
    answer: str
    start: int
    """Character of `passage.text` at which the answer begins."""
    passage: Source
    similar: tuple[Source, ...] = ()
    """Best first by BM25, from the same file, without the passage itself."""


class DevelopmentQuestionError(Exception):
    """A question that may only be measured on got among the training rows."""


def read(path: Path) -> list[dict[str, object]]:
    """Return the rows of a JSON Lines file."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _key(question: str) -> str:
    return _SPACE.sub("", folded(question))


def development_questions(data: Path) -> frozenset[str]:
    """Return the development questions, folded so that spacing, marks and script do not matter."""
    return frozenset(
        _key(str(row["question"]))
        for path in sorted(data.glob("*/questions.jsonl"))
        for row in read(path)
    )


def guard(rows: Iterable[Row], data: Path) -> None:
    """Raise DevelopmentQuestionError if a development question is among the rows."""
    forbidden = development_questions(data)
    for row in rows:
        if _key(row.question) in forbidden:
            raise DevelopmentQuestionError(
                f"row {row.id} asks a development question: drop it before training"
            )


def load(data: Path, similar: int = 9) -> list[Row]:
    """Return every training row that asks no development question, in the files' order."""
    forbidden = development_questions(data)
    rows = []
    for file in FILES:
        name = f"reading-{file}-zh"
        sources = [
            Source.model_validate(r) for r in read(data / "train" / f"{name}.passages.jsonl")
        ]
        by_id = {source.id: source for source in sources}
        index = Bm25([f"{s.title} {s.text}" for s in sources])
        for raw in read(data / "train" / f"{name}.jsonl"):
            question = str(raw["question"])
            if _key(question) in forbidden:
                continue
            passage = by_id[str(raw["passage"])]
            found = [sources[n] for n in index.best(question, similar + 1)]
            rows.append(
                Row(
                    id=str(raw["id"]),
                    file=file,
                    question=question,
                    answer=str(raw["answer"]),
                    start=int(str(raw["start"])),
                    passage=passage,
                    similar=tuple(s for s in found if s.id != passage.id)[:similar],
                )
            )
    return rows


def held_out(row: Row) -> bool:
    """Return whether a row is kept from training: whole articles are, so no passage is on both
    sides."""
    digest = hashlib.sha256(f"{row.file} {folded(row.passage.title)}".encode()).digest()
    return digest[0] * 256 + digest[1] < 65536 // HELD_OUT


class Bm25:
    """BM25 (k1 = 1.5, b = 0.75) over pairs of characters, for picking similar passages."""

    def __init__(self, texts: Sequence[str]) -> None:
        counts = [Counter(_pairs(text)) for text in texts]
        lengths = np.array([sum(c.values()) for c in counts], dtype=np.float64)
        norm = 1.5 * (0.25 + 0.75 * lengths / lengths.mean())
        postings: dict[str, list[tuple[int, int]]] = {}
        for number, count in enumerate(counts):
            for pair, times in count.items():
                postings.setdefault(pair, []).append((number, times))
        self._size = len(texts)
        self._weights = {}
        for pair, found in postings.items():
            numbers = np.array([n for n, _ in found])
            often = np.array([c for _, c in found], dtype=np.float64)
            idf = math.log(1 + (len(texts) - len(found) + 0.5) / (len(found) + 0.5))
            self._weights[pair] = (numbers, idf * often * 2.5 / (often + norm[numbers]))

    def best(self, query: str, k: int) -> list[int]:
        """Return the numbers of the `k` best texts, best first; ties in the texts' order."""
        scores = np.zeros(self._size)
        for pair in _pairs(query):
            if pair in self._weights:
                found, weights = self._weights[pair]
                scores[found] += weights
        return [int(n) for n in np.argsort(-scores, kind="stable")[:k]]


def _pairs(text: str) -> list[str]:
    flat = folded(text)
    return [flat[k : k + 2] for k in range(len(flat) - 1) if flat[k : k + 2].isalnum()]
