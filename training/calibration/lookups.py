"""Lookups whose answers are known, with what was retrieved and read for them, kept on disk.

Retrieving and reading cost most of a lookup's time and know nothing of the vote: done once, ways of
voting are compared in seconds. The store is JSON Lines, one search or one reading a line.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from agent.readers import MultilingualReader
from agent.readers.encoder_reader import CHINESE, ENGLISH, EncoderReader, Layout
from graph.planning.comparison import named_choice
from graph.planning.language import expected_type
from graph.types import AnswerType, Candidate
from retrievers.analysis import Language, language_of
from retrievers.documents import Document
from retrievers.embedded import EmbeddedIndex
from retrievers.passage import Hit, Passage
from training.reader.config import english_rows
from training.reader.examples import Guard, read_rows
from training.reader.rows_zh import chinese_examples, held_out
from training.reader.sources import _hops

DEPTH = 10
"""Passages a lookup, as `Limits.passages`."""


class Asked(BaseModel):
    """A question of one lookup, and what answers it."""

    model_config = ConfigDict(frozen=True)

    id: str
    language: str
    kind: str
    """The training file that it is from: hops, xquad, drcd, cmrc2018."""
    question: str
    answers: tuple[str, ...]
    seen: bool
    """Whether the reader that ships was trained on this very question."""
    spared: bool = False
    """Whether a reader of `training.reader.build --spare` was not."""

    @classmethod
    def of(cls, question: str) -> Asked:
        """Return a question of which no answer is known."""
        language = language_of(question)
        return cls(
            id=question, language=language, kind="", question=question, answers=(), seen=False
        )

    @property
    def expects(self) -> AnswerType:
        return expected_type(self.question)


def readers_mark(english: Path = ENGLISH.weights) -> str:
    """Return what tells these readers from others: what one has read is not another's."""
    digest = hashlib.sha256()
    for weights in (english, CHINESE.weights):
        digest.update(weights.read_bytes())
    return digest.hexdigest()[:8]


class Store:
    """Searches and readings, each done once, by the readers that ship or another English one.

    They are kept in `NAME-MARK.jsonl`, MARK the readers'. Not safe to share between processes.
    """

    def __init__(self, file: Path, index: Path, english: Path = ENGLISH.weights) -> None:
        self._index = EmbeddedIndex.open(index)
        layouts: dict[Language, Layout] = {
            "en": ENGLISH._replace(weights=english),
            "zh": CHINESE,
        }
        self._reader = MultilingualReader({k: EncoderReader(v) for k, v in layouts.items()})
        self._searched: dict[str, list[Hit]] = {}
        self._read: dict[tuple[str, str, str], list[Candidate]] = {}
        file = file.with_stem(f"{file.stem}-{readers_mark(english)}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        with file.open("rb+") as kept:
            whole = 0
            for line in kept:
                if not line.endswith(b"\n"):
                    break  # a kill cut it
                self._keep(json.loads(line))
                whole += len(line)
            kept.truncate(whole)
        self._file = file.open("a", encoding="utf-8")

    def _keep(self, row: dict[str, Any]) -> None:
        if "hits" in row:
            self._searched[row["question"]] = [Hit.model_validate(hit) for hit in row["hits"]]
        else:
            for passage, candidates in row["read"].items():
                found = [Candidate.model_validate(candidate) for candidate in candidates]
                self._read[row["question"], row["expects"], passage] = found

    def _write(self, row: dict[str, Any]) -> None:
        self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
        self._file.flush()
        self._keep(row)

    def search(self, question: str, k: int = DEPTH) -> list[Hit]:
        """Return the `k` best hits."""
        if len(self._searched.get(question, ())) < k:
            [hits] = asyncio.run(self._index.search([question], k))
            self._write({"question": question, "hits": [h.model_dump(mode="json") for h in hits]})
        return self._searched[question][:k]

    def read(
        self, question: str, passages: Sequence[Passage], expects: AnswerType
    ) -> list[Candidate]:
        """Return the candidates of the passages, asked as the graph's `read` asks them."""
        choice = named_choice(question)
        asked = choice.asked if choice else question
        unread = [p for p in passages if (asked, expects, p.id) not in self._read]
        if unread:
            found: dict[str, list[Any]] = {passage.id: [] for passage in unread}
            for candidate in self._reader.read(asked, unread, expects):
                found[candidate.passage_id].append(candidate.model_dump(mode="json"))
            self._write({"question": asked, "expects": str(expects), "read": found})
        return [c for p in passages for c in self._read[asked, expects, p.id]]


def english(data: Path) -> list[Asked]:
    """Return the hops of 2WikiMultihopQA and XQuAD's questions, those first that no reader saw."""
    config, guard, rows = english_rows(), Guard(data), []
    for number, row in enumerate(read_rows(data / "train" / "hops-2wikimultihopqa.jsonl")):
        for place, ((_, _, value), asked) in enumerate(_hops(row)):
            rows += [
                Asked(
                    id=f"{row['id']}#{place}",
                    language="en",
                    kind="hops",
                    question=question,
                    answers=(value,),
                    seen=number % config.held_out_every != 0,
                    spared=config.spares_question(number),
                )
                for question in asked
            ]
    rows += [
        Asked(
            id=row["id"],
            language="en",
            kind="xquad",
            question=row["question"],
            answers=(row["answer"],),
            seen=row["passage"] not in config.held_out_passages,
            spared=config.spares_passage(row["passage"]),
        )
        for row in read_rows(data / "train" / "reading-xquad-en.jsonl")
    ]
    kept = {row.question: row for row in rows if not guard.drops(row.question)}
    return sorted(kept.values(), key=lambda row: (row.seen, row.kind))


def chinese(data: Path, every: int = 3) -> list[Asked]:
    """Return one in `every` questions of the articles that the Chinese reader never saw."""
    guard = Guard(data)
    rows = [
        (number, row)
        for number, row in enumerate(chinese_examples(data, similar=0))
        if held_out(row) and not guard.drops(row.question)
    ][::every]
    return [
        Asked(
            id=f"{row.kind}#{number}",
            language="zh",
            kind=row.kind,
            question=row.question,
            answers=(row.answer,),
            seen=False,
        )
        for number, row in rows
    ]


def passages(data: Path, language: str) -> Iterator[Document]:
    """Yield the passages of the training sets of a language, as one corpus."""
    train = data / "train"
    if language == "en":
        for row in read_rows(train / "hops-2wikimultihopqa.jsonl"):
            yield from map(Document.model_validate, row["passages"])
        yield from map(
            Document.model_validate, read_rows(train / "reading-xquad-en.passages.jsonl")
        )
    else:
        for file in ("xquad", "drcd", "cmrc2018"):
            rows = read_rows(train / f"reading-{file}-zh.passages.jsonl")
            yield from map(Document.model_validate, rows)


def open_store(data: Path, out: Path, language: str, english: Path = ENGLISH.weights) -> Store:
    """Return the store of a language's training lookups, its corpus indexed.

    `english` are the weights of the reader of English.
    """
    index = out / f"index-{language}"
    unique = {document.id: document for document in passages(data, language)}
    made = EmbeddedIndex.create(index)
    made.index(unique.values())
    made.close()
    return Store(out / f"lookups-{language}.jsonl", index, english)
