"""Chinese statements: the answer in the place of the question word, which is where it belongs.

    谁执导了X？ + 波拉克                波拉克执导了X
    X出生在哪个城市？ + 布拉格          X出生在布拉格
    X有多少个儿子？ + 三个              X有三个儿子
    A和B谁更年长？ + B                  A和B中，B更年长
    X是Y的首都吗？ + 否                 不是，X不是Y的首都

What is dropped beside the question word is the noun that it asks for (城市), as far as the tagger
tells where that ends. Simplified and traditional characters both.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from graph.values import parse_yes_no
from retrievers.analysis import tagger

ADDED = frozenset("，中是的不并非没有因為为年")
"""The characters that a statement may hold beside those of the question and the answer."""

_MEASURE = (
    "(?:[个個位名座本首所家款部种種类類场場项項门門间間支句段件只隻艘架块塊片届屆任代颗顆次套批幅天年月日"
    "国國州省市县縣]|[条條](?![约約]))"
)
_WHAT = r"[什甚][么麼]"
_WHO = rf"谁|誰|哪一?位|何人|{_WHAT}人"
_PLAIN = (
    rf"{_WHAT}(?:时候|時候|時後|地方)|[何几幾][时時]|哪[里裡裏儿兒边邊]|何[处處地]|"
    r"多久|多[长長](?:时间|時間)|(?<=[为為])何$"
)
_WHICH = (
    rf"哪(?:[一二三四五六七八九十几幾两兩]|些)?{_MEASURE}?|{_WHAT}(?:[样樣]子?的?)?|"
    r"何[种種年月日国國]"
)
_COUNT = r"多少|[几幾](?=[^乎何])"
_DEGREE = r"多(?P<degree>[长長高大远遠重宽寬深厚快])"
# At the end it is 什么 that is asked: 表现为什么？
_WHY = r"(?<!因)(?:为什么|為什麼|為什么|为何|為何)(?!$|东西|東西)"
_WORD = re.compile(
    rf"(?P<why>{_WHY})|(?P<who>{_WHO})|(?P<plain>{_PLAIN})|(?P<count>{_COUNT})|"
    rf"(?P<measured>{_DEGREE})|(?P<which>{_WHICH})"
)
_HOW = re.compile(r"如何|怎[么麼样樣]|是何(?!人|时|時|处|處|地|种|種|年|月|日|国|國)")
_TWO_NAMED = re.compile(r"[，,：:]\s*是?(?P<a>[^，,]+?)(?:还是|還是|或者?|和|与|與)(?P<b>[^，,]+)$")
_MEANS = re.compile("由|通过|通過|透过|透過|经|經|以|用|靠|借|藉")
_POLITE = re.compile(r"^(?:请问|請問|试问|試問)[，,]?")
_END = re.compile(r"[\s?？。!！]+$")
_NUMBER = re.compile(r"[约約近超过過]*[\d.,，〇零一二三四五六七八九十百千万萬亿億两兩半]+[多余餘]?")
_OPEN_END = re.compile(r"(?:是|为|為|叫|在|于|於|称为|稱為)$")
_REASON = re.compile(r"因|由于|由於|为了|為了")
_LINKS = "在于於第是由被从從为為以因约約有叫到向"
_NOUNS = {"n", "ns", "nt", "nz", "eng", "j"}
_PLACING = set("时時后後前中里裡上下间間内內外")
"""What places something beside the noun: 在什么运动时."""
_MODIFIERS = {"a", "b", "v", "vn", "an"}


def statements(question: str, answer: str) -> list[str]:
    """Return sentences that give a question's answer, the likeliest first, without a full stop.

    The answer stands in each as it is. There is none for a question that is not understood.

    Examples
    --------
    >>> statements("《伊卡里》的导演出生在哪个城市？", "布拉格")
    ['《伊卡里》的导演出生在布拉格']
    """
    text = _POLITE.sub("", _END.sub("", " ".join(question.split())))
    answer = answer.strip().rstrip("。")
    if not text or not answer or re.search(r"[。！？\n]", text + answer):
        return []
    truth = parse_yes_no(answer)
    if truth is not None:
        return _affirmed(text, truth)
    if how := _HOW.search(text):
        return _by(text[: how.start()], text[how.end() :], answer)
    if re.search(r"[吗嗎]$|是否|是不是|有没有|有沒有", text):
        return []
    named = _TWO_NAMED.search(text)
    if named and answer.strip("《》") in {named["a"].strip("《》"), named["b"].strip("《》")}:
        text = text[: named.start()]
    words = list(_WORD.finditer(text))
    if not words and not re.search(r"[何怎哪谁誰]", text):
        return [f"{text}{answer}"] if _OPEN_END.search(text) else []
    if len(words) != 1:
        return []
    [word] = words
    before, after = text[: word.start()], text[word.end() :]
    if word["why"]:
        return _because(before, after, answer)
    if not before and (named := re.fullmatch(r"[是叫](.+)", after)):
        return [f"{named[1]}{after[0]}{answer}"]
    said = after.removesuffix("的")
    if len(said) > 1 and answer.endswith(said) and word["plain"]:
        after = after[len(said) :]  # 何时发行的 + 2008年发行
    elif _repeats(answer, after):
        return []
    rest = _behind(word, after, answer)
    has = re.search("[具拥擁含]?有$", before)
    if has and word["which"] and word["which"][0] in "什甚" and not rest and after:
        # What something has may be told in a clause: 有什么意义.
        return [f"{before[: has.start()]}的{after}是{answer}"]
    after = rest
    if re.search("[时時候後]", word["plain"] or "") and re.fullmatch(r"\d{3,4}", answer):
        answer += "年"
    if word["plain"] and "是" not in before:
        after = after.removesuffix("的")
    if chosen := _chosen(before, after, answer):
        return [chosen]
    if word["measured"] and not before.endswith("有"):
        before += word["degree"]
    return [f"{_joined(before, answer)}{answer}{after}"]


def _by(before: str, after: str, answer: str) -> list[str]:
    """Return the statement of "如何…" where the answer says by what: 由…组成."""
    if not _MEANS.match(answer):
        return []
    said = after.removesuffix("的")
    rest = after[len(said) :] if said and answer.endswith(said) else after
    return [f"{before}{answer}{rest}"]


def _repeats(answer: str, after: str) -> bool:
    """Tell whether an answer says what the question goes on with: it is a sentence of its own."""
    same = SequenceMatcher(None, answer, after, autojunk=False).find_longest_match()
    noun = len(after) <= 6 and answer.endswith(after[same.b :])  # 哪一所知名大学 + 北京大学
    return not noun and same.size >= 2 and same.size >= min(3, len(after) / 2)


def _joined(before: str, answer: str) -> str:
    """Return what stands before the answer, without the words of it that the answer repeats."""
    if answer.startswith(before):
        return ""
    most = min(len(before), len(answer) - 1)
    said = next((n for n in range(most, 0, -1) if before.endswith(answer[:n])), 0)
    return before[:-said] if said > 1 or (said and answer[0] in _LINKS) else before


def _behind(word: re.Match[str], after: str, answer: str) -> str:
    """Return what of the question goes on behind the answer: the noun asked for does not."""
    if 1 < len(after) <= 6 and answer.endswith(after[-2:]):
        return ""
    same = next((n for n in range(len(after), 0, -1) if answer.endswith(after[:n])), 0)
    if (same > 1 or (same and word.group().endswith(("国", "國")))) and not word["plain"]:
        return after[same:]
    if word["which"] and word["which"][-1] in "国國州省市县縣" and after.startswith("人"):
        return after  # 哪国人: of the country, not its name
    if word["which"] and word["which"][-1] not in "年月日天":
        return _after_noun(after, kind=word["which"][0] in "什甚何")
    if word["count"] or word["which"]:
        ends = itertools.accumulate(len(pair.word) for pair in tagger().cut(after))
        said = [end for end in (1, *ends) if answer.endswith(after[:end])]
        if said and after:
            return after[max(said) :]
        return after if _NUMBER.fullmatch(answer) else _after_noun(after, kind=False)
    return after


def _after_noun(after: str, *, kind: bool) -> str:
    """Return what follows the noun at the head of a text.

    With `kind` a verb may stand before it: the 书写系统 of 什么书写系统.
    """
    tagged = [(pair.word, pair.flag) for pair in tagger().cut(after)]
    taken = 0
    for (word, flag), following in itertools.zip_longest(tagged, [f for _, f in tagged[1:]]):
        before_noun = following in _NOUNS and (kind or flag in {"a", "b"})
        modifies = not taken and flag in _MODIFIERS and len(word) > 1 and before_noun
        ends = flag in {"vn", "an"} and following is None
        if word in _PLACING or not (flag in _NOUNS or modifies or ends):
            break
        taken += len(word)
    return after[taken:]


def _chosen(before: str, after: str, answer: str) -> str:
    """Return the statement of a choice between two things, or nothing where there is none."""
    pair = re.sub(r"(?:相比|之?中|[，,]|这?[两兩][个個位部座本首所家条條人者]+)*$", "", before)
    sides = re.split(r"还是|還是|[和与與跟及、]", pair, maxsplit=1)
    name = answer.strip("《》")
    of_them = len(sides) == 2 and (
        sides[0].strip("《》").endswith(name) or sides[1].strip("《》").startswith(name)
    )
    if of_them and not re.search(r"[是由被在]$", pair):
        return f"{pair}中，{answer}{after}"
    return ""


def _because(before: str, after: str, answer: str) -> list[str]:
    """Return the statement of a question for a reason."""
    body = re.sub(r"是$", "", before) + after.removeprefix("说").removeprefix("說")
    link = "因為" if re.search("[為麼會個說後來國]", before + after) else "因为"
    if not body:
        return []
    return [f"{body.rstrip('，,')}，{'' if _REASON.search(answer[:12]) else link}{answer}"]


def _words(text: str) -> Iterator[tuple[str, int]]:
    """Yield the words of a text with where they begin; 成都 is one."""
    at = 0
    for pair in tagger().cut(text):
        yield pair.word, at
        at += len(pair.word)


def _affirmed(text: str, truth: bool) -> list[str]:
    """Return "是的，X是…" or "不是，X不是…"."""
    whether = re.search(r"是否|是不是|有没有|有沒有", text)
    plain = re.sub(r"[吗嗎]$", "", text)
    if whether is None and plain == text:
        return []
    head, tail = (text[: whether.start()], text[whether.end() :]) if whether else ("", "")
    if truth:
        if whether is None:
            return [f"是的，{plain}"]
        has = {"有": "有", "是": "是" if whether[0] == "是不是" else ""}[whether[0][0]]
        return [f"是的，{head}{has}{tail}"]
    if whether is None:
        # Where the verb is not known, only 是 and 有 can be denied in their place.
        verbs = list(re.finditer(r"(?<![不但可还還就只要总總])是(?![的否])", plain))
        if len(verbs) != 1:
            return []
        at = verbs[0].start()
        # 都不是 would say that none is, where one of them may be.
        words = _words(plain[:at])
        all_of = next((begin for word, begin in words if word[0] in "都皆均" or word == "全都"), at)
        if all_of < at - 1:
            return []
        return [f"不是，{plain[:all_of]}{'不' if all_of == at else '并非'}{plain[all_of:]}"]
    if whether[0][0] == "有":
        return [f"没有，{head}没有{tail}"]
    denied = (
        f"不{tail}" if tail.startswith("是") else f"没{tail}" if tail.startswith("有") else None
    )
    denied = f"不是{tail}" if whether[0] == "是不是" else denied
    return [f"不是，{head}{denied if denied is not None else '并非' + tail}"]
