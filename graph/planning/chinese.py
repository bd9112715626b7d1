"""Decomposition of Chinese questions: chains of 的, and comparisons of two things."""

from __future__ import annotations

import re

from graph.planning.language import expected_type
from graph.types import Operator, SubQuestion

_PEOPLE = (
    "导演|作者|主演|演员|歌手|演唱者|作曲家?|作曲者|编剧|制片人|父亲|母亲|妻子|丈夫|配偶|儿子|女儿|"
    "哥哥|弟弟|姐姐|妹妹|创始人|创办人|创建者|发明者|校长|总统|主席|队长|教练|设计师|老师|学生|主角|祖父|外祖父"
)
_THINGS = "出生地|出生日期|生日|国籍|首都|总部|母校|故乡|家乡|所在地|所在城市|所在国家|公司|学校|作品|代表作|专辑|乐队|面积|人口"
_RELATION = rf"(?:{_PEOPLE}|{_THINGS})"
# "《霸王别姬》的导演的母亲是谁", "《霸王别姬》的导演出生在哪里"
_CHAIN = re.compile(
    rf"^(?P<thing>《[^》]+》|[^的，,？?]+?)(?P<chain>(?:的{_RELATION})+)(?P<rest>.*)$"
)
_COMPARED = re.compile(
    r"^(?P<a>《[^》]+》|[^，,和与跟]+?)(?:和|与|跟)(?P<b>《[^》]+》|[^，,]+?)(?:相比)?[，,]?"
    r"(?P<which>谁|哪一?[个部位座本首所家条]\w{0,3}?)(?:的)?(?P<what>.*?)[？?]?$"
)
_EARLIER = re.compile(r"更?(?:早|先|年长|年纪[更较]?大|老)")
_LATER = re.compile(r"更?(?:晚|后|年轻|年纪[更较]?小)")
_TIMES = (
    (r"出生|年长|年轻|年纪|老", "{x}是什么时候出生的？"),
    (r"去世|逝世|死", "{x}是什么时候去世的？"),
    (r"上映|发行|发布|播出", "{x}是什么时候上映的？"),
    (r"成立|创立|创办|建立|建成", "{x}是什么时候成立的？"),
)
_MEASURES = (
    (r"高", "{x}的高度是多少？"),
    (r"长", "{x}的长度是多少？"),
    (r"人口", "{x}的人口是多少？"),
    (r"大|面积", "{x}的面积是多少？"),
)


def decompose_chinese(question: str) -> list[SubQuestion]:
    """Return the steps; a single one where nothing is nested or compared."""
    text = "".join(question.split())
    return _comparison(text) or _chain(text) or [_lookup(question.strip())]


def _lookup(text: str) -> SubQuestion:
    return SubQuestion(text=text, expects=expected_type(text))


def _chain(text: str) -> list[SubQuestion] | None:
    match = _CHAIN.match(text)
    if match is None:
        return None
    relations = re.findall(_RELATION, match["chain"])
    rest = match["rest"].rstrip("？?")
    if re.fullmatch(r"(?:是|叫|为)(?:谁|什么|哪里|哪国人?|什么名字|多少|哪位|哪一位)?", rest):
        last, relations = relations[-1], relations[:-1]
        final = f"的{last}{rest}？"
    else:
        final = f"{rest}？"
    if not relations:
        return None
    steps: list[SubQuestion] = []
    thing = match["thing"]
    for relation in relations:
        asked = "谁" if re.fullmatch(_PEOPLE, relation) else "什么"
        steps.append(_lookup(f"{thing}的{relation}是{asked}？"))
        thing = f"#{len(steps)}"
    return [*steps, _lookup(thing + final)]


def _comparison(text: str) -> list[SubQuestion] | None:
    match = _COMPARED.match(text)
    if match is None:
        return None
    what, options = match["what"], [match["a"], match["b"]]
    earlier, later = _EARLIER.search(what), _LATER.search(what)
    if earlier or later:
        default = "{x}是什么时候出生的？" if match["which"] == "谁" else "{x}是什么时候成立的？"
        form = next((form for words, form in _TIMES if re.search(words, what)), default)
        operator = Operator.EARLIER if earlier else Operator.LATER
    else:
        found = next((form for words, form in _MEASURES if re.search(words, what)), None)
        if found is None or not re.search(r"更|较|最", what):
            return None
        form, operator = found, Operator.LARGER
    steps = []
    things = list(options)
    role = re.search(_PEOPLE, what)
    if role:
        steps = [_lookup(f"{option}的{role[0]}是谁？") for option in options]
        things = ["#1", "#2"]
    first = len(steps) + 1
    steps += [_lookup(form.replace("{x}", thing)) for thing in things]
    return [
        *steps,
        SubQuestion(
            text=text,
            kind="operator",
            operator=operator,
            arguments=(first, first + 1),
            labels=tuple(options),
        ),
    ]
