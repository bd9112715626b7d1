"""Which titles and names a question holds."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retrievers.names import LONGEST_TITLE, NamedTitles, names, title_key

SLAM = "Which documentary film follows poetry, Race to Nowhere or SlamNation?"

# Words of every kind that the rules tell apart, and the marks between them.
word = st.sampled_from(
    "The the Who who of a Race Nowhere SlamNation 1903 J St é ÉTÉ İ ß 威廉 琼斯 活着 長江 ½".split()
)
mark = st.sampled_from(
    [" ", " ", ", ", "'s ", "-", ". ", "·", "", "“", "”", "《", "》", " (", ") "]
)
texts = st.one_of(
    st.text(max_size=60),
    st.lists(st.tuples(word, mark), max_size=14).map(lambda ps: "".join(a + b for a, b in ps)),
)


def named(question: str, *titles: str) -> list[str]:
    """Which of these titles the question names, in its order."""
    keys = NamedTitles(question).keys
    by_key = {title_key(title): title for title in titles}
    return NamedTitles(question).ranking({k: t for k, t in by_key.items() if k in keys})


# ── titles ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("Get Low (Dillon Francis and DJ Snake song)", "get low"),
        ("Super_Bowl_50", "super bowl 50"),
        ("Württemberg", "wurttemberg"),
        ("霸王别姬（电影）", "霸 王 别 姬"),
        ("(film)", "film"),
        ("", ""),
        ("?!", ""),
        (" ".join(["word"] * LONGEST_TITLE), " ".join(["word"] * LONGEST_TITLE)),
        (" ".join(["word"] * (LONGEST_TITLE + 1)), ""),
    ],
)
def test_title_is_looked_up_without_case_accents_marks_and_brackets(title: str, key: str) -> None:
    assert title_key(title) == key


@pytest.mark.parametrize(
    ("question", "titles", "found"),
    [
        (SLAM, ["SlamNation", "Race to Nowhere"], ["Race to Nowhere", "SlamNation"]),
        ("who directed get low?", ["Get Low (film)"], ["Get Low (film)"]),
        (
            "Who is in Fallen City Blues?",
            ["Fallen City", "Fallen City Blues"],
            ["Fallen City Blues"],
        ),
        ("Are Ada and Ada Lovelace one?", ["Ada", "Ada Lovelace"], ["Ada", "Ada Lovelace"]),
        ("Who wrote The Room?", ["The Room", "Room"], ["The Room"]),
        ("Did The Who play?", ["The Who"], ["The Who"]),
        ("谁导演了霸王别姬这部电影？", ["霸王别姬", "电影"], ["霸王别姬"]),
        ("《活着》的作者是谁？", ["活着", "作者"], ["活着"]),
        ("谁写了“it”这本书？", ["It"], ["It"]),
        ("ＳｌａｍＮａｔｉｏｎ in été", ["slamnation été", "Été"], []),
    ],
)
def test_titles_that_the_question_names_come_in_its_order(
    question: str, titles: list[str], found: list[str]
) -> None:
    assert named(question, *titles) == found


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Who is the director of this film?", "Film"),
        ("Where was he born?", "Where"),
        ("Where was he born?", "Was He"),
        ("中国的首都在哪里？", "中国"),
        ("", ""),
    ],
)
def test_word_of_the_language_names_no_title(question: str, title: str) -> None:
    assert named(question, title) == []


@given(texts)
@example("a b " * 10_000)
@example("长江" * 10_000)
def test_what_is_looked_up_is_bounded_and_unique(question: str) -> None:
    keys = NamedTitles(question).keys

    assert len(keys) == len(set(keys)) <= 160 * LONGEST_TITLE
    assert all(keys)


@given(texts, texts, texts)
def test_title_in_book_title_marks_is_always_named(before: str, title: str, after: str) -> None:
    title = title.translate(dict.fromkeys(map(ord, '《》"“”〈〉「」『』‘’()（）')))
    key = title_key(title)
    if key and len(before) < 100 and "《" not in before and not set('"“〈「『‘') & set(before):
        assert key in NamedTitles(f"{before}《{title}》{after}").keys


@given(texts, st.data())
def test_ranking_holds_only_what_was_found_each_once(question: str, data: st.DataObject) -> None:
    titles = NamedTitles(question)
    some = data.draw(st.sets(st.sampled_from(titles.keys))) if titles.keys else set()
    ranking = titles.ranking({key: key for key in [*some, "of no question"]})

    assert len(ranking) == len(set(ranking))
    assert set(ranking) <= some
    assert bool(ranking) == bool(some)


# ── names ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("question", "found"),
    [
        (
            "Did Ada Lovelace's mother know J. K. Rowling, or the Duke of Saxony?",
            ["Ada Lovelace", "J. K. Rowling", "Duke of Saxony"],
        ),
        ("Did Marie Curie and Paul Langevin meet?", ["Marie Curie", "Paul Langevin"]),
        ("After Ada Lovelace died, who came?", ["After Ada Lovelace", "Ada Lovelace"]),
        ("Who wrote “the road not taken” in 1915?", ["the road not taken"]),
        ("Was it 1903 Marie Curie won in?", ["Marie Curie"]),
        ("Who was in Apollo 11?", ["Apollo 11"]),
        ("Who lives in Paris?", []),
        ("Which of The Beatles was first?", []),
        ("who was marie curie?", []),
        ("《活着》和《活着》的作者是谁？", ["活着"]),
        ("威廉·瓊斯的父親是誰？", ["威廉·瓊斯"]),
        ("谁是让·保罗·萨特？", ["是让·保罗", "保罗·萨特"]),
        ("WHO WAS " + "IN CAPITALS " * 10, []),
        ("", []),
    ],
)
def test_names_of_several_words_are_found_as_written(question: str, found: list[str]) -> None:
    assert names(question) == found


@given(texts)
@example("A b C " * 10_000)
def test_names_are_unique_stretches_of_the_question(question: str) -> None:
    found = names(question)

    assert len(found) == len(set(found))
    assert all(name in unicodedata.normalize("NFKC", question) for name in found)
