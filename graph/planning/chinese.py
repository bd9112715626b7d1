"""Decomposition of nested Chinese questions: descriptions with 的, the innermost first."""

from __future__ import annotations

import re

from graph.planning.chinese_comparison import decompose_pair
from graph.planning.language import lookup
from graph.types import SubQuestion
from retrievers.analysis import HAN, tagger

MAX_STEPS = 6
# Who or what is described. Only people and works lead on to a further fact by themselves; a place
# or an attribute does where 的 follows it ("…的出生地的人口").
PEOPLE = (
    "导演|作者|主演|女主角|男主角|演员|歌手|演唱者|作曲家|作曲者|作曲|作词者|编剧|制片人|父亲|母亲|妻子|丈夫|"
    "配偶|儿子|女儿|哥哥|弟弟|姐姐|妹妹|兄长|创始人|创办人|创办者|创建者|创立者|发明者|发明人|校长|总统|主席|"
    "队长|教练|主教练|设计师|设计者|老师|学生|主角|继任者|前任|建立者|开国皇帝"
)
_ATTRIBUTES = (
    "出生地|出生日期|生日|国籍|首都|总部|母校|故乡|家乡|所在地|所在城市|所在国家|公司|学校|代表作|专辑|乐队|"
    "国家|城市|省份|省会|大学|作品|原著|母公司"
)
# "the man who did it" is one man where something is said of him alone.
_ONE_MAN = "人(?=的|是在|出生|毕业|去世|逝世|来自|曾)"
_NAME = r"(?:《[^》]+》|#\d+|[^的，,？?《》]+?)"
_OF = re.compile(rf"^(?P<thing>{_NAME})的(?P<relation>{PEOPLE}|{_ATTRIBUTES})(?P<rest>.*)$")
_WHO_DID = re.compile(
    rf"^(?P<deed>[^的，,？?]*?(?:《[^》]+》[^的，,？?]*|[^的，,？?]+))的(?:那[位个名])?"
    rf"(?P<noun>{PEOPLE}|{_ONE_MAN}|皇帝|{_ATTRIBUTES})(?P<rest>.*)$"
)
_IS_ASKED = re.compile(
    r"(?:又|究竟|到底|分别|都)?(?:是|叫|为|叫做)(?:谁|什么|哪里|什么名字|哪[一几]?[位座个部家本首些].{0,4})?"
    r"|(?:都)?(?:有|包括)(?:哪些|谁|几|多少).*"
)
# Chinese needs no spaces; a title in Latin letters does.
_CHINESE = rf"[{HAN}，。、？！：；（）《》“”]"
_SPACE = re.compile(rf"(?<={_CHINESE}) | (?={_CHINESE})")
# What may follow the thing described, and verbs of deeds, where the tagger sees nouns.
_SAID = re.compile(rf"{_ATTRIBUTES}|年龄|身高|出生|毕业|去世|逝世|来自|曾|是|在|于|有")
_DEED = re.compile(
    r"(?:饰演|扮演|执导|演唱|主演|出演|创作|撰写|编写|谱写|创办|创立|创建|建立|发明|发现|设计|提出|获得)(?=.)"
)
_KIN = {
    "祖父": ("父亲", "父亲"),
    "爷爷": ("父亲", "父亲"),
    "祖母": ("父亲", "母亲"),
    "奶奶": ("父亲", "母亲"),
    "外祖父": ("母亲", "父亲"),
    "外公": ("母亲", "父亲"),
    "外祖母": ("母亲", "母亲"),
    "外婆": ("母亲", "母亲"),
    "岳父": ("妻子", "父亲"),
    "岳母": ("妻子", "母亲"),
    "公公": ("丈夫", "父亲"),
    "婆婆": ("丈夫", "母亲"),
    "女婿": ("女儿", "丈夫"),
    "儿媳": ("儿子", "妻子"),
}
_KIN_WORD = re.compile(rf"的({'|'.join(sorted(_KIN, key=len, reverse=True))})(?=是|的|叫|[？?]|$)")


def decompose_chinese(question: str) -> list[SubQuestion]:
    """Return the steps; a single one where nothing is nested or compared."""
    text = re.sub(r"[？?。]*$", "", _SPACE.sub("", " ".join(question.split()))).strip()
    return decompose_pair(text, PEOPLE) or _chain(_spelt(text)) or [lookup(question.strip())]


def _spelt(text: str) -> str:
    """Spell out kinship that no document states: 外祖父 is the mother's father."""
    return _KIN_WORD.sub(lambda m: "的{}的{}".format(*_KIN[m[1]]), text)


def _chain(text: str) -> list[SubQuestion] | None:
    steps: list[SubQuestion] = []
    while len(steps) < MAX_STEPS - 1:
        found = _innermost(text)
        if found is None:
            break
        asked, rest = found
        steps.append(lookup(asked))
        # A number that follows ("…的导演1997年") is not the reference's.
        text = f"#{len(steps)}{' ' * rest[:1].isdigit()}{rest}"
    return [*steps, lookup(text + "？")] if steps else None


def _innermost(text: str) -> tuple[str, str] | None:
    """Return the question for the first description and what follows it in the question."""
    match = _WHO_DID.match(text)
    if match is not None and _begins_with_verb(match["deed"]):
        if not _goes_on(match["rest"], match["noun"]):
            return None
        person = re.fullmatch(rf"{PEOPLE}|人|皇帝", match["noun"])
        asked = f"谁{match['deed']}？" if person else f"{match['deed']}的{match['noun']}是什么？"
        return asked, match["rest"]
    match = _OF.match(text)
    if match is None or not _goes_on(match["rest"], match["relation"]):
        return None
    person = re.fullmatch(PEOPLE, match["relation"])
    return f"{match['thing']}的{match['relation']}是{'谁' if person else '什么'}？", match["rest"]


def _goes_on(rest: str, noun: str) -> bool:
    """Tell whether something is asked of the thing described, not just which thing it is."""
    if not rest or re.match(r"[和与跟、，,]", rest) or _IS_ASKED.fullmatch(rest):
        return False
    if rest.startswith("的"):
        return len(rest) > 2
    # "他的儿子启拔", "主演人员": a noun that follows at once belongs to the same name or word.
    following = next(iter(tagger().cut(rest)))
    if following.flag[0] in "nkcj" and not _SAID.match(rest):
        return False
    return re.fullmatch(rf"{PEOPLE}|人|皇帝|作品|原著|公司|乐队|国家|城市", noun) is not None


def _begins_with_verb(deed: str) -> bool:
    if deed.startswith(("《", "#")):
        return False
    if _DEED.match(deed):
        return True
    first = next(iter(tagger().cut(deed)), None)
    return first is not None and first.flag == "v" and first.word != deed
