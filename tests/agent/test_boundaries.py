"""Where an answer begins and ends, after the encoder has chosen a span."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.readers.boundaries import completed, of_the_other_end

LIFE = "Ann Lee (6 June 1906, Graz – 2 November 1994, Linz) was a director."
ZH_LIFE = "李安（1906年6月6日，北京—1994年11月2日，上海）是导演。"


def said(text: str, span: str, question: str) -> str:
    start = text.index(span)
    begin, end = completed(text, start, start + len(span), question)
    return text[begin:end]


@pytest.mark.parametrize(
    ("text", "span", "question", "answer"),
    [
        ("He was a son of Sultan Mahmud II.", "Sultan Mahmud", "Who is his father?",
         "Sultan Mahmud II"),
        ("The gallery is the T. T. Tsui Gallery of art.", "T. T. Tsui", "Which gallery?",
         "T. T. Tsui Gallery"),
        ("She played with United Nations Ban Ki-Moon.", "United Nations",
         "What did Ban Ki-Moon lead?", "United Nations"),
        ("He met Ann Lee. In May he left.", "Ann Lee", "Whom did he meet?", "Ann Lee"),
        ("Directed By Ann Lee Starring Bo Ek Produced By Cy Dee", "Ann Lee", "Who directed?",
         "Ann Lee"),
        ("She was Elizabeth I of England.", "Elizabeth", "Who ruled India?", "Elizabeth I"),
        ("他于1946年5月3日出生。", "1946年5月3日", "他是哪一年出生的？", "1946年"),
        ("It was directed by Edward Killy.", "Killy", "Who directed it?", "Edward Killy"),
        ("At noon he came. Then Killy left.", "Killy", "Who left?", "Killy"),
        ("It is red. Blue it is not.", "red", "What is it?", "red"),
        ("Ann Lee Jr. (May 16, 1895 – 1964) wrote.", "Ann Lee Jr. (May 16, 1895", "Who wrote?",
         "Ann Lee Jr."),
        ("Ann Lee (born 1921) wrote.", "Ann Lee (born 1921)", "Who wrote?", "Ann Lee (born 1921)"),
        ("John Knox (1505–1572) was a minister.", "1505–1572", "What year did John Knox die?",
         "1572"),
        ("John Knox (1505–1572) was a minister.", "1505–1572", "When was John Knox born?", "1505"),
        ("John Knox (1505–1572) was a minister.", "1505–1572", "When did John Knox live?",
         "1505–1572"),
        (LIFE, "Graz – 2 November 1994, Linz", "Where did Ann Lee die?", "Linz"),
        (LIFE, "Graz – 2 November 1994, Linz", "Where was Ann Lee born?", "Graz"),
        (LIFE, "Graz – 2 November 1994", "What is the place of birth of Ann Lee?", "Graz"),
        (LIFE, "6 June 1906, Graz – 2 November 1994, Linz", "Where was Ann Lee born?", "Graz"),
        (LIFE, "Graz – 2 November 1994, Linz", "When did Ann Lee die?", "2 November 1994, Linz"),
        (LIFE, "Graz – 2 November 1994, Linz", "Where did Ann Lee live?",
         "Graz – 2 November 1994, Linz"),
        ("Bo Ek (June 6, 1906, Graz-Eggenberg – November 2, 1994, Linz) sang.",
         "Graz-Eggenberg – November 2, 1994, Linz", "In which city did Bo Ek die?", "Linz"),
        (ZH_LIFE, "北京—1994年11月2日，上海", "李安在哪里去世？", "上海"),
        (ZH_LIFE, "北京—1994年11月2日，上海", "李安在哪里出生？", "北京"),
        ("He died on the line (Graz – Linz, opened 1906).", "Graz – Linz", "Where did he die?",
         "Graz – Linz"),
        ("It holds more than 70,000 works.", "70,000", "How many works?", "more than 70,000"),
        ("It holds about 70,000 works.", "70,000", "How many works?", "70,000"),
        ("It closed on 25 February 2010.", "25 February 2010", "Which year did it close?", "2010"),
        ("It closed on 25 February 2010.", "25 February 2010", "When did it close?",
         "25 February 2010"),
        ("王阳明（1472年－1529年）", "1472年", "王阳明何时出生？", "1472年"),
        ("“甲（乙）公司”的丙", "甲（乙", "什么公司？", "甲（乙）"),
        ("他写了小说《活着》。", "小说《活着", "他写了什么？", "小说《活着》"),
        ("他写了“钱”和许多书。", "钱”和许多", "他写了什么？", "“钱”和许多"),
        ("In X (played by Ann Lee), it is.", "Ann Lee), it is", "Who played?", "Ann Lee"),
        ('In "Smith and Jones" (2007) he', 'Smith and Jones" (2007)', "Which?",
         '"Smith and Jones" (2007)'),
        ('Here "Weird Al" Yankovic sang.', 'Weird Al" Yankovic', "Who?", '"Weird Al" Yankovic'),
    ],
)  # fmt: skip
def test_a_span_is_made_the_whole_answer(text: str, span: str, question: str, answer: str) -> None:
    assert said(text, span, question) == answer


@pytest.mark.parametrize(
    ("text", "span", "question", "other"),
    [
        (LIFE, "Graz", "Where did Ann Lee die?", True),
        (LIFE, "Linz", "What is the place of death of Ann Lee?", False),
        (LIFE, "Linz", "Where was Ann Lee born?", True),
        (LIFE, "6 June 1906", "What is the date of birth of Ann Lee?", False),
        (LIFE, "Graz", "Where did Ann Lee live?", False),
        (LIFE, "director", "Where did Ann Lee die?", False),
        (ZH_LIFE, "北京", "李安在哪里去世？", True),
        (ZH_LIFE, "上海", "李安在哪里去世？", False),
    ],
)
def test_a_birth_is_told_from_a_death(text: str, span: str, question: str, other: bool) -> None:
    at = text.index(span)
    assert of_the_other_end(text, at, at + len(span), question) is other


@given(
    st.text('Ab (（)）“”《》"–1905.,年', max_size=40),
    st.data(),
    st.sampled_from(["born?", "die", "x"]),
)
def test_what_is_completed_shares_something_with_the_span(
    text: str, data: st.DataObject, question: str
) -> None:
    text = f"A{text}"
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    begin, final = completed(text, start, end, question)
    assert 0 <= begin < final <= len(text)
    assert begin < end and start < final
