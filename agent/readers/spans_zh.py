"""A Chinese passage cut into sentences, clauses and words, and the spans that may answer."""

from __future__ import annotations

import functools
import itertools
import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.readers.han_folding import folded

Ints = NDArray[np.int64]

MAX_TOKENS = 12
"""Longest span inside a clause, in tokens; longer ones must end where a clause ends."""
MAX_CLAUSES = 4
"""Most clauses that such a longer span may touch."""
MAX_LONG = 64
"""Longest span of all, in tokens."""
MAX_SENTENCE = 160
"""Tokens after which a sentence is cut: text without stops must not cost quadratic time."""

_DIGIT = r"[0-9〇○零一二三四五六七八九十两百千]"
_YEAR = rf"(?:公元前?|西元前?|前|民国)?\s?{_DIGIT}{{1,5}}\s?(?:年代|年)"
_MONTH = rf"{_DIGIT}{{1,3}}\s?月(?:份|\s?{_DIGIT}{{1,3}}\s?[日号])?"
_PART = r"(?:初期|中期|晚期|末期|前期|后期|初|中叶|末|底|春天|夏天|秋天|冬天)?"
TYPED: Mapping[str, re.Pattern[str]] = {
    "date": re.compile(
        rf"{_YEAR}\s?(?:{_MONTH})?{_PART}|{_MONTH}|"
        rf"(?:公元前?|前)?{_DIGIT}{{1,3}}世纪(?:{_DIGIT}{{1,3}}年代)?{_PART}"
    ),
    "number": re.compile(
        r"[约近]?(?:[0-9][0-9,.]*[0-9½]|[0-9])\s?[%％‰]?[万亿千百兆多余]*"
        r"|[约近]?[一二三四五六七八九十两百千万亿半]+[多余]?(?=[个位名人次座所家部种条岁年日天米元])"
    ),
    "counted": re.compile(
        r"(?:[约近]?(?:[0-9][0-9,.]*[0-9½]|[0-9])\s?[万亿千百兆多余]*"
        r"|[一二三四五六七八九十两百千万亿半]+[多余]?)\s?"
        r"(?:平方公里|平方千米|平方米|立方米|公里|千米|公尺|厘米|公分|英尺|英里|公斤|千克|公顷|"
        r"摄氏度|小时|分钟|个月|美元|英镑|[个位名人次座所家部种条岁年日天米元吨度届首张集级艘架倍户场队])"
    ),
    "title": re.compile(r"《[^《》]{1,60}》"),
    "titled": re.compile(r"(?<=《)[^《》]{1,60}(?=》)"),
    "quoted": re.compile(r"(?<=[「『“])[^「」『』“”]{1,40}(?=[」』”])"),
    "bracketed": re.compile(r"(?<=[（(])[^（）()]{1,40}(?=[）)])"),
    "name": re.compile(r"[\u4e00-\u9fff]{1,7}(?:[·‧・•][\u4e00-\u9fff]{1,7})+"),
    "latin": re.compile(r"[a-z][a-z0-9.\-']*(?: [a-z0-9][a-z0-9.\-']*)*"),
}
"""Spans whose form tells what they are, over folded text."""

_LIFE = re.compile(
    rf"[（(，,；;]\s?(?P<born>(?:{_YEAR}|{_DIGIT}{{3,4}})\s?(?:{_MONTH})?)\s?"
    rf"(?P<dash>[－—–~～至-]+)\s?(?P<died>{_DIGIT}|公元)?"
)
"""A life in brackets: 鲁迅（1881年9月25日－1936年10月19日）."""
_WHOLE = re.compile("出生|诞生|逝世|去世|过世")
"""Words that stay whole: 出生于 is 出生 + 于, where jieba cuts 出 + 生于."""
_SAME = {
    **dict.fromkeys("生于 诞生 出世 生".split(), "出生"),
    **dict.fromkeys("去世 过世 病逝 病故 辞世 死 死亡 死于 卒 卒于 身亡 离世".split(), "逝世"),
}
_RETAGGED = {"首都": "n"}
"""Words whose part of speech in jieba's dictionary is wrong: an adverb."""

