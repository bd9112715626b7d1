"""Texts become terms that a question and a passage share."""

from __future__ import annotations

import re
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrievers.analysis import language_of, terms


def test_forms_of_a_word_share_a_term() -> None:
    assert terms("Publishing publishers' published") == terms("publish publisher publishes")


def test_case_accents_and_widths_do_not_matter() -> None:
    assert terms("Württemberg CAFÉ ＡＢＣ ﬁnal") == terms("wurttemberg cafe abc final")


def test_words_that_say_nothing_are_left_out() -> None:
    assert terms("Who was the king of it, and where?") == ["king"]
    assert terms("什么是故宫的") == ["故宫"]


def test_chinese_is_cut_into_words_and_the_words_inside_them() -> None:
    found = terms("中华人民共和国成立")

    assert {"中华", "人民", "共和国", "中华人民共和国", "成立"} <= set(found)


def test_traditional_text_shares_terms_with_itself_whatever_stands_around() -> None:
    passage = set(terms("後來威廉·瓊斯發現印歐語系，由德國學者陸特和漢斯雷頓開創。"))

    assert {"漢斯", "斯雷", "雷頓"} <= set(terms("漢斯雷頓")) <= passage


def test_mixed_text_is_cut_script_by_script() -> None:
    assert terms("iPhone手机2007年Running") == ["iphon", "手机", "2007", "年", "run"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Who built the Great Wall?", "en"),
        ("谁建造了长城？", "zh"),
        ("誰創作了《Bohemian Rhapsody》這首歌曲並演唱了它", "zh"),
        ("Who is called 孔子 in Chinese?", "en"),
        ("", "en"),
        ("1957 !?", "en"),
        ("𠀀𠀁", "zh"),
    ],
)
def test_language_goes_by_script(text: str, language: str) -> None:
    assert language_of(text) == language


@given(st.text(max_size=60))
def test_terms_hold_no_space_and_no_ascii_punctuation(text: str) -> None:
    assert all(term and not re.search(r"[\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]", term)
               for term in terms(text))  # fmt: skip


@settings(max_examples=150)
@given(st.text(max_size=60))
def test_every_text_is_found_by_each_of_its_own_terms(text: str) -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE t USING fts5 (body, tokenize='ascii')")
    db.execute("INSERT INTO t VALUES (?)", (" ".join(terms(text)),))

    for term in terms(text):
        query = "SELECT count(*) FROM t WHERE t MATCH ?"
        assert db.execute(query, (f'"{term}"',)).fetchone() == (1,)
    db.close()
