"""Chinese questions that lean on what was said before: pronouns, and questions cut short."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Sequence

from agent.conversation.turns import Gender, Mention, Turn, Understood, referent
from graph.planning.chinese import PEOPLE
from graph.planning.language import expected_type
from graph.types import AnswerType
from retrievers.analysis import segmenter, tagger

_LEAD = re.compile(
    r"^(?:(?:那么|那(?![里儿个部座本首位家些])|还有|以及|而且|而|然后|请问|另外)[，, ]*)+"
)
_VALUES = {AnswerType.DATE, AnswerType.NUMBER, AnswerType.YES_NO}
_FEMALE = (
    "母亲|妈妈|妻子|太太|夫人|女儿|姐姐|妹妹|祖母|奶奶|外祖母|外婆|女演员|女主角|皇后|王后|公主"
)
_MALE = "父亲|爸爸|丈夫|先生|儿子|哥哥|弟弟|祖父|爷爷|外祖父|外公|男演员|男主角|皇帝|国王|王子"
_KIN = f"{_FEMALE}|{_MALE}|配偶|孩子|子女|父母"
_PERSON_NOUNS = f"{PEOPLE}|{_KIN}|人|演员|作家|诗人|画家|歌手|科学家|运动员|政治家"
_PLACE_NOUNS = "地方|城市|国家|省|县|村|镇|岛|山|河|湖|地区|首都"
_ORGANISATION_NOUNS = "公司|大学|学校|银行|乐队|乐团|组织|机构|球队|队|党|电视台|医院|企业|集团"
_WORK_NOUNS = "电影|影片|片|电视剧|剧|书|小说|歌|歌曲|专辑|游戏|作品|节目|漫画|动画"
_NOUNS = (
    (_PERSON_NOUNS, AnswerType.PERSON),
    (_ORGANISATION_NOUNS, AnswerType.ORGANISATION),
    (_PLACE_NOUNS, AnswerType.PLACE),
    (_WORK_NOUNS, AnswerType.WORK),
)
_ATTRIBUTE_TYPES = (
    (rf"(?:{_PERSON_NOUNS})$", AnswerType.PERSON),
    (r"(?:出生地|国籍|首都|总部|故乡|家乡|所在地|发源地|省会)$", AnswerType.PLACE),
    (r"(?:日期|生日|时间|年份)$", AnswerType.DATE),
    (r"(?:人口|面积|年龄|身高|票房|长度|高度|数量)$", AnswerType.NUMBER),
)
_BACK = re.compile(
    rf"(?:这|那|该|此)(?P<measure>[个部座本首位家支所条款张]?)(?P<noun>{_PERSON_NOUNS}|"
    rf"{_ORGANISATION_NOUNS}|{_PLACE_NOUNS}|{_WORK_NOUNS})"
)
_THERE = re.compile(r"那里|那儿|当地")
_ASKS = re.compile(
    r"谁|什么|哪|何|几|多少|多[大长高远久]|是否|是不是|有没有|吗|怎|啥|(?:是|为|叫|有)$"
)
_LONGEST_FRAGMENT = 12
"""Characters of a question cut short that does not end in 呢."""
# What stands before the thing that a question is about, and what follows it.
_BEFORE = re.compile(
    r"^(?:在|于|关于|对于|请问)?(?:\d{4}年，?)?(?:谁是|什么是|哪[里儿]是|哪[位个]是)?"
)
_AFTER = re.compile(
    r"的|是|在|于|有|被|由|属于|主要|曾|共|又|会|能|把|与|和|从|呈|分布|出生|毕业|去世|逝世|成立|"
    r"谁|什么|哪|何|几|多少|多[大长高远]|为什么|怎|吗|呢|，|？|\?|$"
)
_OF_A_PERSON = re.compile(
    rf"^的(?:{_KIN}|老师|学生|生日|出生|童年)|^(?:是)?.{{0,6}}(?:出生|去世|逝世|毕业|结婚)"
)
_ADVERBIAL = "什么时候|何时|哪一?年|在?哪里|在?哪儿|何处|为什么|怎么"
_EMPTY = re.compile(
    r"(?:在|于|对|给|跟|和|与|把|被|由|是|又|都|请问|关于|到底|究竟|，|,|\s|"
    rf"{_ADVERBIAL}|谁|什么|哪[位个些]?|为了|从|当时|后来|最后|第一次)*"
)
_OF_A_PRONOUN = re.compile(r"^(他们|她们|它们|他|她|它|其)的?(.+)$")
_TAGS = {"nr": AnswerType.PERSON, "ns": AnswerType.PLACE, "nt": AnswerType.ORGANISATION}


# ── names, kinds, genders ─────────────────────────────────────────────────────────────────────


def kind_of(text: str) -> AnswerType:
    """Return what kind of thing a name names; ANY where that is not sure."""
    plain = text.strip()
    if re.fullmatch(r"《[^》]+》", plain):
        return AnswerType.WORK
    if re.fullmatch(r"[\d一二三四五六七八九十〇零百千]+[年月日世纪].*", plain):
        return AnswerType.DATE
    if re.match(r"\d", plain):
        return AnswerType.NUMBER
    for nouns, kind in (
        (_ORGANISATION_NOUNS, AnswerType.ORGANISATION),
        ("[省市县州国岛山河湖]", AnswerType.PLACE),
    ):
        if len(plain) > 2 and re.search(rf"(?:{nouns})$", plain):
            return kind
    # Without its guesses at words that the dictionary lacks, which are mostly persons.
    words = list(tagger().cut(plain, HMM=False))
    if len(words) == 1:
        return _TAGS.get(words[0].flag[:2], AnswerType.ANY)
    return AnswerType.ANY


def gender_asked(question: str) -> Gender | None:
    """Return the gender of whom a question asks for, where its words say it (“X的母亲是谁”)."""
    match = re.search(rf"的(?:(?P<f>{_FEMALE})|(?P<m>{_MALE}))(?:是|叫|为)", question)
    if match is None:
        return None
    return "female" if match["f"] else "male"


def names_in(question: str) -> list[Mention]:
    """Return the titles of a question and the thing that it is about."""
    found = [
        Mention(text=title, kind=AnswerType.WORK, role="name")
        for title in re.findall(r"《[^》]+》", question)
    ]
    subject = _subject(question)
    if subject is not None and subject.text not in {mention.text for mention in found}:
        found.append(subject)
    return found


def _subject(question: str) -> Mention | None:
    text = _LEAD.sub("", question.strip())
    begin = _BEFORE.match(text)
    text = text[begin.end() :] if begin else text
    if text.startswith("《"):
        return None
    end = _AFTER.search(text)
    name = text[: end.start()] if end else text
    if len(name) < 2 or _BACK.match(name):
        return None
    of_a_person = _OF_A_PERSON.match(text[len(name) :]) is not None
    kind = AnswerType.PERSON if of_a_person else kind_of(name)
    return Mention(text=name, kind=kind, role="name")


# ── understanding ─────────────────────────────────────────────────────────────────────────────


def understand_chinese(question: str, turns: Sequence[Turn]) -> Understood:
    """Fill in what a Chinese question leaves to the turns before it."""
    asked = question.strip()
    rest = _LEAD.sub("", asked)
    bare = re.sub(r"[？?。！!\s]*$", "", rest)
    fragment = re.sub(r"(?:怎么样|如何)?呢?$", "", bare)
    if not fragment:
        return Understood(asked=question, question=question)
    short = fragment != bare or len(fragment) <= _LONGEST_FRAGMENT
    if re.fullmatch(_ADVERBIAL, fragment) or (short and not _ASKS.search(fragment)):
        return _completed(question, fragment, turns)
    filled, why = _filled(bare, turns)
    if filled is None or not why:
        return Understood(asked=question, question=question, why=why)
    return Understood(asked=question, question=f"{filled}？", why=why)


def _fits(pronoun: str) -> tuple[Callable[[AnswerType], bool], Gender | None]:
    if pronoun in {"他们", "她们"}:
        return lambda kind: kind in {AnswerType.PERSON, AnswerType.ORGANISATION}, None
    if pronoun == "她":
        return lambda kind: kind is AnswerType.PERSON, "female"
    if pronoun == "他":
        return lambda kind: kind is AnswerType.PERSON, "male"
    if pronoun == "其":
        return lambda kind: kind not in _VALUES, None
    return lambda kind: kind not in _VALUES | {AnswerType.PERSON}, None


def _pronouns(text: str) -> list[tuple[int, int, str]]:
    """Return where words stand that refer to something outside the question: start, end, word.

    他 in 其他 and 吉他, and 其 in 土耳其, are parts of words, which the dictionary tells.
    """
    found = []
    at = 0
    for word in segmenter().lcut(text, HMM=False):
        start, at = at, at + len(word)
        if word in {"他", "她", "它", "他们", "她们", "它们"}:
            name = word == "他" and text[at : at + 1] in {"信", "拉"}  # 他信, 他拉: names
            if not name and _EMPTY.fullmatch(text[:start]):
                found.append((start, at, word))
        elif word == "其" and (start == 0 or text[start - 1] in "，,"):
            found.append((start, at, word))
    return found


def _filled(text: str, turns: Sequence[Turn]) -> tuple[str | None, str]:
    """Return the question with its pronouns replaced, and what they mean; None where one is not
    known."""
    edits: list[tuple[int, int, str, Mention | None]] = []
    for start, end, word in _pronouns(text):
        fits, gender = _fits(word)
        edits.append((start, end, word, referent(turns, fits, gender)))
    for match in _BACK.finditer(text):
        if _EMPTY.fullmatch(text[: match.start()]):
            kind = next(k for nouns, k in _NOUNS if re.fullmatch(nouns, match["noun"]))
            found = referent(turns, functools.partial(operator.is_, kind))
            edits.append((match.start(), match.end(), match[0], found))
    for match in _THERE.finditer(text):
        if _EMPTY.fullmatch(text[: match.start()]):
            found = referent(turns, lambda kind: kind is AnswerType.PLACE, sure=True)
            edits.append((match.start(), match.end(), match[0], found))
    for _, _, word, mention in edits:
        if mention is None:
            return None, f"“{word}”所指的，前面没有提到"
    meant: dict[str, str] = {}
    for start, end, word, mention in sorted(edits, key=lambda edit: -edit[0]):
        assert mention is not None
        meant[word] = mention.text
        of = "的" if word == "其" and not text.startswith("的", end) else ""
        text = text[:start] + mention.text + of + text[end:]
    return text, "，".join(f"“{word}”指{name}" for word, name in reversed(meant.items()))


# ── questions cut short ───────────────────────────────────────────────────────────────────────


def _completed(question: str, fragment: str, turns: Sequence[Turn]) -> Understood:
    """Complete a fragment after the question before it."""
    if turns[-1].language != "zh":
        whole = None
    elif re.fullmatch(_ADVERBIAL, fragment):
        whole = _other_adverb(fragment, turns[-1])
    elif _OF_A_PRONOUN.match(fragment):
        whole = _of_a_pronoun(fragment, turns)
    else:
        whole = _other_attribute(fragment, turns[-1]) or _other_name(fragment, turns[-1])
    if whole is None:
        why = f"“{fragment}”无法由前面的问题补全：请完整地提问"
        return Understood(asked=question, question=question, why=why)
    text, why = whole
    return Understood(asked=question, question=re.sub(r"[？?。\s]*$", "", text) + "？", why=why)


def _other_adverb(fragment: str, turn: Turn) -> tuple[str, str] | None:
    """“在哪里呢？” after “他是什么时候出生的？”."""
    for base in turn.asked():
        if len(re.findall(_ADVERBIAL, base)) == 1:
            return re.sub(_ADVERBIAL, fragment, base), "其余同前面的问题"
    return None


def _attribute_type(noun: str) -> AnswerType:
    return next(
        (kind for pattern, kind in _ATTRIBUTE_TYPES if re.search(pattern, noun)), AnswerType.ANY
    )


def _asked_of(thing: str, kind: AnswerType) -> str:
    ending = {AnswerType.PERSON: "是谁", AnswerType.NUMBER: "是多少", AnswerType.PLACE: "是哪里"}
    return f"{thing}{ending.get(kind, '是什么')}"


def _of_a_pronoun(fragment: str, turns: Sequence[Turn]) -> tuple[str, str] | None:
    """“他的妻子呢？”: of the last answer, or in the place of whom was asked about."""
    match = _OF_A_PRONOUN.match(fragment)
    if match is None:
        return None
    fits, gender = _fits(match[1])
    mention = referent(turns, fits, gender)
    if mention is None:
        return None
    thing, kind = f"{mention.text}的{match[2]}", _attribute_type(match[2])
    why = f"“{match[1]}”指{mention.text}"
    if mention.role != "answer" and kind is mention.kind:
        for base in turns[-1].asked():
            if mention.text in base and expected_type(base) is not AnswerType.PERSON:
                return base.replace(mention.text, thing, 1), why
    return _asked_of(thing, kind), why


def _other_attribute(fragment: str, turn: Turn) -> tuple[str, str] | None:
    """“母亲呢？” after “永昌大君的父亲是谁？”."""
    kind = _attribute_type(fragment)
    if kind is AnswerType.ANY or len(fragment) > 5:
        return None
    for base in turn.asked():
        last = re.search(r"(?P<of>.+的)(?P<noun>[^的]+?)(?:是|叫|为)(?:谁|什么|哪里|多少)", base)
        if last is not None:
            return _asked_of(f"{last['of']}{fragment}", kind), f"代替前面的“{last['noun']}”"
    named = [mention for mention in turn.mentions if mention.role == "name"]
    if len(named) != 1:
        return None
    return _asked_of(f"{named[0].text}的{fragment}", kind), f"前面问的是{named[0].text}"


def _other_name(fragment: str, turn: Turn) -> tuple[str, str] | None:
    """“天启皇帝呢？” after “崇祯皇帝是哪一年去世的？”."""
    if re.match(r"[他她它其这那该此]", fragment) or len(fragment) < 2:
        return None
    kind = kind_of(fragment)
    for strict in (True, False):
        for base in turn.asked():
            named = names_in(base)
            same = [mention for mention in named if mention.kind is kind] if strict else named
            if len(same) == 1:
                return base.replace(same[0].text, fragment), f"代替前面的“{same[0].text}”"
    return None
