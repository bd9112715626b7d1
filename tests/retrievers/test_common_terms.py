"""Searching a large index: common terms cost nothing, and the ranking stays what BM25 says."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrievers import embedded
from retrievers.common_terms import CommonTerms
from retrievers.documents import Document
from retrievers.embedded import TITLE_WEIGHT, EmbeddedIndex
from retrievers.encoder import MiniLMEncoder

PASSAGES = 400
WORDS = [f"word{n}x" for n in range(200)]


def documents() -> list[Document]:
    chance = random.Random(3)
    weights = [1 / (n + 1) for n in range(len(WORDS))]
    return [
        Document(
            id=str(n),
            title=" ".join(chance.choices(WORDS, weights, k=2)),
            text=" ".join(chance.choices(WORDS, weights, k=chance.randint(5, 40))),
        )
        for n in range(PASSAGES)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, encoder: MiniLMEncoder) -> Path:
    made = tmp_path_factory.mktemp("index")
    index = EmbeddedIndex.create(made, encoder)
    index.index(documents())
    index.close()
    return made


@pytest.fixture
def table(folder: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(folder / "hoptree.sqlite")
    yield connection
    connection.close()


def scores(table: sqlite3.Connection, terms: list[str]) -> dict[int, float]:
    rows = table.execute(
        f"SELECT rowid, -bm25(terms, {TITLE_WEIGHT}, 1.0) FROM terms WHERE terms MATCH ?",
        (" OR ".join(terms),),
    )
    return dict(rows.fetchall())


def test_what_common_terms_add_is_what_bm25_would_have_given_them(
    table: sqlite3.Connection,
) -> None:
    common = CommonTerms.sampled(table, PASSAGES)
    rare, frequent = common.apart(["word0x", "word1x", "word150x", "word2x"])
    assert (rare, frequent) == (["word150x"], ["word0x", "word1x", "word2x"])
    whole, partial = scores(table, rare + frequent), scores(table, rare)
    assert partial
    for number, score in partial.items():
        row = table.execute("SELECT title, body FROM terms WHERE rowid = ?", (number,)).fetchone()
        added = common.adds(frequent, *row, TITLE_WEIGHT)
        assert score + added == pytest.approx(whole[number], abs=1e-4)


def test_question_of_common_words_only_is_searched_by_all_of_them(
    table: sqlite3.Connection,
) -> None:
    common = CommonTerms.sampled(table, PASSAGES)
    assert common.apart(["word0x", "word1x"]) == (["word0x", "word1x"], [])


@pytest.mark.parametrize(
    "query", ["word0x word150x", "word1x word2x word3x word90x", "word0x word1x", "word120x"]
)
async def test_passages_with_a_rare_word_are_ranked_as_in_a_small_index(
    folder: Path, encoder: MiniLMEncoder, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    rarest = query.split()[-1]

    async def ranked() -> list[int]:
        index = EmbeddedIndex.open(folder, encoder)
        await index.search([query], 10)
        found = index._lexical(query, 300)
        records = index._records(found)
        await index.aclose()
        return [n for n in found if rarest in f"{records[n].title} {records[n].text}"]

    small = await ranked()
    monkeypatch.setattr(embedded, "LARGE", 1)
    assert await ranked() == small
    assert small


async def test_common_terms_are_counted_anew_when_passages_come(
    tmp_path: Path, encoder: MiniLMEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LARGE", 1)
    index = EmbeddedIndex.create(tmp_path / "index", encoder)
    index.index([Document(id=f"a{n}", text=f"Harbour number{n}x.") for n in range(30)])
    [[first, *_]] = await index.search(["harbour number7x"], 3)
    assert first.passage.document == "a7"
    index.index([Document(id=f"b{n}", text=f"Castle number{n}x.") for n in range(300)])
    [[first, *_]] = await index.search(["harbour castle number7x"], 3)
    assert first.passage.document in {"a7", "b7"}
    [hits] = await index.search(["harbour"], 5)
    assert {hit.passage.document[0] for hit in hits} == {"a"}
    await index.aclose()
