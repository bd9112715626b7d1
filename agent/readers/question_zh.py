"""What a Chinese question asks for: its kind, its question word, and the noun asked after."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from agent.readers.spans_zh import rarity, tokenised
from graph.types import AnswerType

KINDS = "when who where number why how yesno which list what other".split()
_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "when",
        re.compile(
            r"什么时[候间]点?|甚么时[候间]|何时|哪一?个?年[代份]?|哪[一几]?年|几年|何年|哪[一几]?天|哪一?日|"
            r"什么(?:年[代份]|日期|朝代|世纪|月份|季节)|哪一?个?(?:世纪|月份|月|朝代|季节|时期|时间|时候|年代|年份)|"
            r"几月(?:几[日号])?|几[日号]|何月"
        ),
    ),
    ("who", re.compile(r"谁|哪一?[位名]|什么人|甚么人|何人|哪些人|哪一?个人|哪几[位个]人?")),
    (
        "where",
        re.compile(r"哪里|哪儿|何处|何地|什么地[方点区]|甚么地方|哪一?个?地[方点区]|哪一?处"),
    ),
    (
        "why",
        re.compile(
            r"(?<![称作成命视认定译名])为(?:什么|甚么|何)|什么原因|何原因|因为什么|因何|何以|为了什么|由于什么|什么理由"
        ),
    ),
    ("number", re.compile(r"多少|几(?=[^乎何])|多[大高长远久重宽深快厚](?![的了])|第几|若干")),
    ("yesno", re.compile(r"是否|是不是|能否|可否|有没有|吗")),
    ("list", re.compile(r"哪些|有什么|有哪[几两]|哪几")),
    ("how", re.compile(r"怎样|怎么样?|如何|何种方式|什么方式|什么方法")),
    ("which", re.compile(r"哪一?|何种")),
    ("what", re.compile(r"什么|甚么|何(?=[^况等])|啥")),
)
_REASON = re.compile(r"(?:原因|缘故|理由)(?:是|为|在|$)")
_TIME = re.compile(r"(?:时间|日期|年份)(?:是|为|$)")
_PLACE = re.compile(r"(?:地点|位置|首都|首府|国籍)(?:是|为|在|$)")
_COUNTING = re.compile(
    r"[一二两几]?(?:个|位|种|座|所|家|部|本|条|只|支|间|项|类|门|场|届|名|款|首|片|块|次|样)?"
)
_EXPECTED = {
    AnswerType.PERSON: "who",
    AnswerType.PLACE: "where",
    AnswerType.DATE: "when",
    AnswerType.NUMBER: "number",
    AnswerType.YES_NO: "yesno",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, read."""

    text: str
    """Folded."""
    kind: str
    """One of KINDS."""
    at: tuple[int, int]
    """Characters of the question word; both the length of the question where it has none."""
    focus: str
    """The noun asked after (哪个城市: 城市; 首都是什么: 首都); "" where none is found."""
    left: dict[str, float]
    """Rarity of each word before the question word."""
    right: dict[str, float]
    """Rarity of each word behind it."""

    @property
    def words(self) -> dict[str, float]:
        """All words of the question but the question word, with their rarity."""
        return self.left | self.right


@functools.lru_cache(maxsize=1024)
def asked(question: str, expects: AnswerType = AnswerType.ANY) -> Asked:
    """Read a question. What it says itself goes before `expects`."""
    tokens = tokenised(question[:400].strip())
    text = tokens.text
    kind, a, b = "other", len(text), len(text)
    for name, shape in _WORDS:
        if found := shape.search(text):
            kind, a, b = name, found.start(), found.end()
            break
    if kind in ("what", "which", "list", "other"):
        for name, shape in (("why", _REASON), ("when", _TIME), ("where", _PLACE)):
            if shape.search(text):
                kind = name
                break
        else:
            if kind == "other" or (kind == "what" and expects is AnswerType.DATE):
                kind = _EXPECTED.get(expects, kind)
    left: dict[str, float] = {}
    right: dict[str, float] = {}
    for t, word in enumerate(tokens.terms):
        if tokens.ends[t] <= a:
            left[word] = rarity(word)
        elif tokens.starts[t] >= b:
            right[word] = rarity(word)
    return Asked(text, kind, (a, b), _focus(question[:400].strip(), a, b), left, right)


def _focus(question: str, a: int, b: int) -> str:
    tokens = tokenised(question)
    text = tokens.text
    counting = _COUNTING.match(text, b)
    begin = counting.end() if counting else b
    after = [t for t in range(len(tokens.words)) if tokens.starts[t] >= begin][:4]
    found = ""
    for t in after:
        tag = tokens.tags[t]
        if tag[0] in "nqx" or tag in ("vn", "an", "l"):
            found = tokens.words[t]
        elif tag[0] in "uwvpd" or (found and tag[0] != "m"):
            break
    if found:
        return found
    # 首都是什么, 原因为何: the last noun before the question word.
    for t in range(len(tokens.words) - 1, -1, -1):
        if tokens.ends[t] <= a and (tokens.tags[t] in ("n", "nz", "vn", "an", "l")):
            return tokens.words[t]
    return ""
