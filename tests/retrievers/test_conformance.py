"""What every backend promises: the `Retriever` protocol, read as a specification."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from importlib import resources
from typing import Any

import pytest

from retrievers.documents import LONGEST, Document
from retrievers.loaders import LoadFailure
from retrievers.passage import Passage, Retriever

Make = Callable[[Sequence[Passage]], Awaitable[Any]]


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
        assert all({hit.lexical_rank, hit.dense_rank} != {None} for hit in hits)


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


NAMESAKES = [
    passage(
        "film", "Get Low (film)", "A film of 2009 about a hermit, directed by Aaron Schneider."
    ),
    passage("song", "Get Low (Lil Jon song)", "A song of 2003 by Lil Jon and the East Side Boyz."),
    passage("low", "Low", "To get a low price, get to know the low season of the song birds."),
    passage("chart", "Charts of 2003", "Low on the charts stood Get Low, a song by a group."),
    passage("other", "Other things", "The lowest song in the charts, as low as songs get."),
    passage("影片", "《卧虎藏龙》（电影）", "李安执导的武侠片，于2000年上映。"),
    passage("书", "武侠小说", "武侠小说写的是江湖，龙和虎都藏在卧室里。"),
    passage("评论", "影评", "评论说《卧虎藏龙》是一部好影片。"),
]


async def test_passage_whose_title_is_named_is_found_by_it(make: Make) -> None:
    retriever = await make(NAMESAKES)
    results = await retriever.search(
        ["Who is the director of the film Get Low?", "谁导演了卧虎藏龙？"]
    )

    assert [ids(hits)[0] for hits in results] == ["film", "影片"]
    assert [hits[0].title_rank for hits in results] == [0, 0]
    # Of namesakes the one that fits the question best, and not each one.
    assert [hit.title_rank for hit in results[0]].count(0) == 1
    assert {hit.title_rank for hit in results[0]} == {0, None}


async def test_passage_that_writes_a_name_out_is_told_from_one_with_its_words(make: Make) -> None:
    retriever = await make(NAMESAKES)
    results = await retriever.search(
        ["How did the charts place Get Low?", "谁评论了《卧虎藏龙》？"]
    )

    for hits, holding, lacking in zip(results, ("chart", "评论"), ("other", "书"), strict=True):
        ranks = {hit.passage.id: hit.phrase_rank for hit in hits}
        assert ranks[holding] is not None
        assert ranks.get(lacking) is None


async def test_passages_come_in_the_order_in_which_their_titles_are_named(make: Make) -> None:
    retriever = await make(PASSAGES)
    query = "Were Ada Lovelace, Marie Curie and Albert Einstein of one country?"
    [hits] = await retriever.search([query])
    ranks = {hit.title_rank: hit.passage.id for hit in hits}

    assert [ranks[rank] for rank in (0, 1, 2)] == ["lovelace", "curie", "einstein"]


async def test_title_that_changed_is_found_by_the_new_one_alone(make: Make) -> None:
    retriever = await make([])
    document = {"id": "a", "text": "A song by a group."}
    await retriever.aindex([Document(title="Low Roads", **document)])
    await retriever.aindex([Document(title="High Roads", **document)])

    results = await retriever.search(["Who sang Low Roads?", "Who sang High Roads?"])
    assert [[hit.title_rank for hit in hits] for hits in results] == [[None], [0]]


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


# ── real questions ────────────────────────────────────────────────────────────────────────────


def sample(name: str) -> list[dict[str, Any]]:
    lines = resources.files("agent.sample").joinpath(name).read_text(encoding="utf-8")
    return [json.loads(line) for line in lines.splitlines()]


async def test_evidence_of_real_questions_is_found(make: Make) -> None:
    corpus = [
        Passage(**{**row, "document": row["id"]})
        for row in sample("corpus.jsonl")
        if len(row["text"]) <= LONGEST
    ]
    there = {passage.id for passage in corpus}
    questions = [
        question
        for question in sample("questions.jsonl")
        if there.issuperset(question["supporting_passages"])
    ][:10]
    needed = {id_ for question in questions for id_ in question["supporting_passages"]}
    others = [passage for passage in corpus if passage.id not in needed][: len(needed)]
    retriever = await make([*(p for p in corpus if p.id in needed), *others])

    results = await retriever.search([question["question"] for question in questions], k=5)

    shares = [
        len(set(ids(hits)) & set(question["supporting_passages"]))
        / len(question["supporting_passages"])
        for question, hits in zip(questions, results, strict=True)
    ]
    assert sum(shares) / len(shares) >= 0.9


# ── writing ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def empty(make: Make) -> AsyncIterator[Any]:
    yield await make([])


def towns() -> list[Document]:
    return [
        Document(id=name, title=name, text=f"{name} is a town on a river.")
        for name in ("Ulm", "Lyon", "Prague", "Split")
    ]


async def test_unchanged_documents_are_skipped_and_changed_ones_replaced(empty: Any) -> None:
    first = await empty.aindex(towns())
    changed = Document(id="Split", title="Split", text="Split has a palace.")
    second = await empty.aindex([*towns()[:-1], changed])

    assert (first.added, first.changed, first.unchanged, first.passages) == (4, 0, 0, 4)
    assert (second.added, second.changed, second.unchanged, second.passages) == (0, 1, 3, 4)
    [passage] = await empty.get(["Split"])
    assert passage.text == "Split has a palace."
    [[first_hit, *_]] = await empty.search(["palace"])
    assert first_hit.passage == passage


async def test_document_that_became_shorter_leaves_no_passage_behind(empty: Any) -> None:
    long = Document(id="d", text="A sentence about nothing in particular. " * 60)
    assert (await empty.aindex([long])).passages > 2
    assert [p.id for p in await empty.get(["d", "d#1", "d#2"])] == ["d#1", "d#2"]

    assert (await empty.aindex([Document(id="d", text="Short.")])).passages == 1
    assert [p.id for p in await empty.get(["d", "d#1"])] == ["d"]


async def test_deleted_documents_are_found_no_more(empty: Any) -> None:
    await empty.aindex(towns())

    assert await empty.adelete(["Ulm", "Lyon", "nowhere"]) == 2
    assert await empty.count() == 2
    [hits] = await empty.search(["Ulm town"], k=10)
    assert set(ids(hits)) == {"Prague", "Split"}


async def test_prune_deletes_what_is_gone_but_not_after_a_failure(empty: Any) -> None:
    await empty.aindex(towns())
    broken = LoadFailure(place="a.pdf", reason="is not a readable PDF")

    report = await empty.aindex([*towns()[:2], broken], prune=True)
    assert (report.deleted, report.failed, report.passages) == (0, [broken], 4)

    report = await empty.aindex(towns()[:2], prune=True)
    assert (report.deleted, report.unchanged, report.passages) == (2, 2, 2)


async def test_second_document_of_an_id_is_reported_and_the_first_kept(empty: Any) -> None:
    other = Document(id="Ulm", text="Another text.", file="b.jsonl:7")
    report = await empty.aindex([*towns(), towns()[0], other])

    assert report.added == 4
    assert [failure.place for failure in report.failed] == ["b.jsonl:7"]
    assert "'Ulm'" in report.failed[0].reason
    assert [p.text for p in await empty.get(["Ulm"])] == ["Ulm is a town on a river."]


async def test_passage_never_takes_the_id_of_another_documents_passage(empty: Any) -> None:
    long = Document(id="d", text="A sentence about nothing in particular. " * 60)
    short = Document(id="d#1", text="Whoever comes second loses nothing silently.")
    both = await empty.aindex([long, short])
    again = await empty.aindex([short])

    for report in (both, again):
        [failure] = report.failed
        assert "'d#1'" in failure.reason
    assert (await empty.get(["d#1"]))[0].document == "d"


async def test_document_of_an_endless_id_is_kept_replaced_and_deleted(empty: Any) -> None:
    long = "很长的名字" * 600
    await empty.aindex([Document(id=long, text="The first text.")])
    report = await empty.aindex([Document(id=long, text="The second text.")])

    assert (report.changed, report.passages) == (1, 1)
    assert [p.text for p in await empty.get([long])] == ["The second text."]
    assert await empty.adelete([long]) == 1


async def test_run_that_broke_off_keeps_its_batches_and_is_completed_by_the_next(
    empty: Any,
) -> None:
    texts = [Document(id=f"n{n}", text=f"编号{n}的短文。") for n in range(700)]

    def breaking() -> Iterator[Document]:
        yield from texts[:600]
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="went away"):
        await empty.aindex(breaking())
    told: list[int] = []
    report = await empty.aindex(texts, progress=told.append)

    assert report.added + report.unchanged == 700
    assert report.unchanged >= 256
    assert (report.changed, report.failed, report.passages) == (0, [], 700)
    assert told == sorted(told)
    assert told[-1] == 700
