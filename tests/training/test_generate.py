"""Questions composed of one-hop facts, and the plans that a planner learns from them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.planners import alike
from graph.planning.check import check
from graph.planning.model import propose_by_model, step_of
from graph.types import Operator, Plan
from retrievers.analysis import language_of
from training.planner.generate import KINDS, Composed, generate, sound
from training.planner.names import Names, chinese_names, english_names
from training.planner.phrasings import Grammar, grammar_of
from training.planner.plans import plan_rows
from training.reader.examples import DevelopmentQuestionError

LANGUAGES = ("en", "zh")


def _names(language: str) -> Names:
    """Return made-up names of every kind that may be asked about."""
    grammar = grammar_of(language)
    kinds = {*grammar.kinds, *(said.values for said in grammar.says)} - {*grammar.values, "year"}
    if language == "en":
        syllables = "Adel Bram Carl Dorn Elba Fenn".split()
        made = tuple(f"{a} {b}" for a in syllables for b in syllables)
    else:
        made = tuple(f"《{a}{b}》" for a in "甲乙丙丁戊己" for b in "甲乙丙丁戊己")
    of = dict.fromkeys(sorted(kinds), made)
    return Names(of=of | {"year": ("1950", "1990")}, told={})


def _made(language: str, seed: int, count: int) -> list[Composed]:
    return list(generate(language, _names(language), seed, count))


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
async def test_every_plan_is_valid_and_read_as_it_is_written(language: str, seed: int) -> None:
    for made in _made(language, seed, 21):

        async def complete(prompt: str, schema: dict[str, Any], made: Composed = made) -> str:
            return json.dumps({"steps": made.steps}, ensure_ascii=False)

        plan = await propose_by_model(made.question, complete, trained=True)
        assert plan is not None
        assert check(made.question, plan) == []
        assert len(plan.steps) == len(made.steps)
        assert language_of(made.question) == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_kinds_are_asked_in_turn_and_no_question_twice(language: str) -> None:
    made = _made(language, 1, 140)
    assert Counter(row.kind for row in made) == dict.fromkeys(KINDS, 20)
    assert len({row.question for row in made}) == 140


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_seed_gives_the_same_questions(language: str) -> None:
    assert _made(language, 3, 30) == _made(language, 3, 30) != _made(language, 4, 30)


@pytest.mark.parametrize("language", LANGUAGES)
def test_plans_have_two_to_four_hops_and_all_operators(language: str) -> None:
    made = _made(language, 5, 700)
    assert {len(row.steps) for row in made if row.kind == "bridge"} == {2, 3, 4}
    used = {step.partition(" of #")[0] for row in made for step in row.steps if " of #" in step}
    assert set(Operator) <= used


OF_KIND = {
    "bridge": ("bridge",),
    "comparison": ("comparison",),
    "bridge_comparison": ("bridge_comparison",),
    "inference": ("inference",),
    "intersection": ("intersection",),
    "yes_no": ("same", "different", "both", "either", "one"),
    "count": ("count",),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_kind_is_asked_in_six_ways_at_least(language: str, kind: str) -> None:
    templates = grammar_of(language).templates
    assert len({form for name in OF_KIND[kind] for form in templates[name]}) >= 6


@pytest.mark.parametrize("grammar", [grammar_of(language) for language in LANGUAGES])
def test_what_a_relation_gives_can_be_spoken_of(grammar: Grammar) -> None:
    for relation in grammar.relations:
        assert {*relation.of, relation.gives} <= set(grammar.kinds), relation.name
        assert all("{x}" in asks and "{x}" in says for asks, says in relation.ways), relation.name


@pytest.mark.parametrize(
    ("question", "steps"),
    [
        ("Who is Ann's uncle?", ("Who is the father of Bob?", "Who is the brother of #1?")),
        ("Who is Ann's uncle?", ("Who is the father of Ann?", "Who is the brother of #2?")),
        ("Who is Ann's uncle?", ("Who is Ann's uncle?",)),
        ("甲和乙谁更年长？", ("甲是什么时候出生的？", "earlier of #1: 甲 | 乙")),
    ],
)
def test_a_plan_that_leaves_the_question_is_not_taken(
    question: str, steps: tuple[str, ...]
) -> None:
    assert not sound(question, steps)


def test_names_that_do_not_suffice_are_told_of() -> None:
    few = Names(of={"film": ("Lola",)}, told={})
    with pytest.raises(ValueError, match="too few names for 7 questions"):
        list(generate("en", few, 1, 7))


ASKED = "Where was the director of Lola born?"
OLDER = "甲和乙谁年长？"
AGES = ["甲何时出生？", "乙何时出生？", "earlier of #1, #2: 甲 | 乙"]
LOLA = ["Who is the director of Lola?", "Where was #1 born?"]


@pytest.mark.parametrize(
    ("question", "gold", "steps", "expected"),
    [
        (ASKED, LOLA, ["Who directed Lola?", "What is the place where #1 was born?"], True),
        (ASKED, LOLA, ["Who is the director of Lola?", "Where did #1 die?"], False),
        (ASKED, LOLA, ["Who is the director of Lola?", "Where was Lola born?"], False),
        (ASKED, LOLA, ["Who is the director of Nina?", "Where was #1 born?"], False),
        (ASKED, LOLA, [ASKED], False),
        (OLDER, AGES, AGES, True),
        (OLDER, AGES, ["甲是什么时候去世的？", *AGES[1:]], False),
        (OLDER, AGES, [*AGES[:2], "later of #1, #2: 甲 | 乙"], False),
    ],
)
def test_a_plan_is_right_where_it_asks_the_same_in_like_words(
    question: str, gold: list[str], steps: list[str], expected: bool
) -> None:
    read = tuple(step_of(text, question) for text in steps)
    assert alike(Plan(steps=read, planner="model", score=0.5), gold, question) is expected


# ── names, and the guard ──────────────────────────────────────────────────────────────────────


def _write(folder: Path, name: str, *rows: dict[str, Any]) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")


def _hop(*evidences: tuple[str, str, str]) -> dict[str, Any]:
    return {"question": "?", "type": "x", "answer": "", "evidences": evidences}


def test_names_of_held_out_facts_and_sentences_are_left_out(tmp_path: Path) -> None:
    held = _hop(("Lola", "director", "Ann Bell"))
    kept = _hop(
        ("Nina", "director", "Bob Carr"),
        ("Bob Carr was a director", "country of citizenship", "French"),
        ("Bob Carr", "country of citizenship", "France"),
    )
    _write(tmp_path, "hops.jsonl", held, kept)
    names = english_names(tmp_path / "hops.jsonl", 2)
    assert names.told["director"] == ("Nina",)
    assert (names.of["film"], names.of["person"]) == (("Nina",), ("Bob Carr",))
    assert (names.of["nationality"], names.of["country"]) == (("French",), ("France",))


def test_chinese_names_are_titles_and_answers_of_their_kind(tmp_path: Path) -> None:
    told = "王小明（1901年3月4日－1980年），作家，著有小說《春江》，由電影《夏雨》改編。"
    passage = {"id": "p", "title": "王小明", "text": told}
    answers = [
        {"question": "谁写了《春江》？", "answer": "王小明", "passage": "p"},
        {"question": "他出生在哪里？", "answer": "仙台市", "passage": "p"},
        {"question": "他出生在哪里？", "answer": "出生地于台湾台北市", "passage": "p"},
        {"question": "他毕业于哪所大学？", "answer": "廈門大學", "passage": "p"},
        {"question": "他是哪国人？", "answer": "日本", "passage": "p"},
    ]
    for corpus in ("cmrc2018", "drcd", "xquad"):
        _write(tmp_path, f"reading-{corpus}-zh.passages.jsonl", passage)
        _write(tmp_path, f"reading-{corpus}-zh.jsonl", *answers)
    of = chinese_names(tmp_path, ("Lola",)).of
    assert (of["person"], of["city"], of["school"]) == (("王小明",), ("仙台市",), ("厦门大学",))
    assert (of["book"], of["film"], of["country"]) == (
        ("《春江》",),
        ("《Lola》", "《夏雨》"),
        ("日本",),
    )


def _data(folder: Path, development: str) -> Path:
    films = [(f"Film {a}{b}", "director", f"{b}{a} Bell") for a in "ABCDE" for b in "FGHIJ"]
    more = [(maker, "father", f"{maker} Senior") for _, _, maker in films]
    songs = [(f"Song {a}", "performer", f"{a} Bell") for a in "ABCDE"]
    told = [(maker, "country of citizenship", "French") for _, _, maker in films]
    _write(folder, "train/hops-2wikimultihopqa.jsonl", _hop(), _hop(*films, *more, *songs, *told))
    for name in ("plans-break", "plans-strategyqa", "reading-xquad-en"):
        _write(folder, f"train/{name}.jsonl")
    _write(folder, "hotpotqa/questions.jsonl", {"question": development})
    return folder


def test_a_composed_development_question_is_not_trained_on(tmp_path: Path) -> None:
    most = {"composed-en": 63}
    train, held = plan_rows(_data(tmp_path, "None?"), 10, most)
    assert (len(train), len(held)) == (63, 7)
    asked = train[5].question
    again, _ = plan_rows(_data(tmp_path, asked.upper()), 10, most)
    assert asked not in {row.question for row in again}
    assert len(again) == 62


def test_a_composed_step_that_is_a_development_question_fails_the_training(tmp_path: Path) -> None:
    most = {"composed-en": 63}
    train, _ = plan_rows(_data(tmp_path, "None?"), 10, most)
    asked = train[5].plan.steps[0]
    with pytest.raises(DevelopmentQuestionError):
        plan_rows(_data(tmp_path, asked), 10, most)