_STOP = re.compile(r"[。！？!?\n]|(?<=[^0-9a-z])\.(?=\s|$)")
_CLAUSE_END = frozenset("，,；;：:。！？!?\n")
_OPEN, _CLOSE = "《「『“（(【〈[", "》」』”）)】〉]"
_PRONOUNS, _PREPOSITIONS = "我你他她它这那该此其", "于在是为被由"
_EDGE = frozenset("，,；;：:。！？!?、.·—－-…～~/|*#=+ \t\r\n\xa0")
_NUMBER = re.compile(rf"{_DIGIT}+|[0-9][0-9.,%]*")
_WORDLESS = re.compile(r"[\W_]+")
_LATIN = re.compile(r"[a-z][a-z0-9\-']*")


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text in words. All arrays have one entry a token, in the text's order."""

    text: str
    """Folded; of the same length as the text it came from."""
    words: tuple[str, ...]
    terms: tuple[str, ...]
    """What each token is matched by: the word, one for all words of birth and of death, and these
    two for the marks that stand for them where a life's dates are in brackets."""
    tags: tuple[str, ...]
    """jieba's part of speech; "x" for unknown words, "w" for marks, "m" numbers, "eng" Latin."""
    starts: Ints
    ends: Ints
    """Characters: token t is text[starts[t]:ends[t]]."""
    sentence: Ints
    """Number of the token's sentence, from 0."""
    clause: Ints
    """Number of the token's clause, from 0, counted over the whole text."""
    depth: Ints
    """Open brackets before the token."""
    after: Ints
    """Open brackets after the token."""
    typed: Mapping[tuple[int, int], tuple[str, ...]]
    """First and last token of each typed span, with its types."""

    @property
    def sentences(self) -> list[tuple[int, int]]:
        """First token and end of each sentence."""
        if not self.words:
            return []
        cuts = [0, *(np.flatnonzero(np.diff(self.sentence)) + 1).tolist(), len(self.words)]
        return list(itertools.pairwise(cuts))


_loading = threading.Lock()


@functools.cache
def _loaded() -> tuple[object, Mapping[str, str], Mapping[str, int], int]:
    """Return jieba's segmenter, its words' parts of speech, their counts, and the sum of these."""
    import jieba
    import jieba.posseg

    jieba.setLogLevel(logging.ERROR)
    jieba.initialize()
    tagger = jieba.posseg.dt
    tagger.initialize()
    return jieba.dt, tagger.word_tag_tab, jieba.dt.FREQ, int(jieba.dt.total)


def _jieba() -> tuple[object, Mapping[str, str], Mapping[str, int], int]:
    with _loading:
        return _loaded()


@functools.lru_cache(maxsize=65536)
def rarity(word: str) -> float:
    """Return how much a word tells, 0 to 1: from its count in jieba's dictionary."""
    if _WORDLESS.fullmatch(word):
        return 0.0
    _, tags, counts, total = _jieba()
    tag = tags.get(word, "x")
    # An unknown number or Latin word tells as much as a name; a particle next to nothing.
    count = counts.get(word, 0)
    value = float(np.log(total / (count + 5)) / np.log(total / 5))
    return value * (0.15 if tag[0] in "upcey" else 0.5 if tag[0] in "dr" else 1.0)


def _tag(word: str, tags: Mapping[str, str]) -> str:
    if _NUMBER.fullmatch(word):
        return "m"
    if _WORDLESS.fullmatch(word):
        return "w"
    if _LATIN.fullmatch(word):
        return "eng"
    return _RETAGGED.get(word) or tags.get(word, "x")


