"""Chinese statements: what a question and its answer become, and what they never hold."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graph.composing import MAX_BYTES, sentences
from graph.composing.chinese import ADDED, statements


@pytest.mark.parametrize(
    ("question", "answer", "said"),
    [
        ("谁执导了《英雄》？", "张艺谋", "张艺谋执导了《英雄》"),
        ("誰創立了網易公司?", "丁磊", "丁磊創立了網易公司"),
        ("《英雄》的导演出生在哪个城市？", "西安", "《英雄》的导演出生在西安"),
        ("《英雄》的导演是哪国人？", "中国", "《英雄》的导演是中国人"),
        ("张艺谋出生在哪里？", "在西安", "张艺谋出生在西安"),
        ("李日华生于哪一年？", "1565年", "李日华生于1565年"),
        ("《國音常用字彙》於何年頒布?", "1932年", "《國音常用字彙》於1932年頒布"),
        ("芙蓉洞什么时候开始对游人开放？", "1994年", "芙蓉洞1994年开始对游人开放"),
        ("张艺谋有几个孩子？", "7", "张艺谋有7个孩子"),
        ("张艺谋有多少个孩子？", "七个", "张艺谋有七个孩子"),
        ("珠穆朗玛峰多高？", "8848米", "珠穆朗玛峰高8848米"),
        ("珠穆朗玛峰有多高？", "8848米", "珠穆朗玛峰有8848米"),
        ("「中體西用」是哪一運動的主張?", "洋務運動", "「中體西用」是洋務運動的主張"),
        ("什么是票王？", "得票最高的人", "票王是得票最高的人"),
        ("司马晏为什么被抓？", "谋反", "司马晏被抓，因为谋反"),
        ("漢諾瓦音樂學院位於？", "下薩克森邦", "漢諾瓦音樂學院位於下薩克森邦"),
        ("他畢業於哪一所知名大學?", "普林斯頓大學", "他畢業於普林斯頓大學"),
        ("英国是何时签署的？", "1997", "英国是1997年签署的"),
        ("議局是如何組成的?", "由代表組成", "議局是由代表組成的"),
        ("他何时进入微软任职？", "他于1981年进入微软任职", "他于1981年进入微软任职"),
        ("颈阔肌具有什么样的形状？", "扇形", "颈阔肌的形状是扇形"),
        ("他在争取什么运动时引用雪莱的诗?", "自由", "他在争取自由时引用雪莱的诗"),
        # a choice, a list, yes and no
        ("張藝謀和陳凱歌誰更年長？", "張藝謀", "張藝謀和陳凱歌中，張藝謀更年長"),
        ("哪部电影更早上映，《红高粱》还是《霸王别姬》？", "《红高粱》", "《红高粱》更早上映"),
        ("它的敲击乐器有哪些？", "鼓、锣和板", "它的敲击乐器有鼓、锣和板"),
        ("北京是中国的首都吗？", "是", "是的，北京是中国的首都"),
        ("北京是日本的首都吗？", "否", "不是，北京不是日本的首都"),
        ("林若川和高木健都是中国人吗？", "否", "不是，林若川和高木健并非都是中国人"),
        ("成都是四川的省会吗？", "否", "不是，成都不是四川的省会"),
        ("北京和成都是省会吗？", "否", "不是，北京和成都不是省会"),
        ("北京和成都都是省会吗？", "否", "不是，北京和成都并非都是省会"),
        ("甲和乙是否来自同一个国家？", "是", "是的，甲和乙来自同一个国家"),
        ("甲和乙是否来自同一个国家？", "否", "不是，甲和乙并非来自同一个国家"),
    ],
)
def test_the_likeliest_statement(question: str, answer: str, said: str) -> None:
    assert statements(question, answer)[0] == said


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("莱茵河谷是如何形成的？", "侵蚀"),
        ("说出一种疾病。", "感冒"),
        ("谁在哪里出生？", "张艺谋"),
        ("谁执导了《英雄》？", "是"),
        ("浮龙在哪里发现的？", "化石发现于加州"),
        ("", "张艺谋"),
        ("谁？", ""),
        ("甲和乙都曾是省会吗？", "否"),
        ("甲和乙全都是省会吗？", "否"),
    ],
)
def test_no_statement_where_none_would_be_sound(question: str, answer: str) -> None:
    assert statements(question, answer) == []


def test_the_answer_alone_is_said_where_there_is_no_statement() -> None:
    assert sentences("说出一种疾病。", "感冒", [1], "zh") == ["感冒[1]。"]
    assert sentences("说说看", "他病了。", [1], "zh") == ["他病了[1]。"]


_PIECES = (
    "谁 誰 哪 哪个 哪一年 什么 什麼 何 何时 多少 几 幾 为什么 為何 多高 吗 是否 有没有 如何 "
    "是 在 的 和 还是 ， 《英雄》 张艺谋 导演 国家 城市 出生 有 了 更 年长 人 中 1929 A"
).split()
questions = st.builds(
    lambda pieces, end: "".join(pieces) + end,
    st.lists(st.sampled_from(_PIECES), max_size=9),
    st.sampled_from(["？", "?", "", "。"]),
)
answers = st.one_of(
    st.sampled_from("张艺谋 1929年 七个 是 否 在西安 中国 因为下雨 8848米 由人组成".split()),
    st.text(min_size=1, max_size=20),
)


@settings(deadline=None, max_examples=200)
@given(st.one_of(questions, st.text(max_size=40)), answers)
@example("请问谁？", "张艺谋。")
def test_a_sentence_holds_the_answer_its_marks_and_no_strange_character(
    question: str, answer: str
) -> None:
    for said in sentences(question, answer, [1, 2], "zh"):
        assert said.endswith("[1][2]。")
        body = said.removesuffix("[1][2]。")
        denied = body.startswith(("是的，", "不是，", "没有，"))
        assert answer in body or answer.strip().rstrip("。") in body or denied
        assert set(body) <= set(question) | set(answer) | ADDED | {" "}
        assert len(said.encode()) <= max(MAX_BYTES, len(answer.encode()) + 12)
