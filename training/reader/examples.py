"""Rows that the reader learns from, and the guard that keeps development questions out of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent.readers.han_folding import folded


class Source(BaseModel):
    """A passage as the data sets store it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    title: str
    text: str = Field(min_length=1)


class Example(BaseModel):
    """A question, the span that answers it, and passages that hold no answer to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    """Where the row comes from: hops, xquad, harvest, cloze, drcd or cmrc2018."""
    question: str
    passage: Source
    start: int = Field(ge=0)
    answer: str = Field(min_length=1)
    negatives: tuple[Source, ...] = ()

    @model_validator(mode="after")
    def _answer_stands_in_the_passage(self) -> Example:
        end = self.start + len(self.answer)
        if self.passage.text[self.start : end] != self.answer:
            raise ValueError(f"{self.answer!r} does not stand at {self.start} of {self.passage.id}")
        return self


class DevelopmentQuestionError(Exception):
    """A development question is among the training rows."""


class Guard:
    """Knows every question of the development sets below `data`."""

    def __init__(self, data: Path) -> None:
        self._asked = {
            _plain(row["question"])
            for path in sorted(data.glob("*/questions.jsonl"))
            for row in read_rows(path)
        }
        if not self._asked:
            raise FileNotFoundError(f"no */questions.jsonl below {data}: nothing to guard against")

    def drops(self, question: str) -> bool:
        """Return whether `question` belongs to a development set."""
        return _plain(question) in self._asked

    def check(self, examples: Iterable[Example]) -> None:
        """Raise DevelopmentQuestionError if a development question got through."""
        for example in examples:
            if self.drops(example.question):
                raise DevelopmentQuestionError(
                    f"development question among the training rows: {example.question!r}"
                )


def _plain(question: str) -> str:
    """Leave out what spacing, marks, case and script (traditional, simplified) change."""
    return re.sub(r"[\W_]+", "", folded(question.casefold()))


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON Lines file."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def read_examples(path: Path) -> list[Example]:
    """Read what `write_examples` wrote."""
    with path.open(encoding="utf-8") as lines:
        return [Example.model_validate_json(line) for line in lines]


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """Write one example a line."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(example.model_dump_json() + "\n" for example in examples)