@functools.lru_cache(maxsize=256)
def tokenised(text: str) -> Tokens:
    """Cut a text into words; the borders of typed spans are always borders of words."""
    flat = folded(text)
    segmenter, tags, _, _ = _jieba()
    borders = {0, len(flat)}
    for word, begin, end in segmenter.tokenize(flat):  # type: ignore[attr-defined]
        borders.add(end)
        # jieba guesses at unknown words, and takes 他于 for a name.
        guessed = len(word) == 2 and word not in tags
        if guessed and (word[0] in _PRONOUNS or word[1] in _PREPOSITIONS):
            borders.add(begin + 1)
    for whole in _WHOLE.finditer(flat):
        borders -= set(range(whole.start() + 1, whole.end()))
        borders |= {whole.start(), whole.end()}
    shaped = [
        (m.start(), m.end(), kind) for kind, shape in TYPED.items() for m in shape.finditer(flat)
    ]
    shaped = [(a, b, kind) for a, b, kind in shaped if a < b]
    for a, b, _ in shaped:
        borders |= {a, b}
    cuts = sorted(borders)
    words = tuple(flat[a:b] for a, b in itertools.pairwise(cuts))
    at = {cut: number for number, cut in enumerate(cuts)}
    terms = [_SAME.get(word, word) for word in words]
    for life in _LIFE.finditer(flat):
        for mark, word in ((life.start(), "出生"), (life.start("dash"), "逝世")):
            if mark in at and (word == "出生" or life["died"]):
                terms[at[mark]] = word
    typed: dict[tuple[int, int], list[str]] = {}
    for a, b, kind in shaped:
        typed.setdefault((at[a], at[b] - 1), []).append(kind)
    stops = {m.start() for m in _STOP.finditer(flat)}
    sentence, clause, depth, after = (np.zeros(len(words), dtype=np.int64) for _ in range(4))
    number = part = level = length = 0
    for t, word in enumerate(words):
        sentence[t], clause[t], depth[t] = number, part, level
        length += 1
        if len(word) == 1:
            if word in _OPEN:
                level += 1
            elif word in _CLOSE and level:
                level -= 1
            if word in _CLAUSE_END:
                part += 1
        after[t] = level
        # A stop inside quotation marks or brackets ends no clause of the sentence around it only
        # where the brackets are closed again; unbalanced ones are forgotten at the next stop.
        if any(c in stops for c in range(cuts[t], cuts[t + 1])) or length == MAX_SENTENCE:
            number, part, level, length = number + 1, part + 1, 0, 0
    return Tokens(
        text=flat,
        words=words,
        terms=tuple(terms),
        tags=tuple(_tag(word, tags) for word in words),
        starts=np.array(cuts[:-1], dtype=np.int64),
        ends=np.array(cuts[1:], dtype=np.int64),
        sentence=sentence,
        clause=clause,
        depth=depth,
        after=after,
        typed={key: tuple(kinds) for key, kinds in typed.items()},
    )


def spans(tokens: Tokens, first: int, end: int) -> tuple[Ints, Ints]:
    """Return first and last token of every span of the sentence first:end that may answer.

    These are the runs of up to MAX_TOKENS tokens inside a clause, runs that end with a clause and
    touch up to MAX_CLAUSES, and the typed spans; none begins or ends in a mark, and brackets are
    closed in all of them. Sorted, without doubles.
    """
    n = end - first
    starts, ends = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    length = ends - starts + 1
    clause = tokens.clause[first:end]
    apart = clause[None, :] - clause[:, None]
    last_of_clause = np.append(np.diff(clause) > 0, True)
    edge = np.array([w in _EDGE or w.isspace() for w in tokens.words[first:end]], dtype=bool)
    # The token before a clause's mark ends the clause too.
    ends_clause = last_of_clause | np.append(last_of_clause[1:] & edge[1:], False)
    allowed = (length >= 1) & (
        ((length <= MAX_TOKENS) & (apart == 0))
        | ((length <= MAX_LONG) & (apart < MAX_CLAUSES) & ends_clause[None, :])
    )
    allowed &= ~edge[:, None] & ~edge[None, :]
    allowed &= tokens.depth[first:end][:, None] == tokens.after[first:end][None, :]
    closing = np.array([w in _CLOSE for w in tokens.words[first:end]], dtype=bool)
    opening = np.array([w in _OPEN for w in tokens.words[first:end]], dtype=bool)
    particle = np.array([tag[0] in "uy" for tag in tokens.tags[first:end]], dtype=bool)
    preposition = np.array([tag == "p" for tag in tokens.tags[first:end]], dtype=bool)
    allowed &= ~(closing | particle)[:, None] & ~(opening | preposition)[None, :]
    # 他, 这是: spans of pronouns, particles and the like alone name nothing.
    content = np.array([tag[0] not in "rpucdyw" for tag in tokens.tags[first:end]])
    before = np.concatenate([[0], np.cumsum(content)])
    allowed &= before[1:][None, :] > before[:-1][:, None]
    for a, b in tokens.typed:
        if first <= a and b < end:
            allowed[a - first, b - first] = True
    i, j = np.nonzero(allowed)
    return i + first, j + first
