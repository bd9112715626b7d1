"""What every backend promises: the `Retriever` protocol, read as a specification."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest

from retrievers.passage import Passage, Retriever

Make = Callable[[Sequence[Passage]], Awaitable[Retriever]]


def passage(id_: str, title: str, text: str) -> Passage:
    return Passage(id=id_, document=id_, title=title, text=text)


FULL = Passage(
    id="video-7",
    document="video-7",
    title="Suspension bridges",
    text="The Severn Bridge was opened by Queen Elizabeth II in 1966.",
    source="lectures",
    url="https://example.org/7",
    time_start=12.5,
    time_end=31.0,
    metadata={"speaker": "A. Roe", "tags": ["bridge", "桥"]},
)
PASSAGES = [
    FULL,
    passage("curie", "Marie Curie", "Marie Curie won the Nobel Prize in Physics in 1903."),
    passage("einstein", "Albert Einstein", "The physicist was born at Ulm, in Württemberg."),
    passage("lovelace", "Ada Lovelace", "She published the first program for a computing engine."),
    passage("cat", "Cat", "The cat is a small domesticated carnivorous mammal."),
    passage("长江大桥", "武汉长江大桥", "武汉长江大桥于1957年建成通车，连接汉阳与武昌。"),
    passage("故宫", "故宫", "故宫位于北京市中心，是明清两代的皇宫。"),
    passage("梵文", "梵文", "在歐洲，梵語的學術研究，由德國學者陸特和漢斯雷頓開創。"),
]

HOSTILE = [
    '"',
    '"bridge',
    "title:bridge AND NOT (severn OR *)",
    "NEAR(severn bridge, 2) ^opened",
    "{title body} : bridge + -opened",
    "bridge'; DROP TABLE passages; --",
    "se\0vern\0",
    "\ud800 bridge",
    "%s {0} \\",
    "😀 🏳️‍🌈",
    "a\U0001e922b \U0001e900\U0001e922",
    "which bridge? " * 7200,
    "武汉长江大桥何时建成" * 10_000,
    " ".join(f"word{i}" for i in range(12_000)),
]


@pytest.fixture
async def retriever(make: Make) -> Retriever:
    return await make(PASSAGES)


def ids(hits: Sequence[object]) -> list[str]:
    return [hit.passage.id for hit in hits]  # type: ignore[attr-defined]


def test_backend_satisfies_the_protocol(retriever: Retriever) -> None:
    assert isinstance(retriever, Retriever)


async def test_found_passage_is_returned_with_every_field_unchanged(retriever: Retriever) -> None:
    [[first, *_]] = await retriever.search(["Who opened the Severn Bridge?"])

    assert first.passage == FULL
    assert first.lexical_rank == 0
    assert first.dense_rank == 0


async def test_each_query_of_a_batch_gets_its_own_hits_in_order(retriever: Retriever) -> None:
    queries = ["Curie's Nobel Prize", "故宫在哪里", "Where was Einstein born?"]

    results = await retriever.search(queries, k=3)

    assert [ids(hits)[0] for hits in results] == ["curie", "故宫", "einstein"]


async def test_hits_are_unique_best_first_and_at_most_k(retriever: Retriever) -> None:
    for k in (1, 2, 5):
        [hits] = await retriever.search(["physicist who was born in 1903"], k=k)
        assert len(hits) == k
        assert len(set(ids(hits))) == k
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        assert all(hit.lexical_rank is not None or hit.dense_rank is not None for hit in hits)


async def test_meaning_finds_what_shares_no_word_with_the_question(retriever: Retriever) -> None:
    [hits] = await retriever.search(["kitten pet animal"], k=1)

    assert ids(hits) == ["cat"]
    assert hits[0].lexical_rank is None


async def test_words_match_whatever_their_form_case_and_accents(retriever: Retriever) -> None:
    results = await retriever.search(["WURTTEMBERG", "publishing programs"], k=1)

    assert [ids(hits) for hits in results] == [["einstein"], ["lovelace"]]
    assert all(hits[0].lexical_rank == 0 for hits in results)


async def test_chinese_question_finds_its_passage(retriever: Retriever) -> None:
    results = await retriever.search(["长江大桥是哪一年建成的？", "明清的皇宫在什么地方"], k=1)

    assert [ids(hits) for hits in results] == [["长江大桥"], ["故宫"]]


async def test_traditional_characters_match_themselves(retriever: Retriever) -> None:
    [hits] = await retriever.search(["漢斯雷頓和陸特研究什麼？"], k=1)

    assert ids(hits) == ["梵文"]


async def test_nothing_asked_finds_nothing(retriever: Retriever) -> None:
    assert await retriever.search([]) == []
    assert await retriever.search(["", "  \n", "?!"]) == [[], [], []]


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_query_is_only_text(retriever: Retriever, query: str) -> None:
    hostile, fine = await retriever.search([query, "Severn Bridge"], k=4)

    assert len(hostile) <= 4
    assert ids(fine)[0] == "video-7"
    assert await retriever.count() == len(PASSAGES)


async def test_operators_of_the_engine_do_not_hide_the_words_beside_them(
    retriever: Retriever,
) -> None:
    results = await retriever.search(['"severn" NOT bridge', "se\0vern sev\"ern 'severn'"], k=1)

    assert [ids(hits) for hits in results] == [["video-7"], ["video-7"]]


async def test_get_keeps_the_order_asked_for_and_leaves_out_the_unknown(
    retriever: Retriever,
) -> None:
    found = await retriever.get(["故宫", "nowhere", "video-7", ""])

    assert [p.id for p in found] == ["故宫", "video-7"]
    assert found[1] == FULL
    assert await retriever.get([]) == []


async def test_empty_index_finds_nothing(make: Make) -> None:
    retriever = await make([])

    assert await retriever.count() == 0
    assert await retriever.search(["anything at all", "什么"]) == [[], []]


async def test_closing_twice_is_fine(retriever: Retriever) -> None:
    await retriever.aclose()
    await retriever.aclose()
