"""Whether a sub-question is one whole English question, as its parse tells.

A split at a wrong place leaves words that no longer make a question: an auxiliary without its verb
("What date did the governor of #1?"), a verb too many ("Where did #1 was buried?"), a second
question ("What is the murder of which king?"). The parser's trees of such texts are guesses, so
the rules look at word classes and their order, and refuse only what no reading repairs.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from typing import Any

from graph.planning.language import noun_type, parser
from graph.planning.masking import Masked
from graph.types import AnswerType

_FINITE = {"VBD", "VBZ", "VBP", "MD"}
_ASKING = {"WDT", "WP", "WP$", "WRB"}
_NOMINAL = {"NOUN", "PROPN", "PRON", "NUM"}
_NEW_PHRASE = {"DT", "PRP", "PRP$", "NNP", "NNPS"}
# What may begin a clause of its own, with a verb of its own.
_OPENERS = frozenset(
    "who whom whose which that where when why how what if whether because while after before since "
    'until as than though although so and or but nor , ; : – - — ( " “'.split()
)
# Forms that are finite and nothing else; "-ed" and "put" may be participles, "-s" nouns.
_SURE = frozenset(
    "is are was were am does did has can could will would should must might may".split()
)
_BE = frozenset("is are was were am".split())
_TWO_OBJECTS = frozenset(
    "call name title entitle dub nickname give award pay offer teach elect appoint consider deem "
    "make crown grant show ask tell send cost owe label term vote declare designate promise deny "
    "charge fine leave bear rank proclaim".split()
)
_OBJECTS = frozenset("the a an his her its their".split())
_TIMES = frozenset("year day month week time season night way summer winter century".split())
_NO_NAME = re.compile(
    r"^(?:In|On|At|As|By|For|From|Of|To|With|Under|After|Before|During|Since|According|Among|Between"
    r"|Typically|Have|Could|Will|Would|Should|Can|Must|May|Might)\b"
)
_DO = frozenset("do does did".split())
_BEFORE_NOUN = {"DET", "ADV", "NUM", "PUNCT"}
_NO_MAIN_VERB = "has an auxiliary without a verb"
_LEFT = "begins with what is left of another clause"
# "#1, who won the seat?": told of the answer, not asked.
_RELATIVE = re.compile(r"#\d+, (?:who|whom|whose|which|what|where|when|how)\b")
# "What did people say X was called?": what is said has a verb of its own.
_SAYING = frozenset(
    "say think believe suggest claim report know show find state argue mean fear".split()
)
_PLACED = frozenset("located situated born based headquartered".split())


@functools.lru_cache(maxsize=4096)
def flaw(text: str) -> str | None:
    """Return what keeps an English text from being one whole question; None where nothing does.

    References (`#1`) count as names. A parse takes some milliseconds; texts are remembered.
    """
    if _RELATIVE.match(text):
        return _LEFT
    doc = _parsed(text)
    words = [t for t in doc if not t.is_space]
    while words and words[-1].is_punct:
        words.pop()
    if not words:
        return "has no words"
    for find in (
        _asks_nothing,
        _no_verb,
        _helper_alone,
        _two_verbs,
        _stray_verb,
        _object_taken,
        _leftover,
        _named_what,
        _two_questions,
    ):
        found = find(words)
        if found:
            return found
    return None


def flaw_of_its_own(text: str, question: str) -> str | None:
    """Return the flaw of a text that is asked for a question, but for one that this has too."""
    found = flaw(text)
    return found if found != flaw(question) else None


def _parsed(text: str) -> Any:
    # References wait outside the masking, which would join them to the names beside them.
    waiting = re.sub(r"#\d+", "reference", text)
    # In capitals these would pass for a part of the name behind them.
    waiting = _NO_NAME.sub(lambda match: match[0].lower(), waiting)
    # "Which role did Ann play Bo in": what the masking takes for "the play Bo" is a verb.
    waiting = re.sub(r"(\bd(?:o|oes|id) .*[A-Z]\w+|reference) play(?= [A-Z])", r"\1 act", waiting)
    masked = Masked(waiting)
    return parser()(re.sub(r"\breference\b", lambda _: masked.add("#"), masked.text))


def _asks_nothing(words: Sequence[Any]) -> str | None:
    """Find "X was published by #1?"."""
    asks = any(t.tag_ in _ASKING and t.lower_ != "that" for t in words)
    orders = words[0].lower_ in _SURE | _DO | {"have", "had", "name", "list", "give"}
    if asks or orders or not _is_name(words[0]) or any(t.text == "," for t in words):
        return None
    return "asks nothing"


def _no_verb(words: Sequence[Any]) -> str | None:
    """Find "How many rooms #1?", "Which club owned by X?"."""
    verbs = [n for n, t in enumerate(words) if t.tag_[:2] in {"VB", "MD"}]
    if not _is_opening(words) or not all(_goes_with_noun(words, n) for n in verbs):
        return None
    asked = 2 if words[0].pos_ == "ADP" or words[0].lower_ == "how" else 1
    # The parser may take "hosts" and "border" for nouns; the one that is asked for is one.
    if any(t.text[:1].islower() and t.pos_ == "NOUN" for t in words[asked + 1 :]):
        return None
    return "has no verb"


def _goes_with_noun(words: Sequence[Any], place: int) -> bool:
    """Tell a participle that only describes: "a club owned by X", "the award-winning X"."""
    owned = words[place].tag_ == "VBN" and words[place + 1 : place + 2] != []
    return words[place].tag_ == "VBG" or (owned and words[place + 1].lower_ == "by")


def _asking_verb(words: Sequence[Any]) -> int | None:
    """Return the place of the finite verb behind the question word that opens the text.

    None where there is no such word, or the first verb stands in a relative clause.
    """
    first = next((n for n, t in enumerate(words) if t.tag_ in _FINITE), None)
    if first is None or not _is_opening(words[:first]):
        return None
    return None if any(t.tag_ in _ASKING for t in words[2:first]) else first


def _helper_alone(words: Sequence[Any]) -> str | None:
    """Find "Which team did the owner of X?"."""
    place = _asking_verb(words)
    if place is None or words[place].lower_ not in _DO:
        return None
    after = list(itertools.dropwhile(lambda t: t.pos_ in _BEFORE_NOUN, words[place + 1 :]))
    if any(t.tag_[:2] == "VB" for t in after) or any(_may_be_verb(t) for t in after[1:]):
        return None
    who = place == 1 and words[0].lower_ in {"who", "what"}
    if who and after and words[2].pos_ == "DET" and noun_type(after[0].lemma_) is AnswerType.ANY:
        return None  # "Who did the voice of X?"
    return _NO_MAIN_VERB


def _may_be_verb(token: Any) -> bool:
    return token.text[:1].islower() and token.pos_ in {"NOUN", "PROPN", "ADJ", "ADV", "INTJ"}


def _is_name(token: Any) -> bool:
    return token.text[:1].isupper() or token.pos_ in {"PROPN", "PRON", "NUM"}


def _is_opening(words: Sequence[Any]) -> bool:
    asks = [t.tag_ in _ASKING for t in words[:2]]
    return bool(asks) and (asks[0] or (asks[-1] and words[0].pos_ == "ADP"))


def _two_verbs(words: Sequence[Any]) -> str | None:
    """Find "Where did X was buried?", "What is the county seat is X?"."""
    first = _asking_verb(words)
    if first is None or words[first].lower_ not in _SURE:
        return None
    for n, t in enumerate(words[first + 1 :], first + 1):
        between = words[first + 1 : n]
        if t.lower_ in _OPENERS or t.lemma_ in _SAYING or t.tag_ == "VBG":
            return None
        if words[first].lower_ not in _BE and t.tag_ == "VB":
            return None
        if t.lower_ in _SURE and t.tag_ in _FINITE and not _side_by_side(between):
            return f"has a verb too many, “{words[first]}” and “{t}”"
    return None


def _side_by_side(words: Sequence[Any]) -> bool:
    """Tell whether two noun phrases stand side by side: "the city | X was born in"."""
    return any(
        b.tag_ == "PRP" or ((a.pos_ in _NOMINAL or a.tag_ == "JJS") and b.tag_ in _NEW_PHRASE)
        for a, b in itertools.pairwise(words)
    )


def _stray_verb(words: Sequence[Any]) -> str | None:
    """Find "In which city is X located end?", "Who is the author of X think Y?"."""
    first = _asking_verb(words)
    if first is None or words[first].lower_ not in _BE:
        return None
    for n, t in enumerate(words[first + 1 :], first + 1):
        before, last = words[n - 1], n == len(words) - 1
        if t.lower_ in _OPENERS | _DO or t.tag_ in {"TO", "MD"}:
            return None
        bare = t.tag_ in {"VB", "VBP"} and t.text[:1].islower()
        if bare and _is_name(before) and not _side_by_side(words[first + 1 : n]):
            return f"has a verb too many, “{t}”"
        if before.lower_ in _PLACED and (bare or (t.tag_ == "NN" and last)):
            return f"has a word too many, “{t}”"
    return None


def _object_taken(words: Sequence[Any]) -> str | None:
    """Find "What was X performed the role?": what is done to X has no object beside X."""
    first = _asking_verb(words)
    if first is None or words[first].lower_ not in _BE:
        return None
    for n, t in enumerate(words[first + 2 : -2], first + 2):
        if t.lower_ in _OPENERS or t.tag_ in {"VBG", "TO"}:
            return None
        if t.tag_ not in {"VBD", "VBN"}:
            continue
        taken = words[n + 1].lower_ in _OBJECTS and not any(
            u.lemma_ in _TIMES for u in words[n + 2 : n + 5]
        )
        if not taken or t.lemma_ in _TWO_OBJECTS or _side_by_side(words[first + 1 : n]):
            return None
        return f"has a verb too many, “{t}”"
    return None


def _leftover(words: Sequence[Any]) -> str | None:
    """Find "X, later had an affair with whom?": what stood before the verb went with X."""
    if len(words) < 4 or not _is_name(words[0]) or words[1].text != ",":
        return None
    said = next((t for t in words[2:] if t.pos_ != "ADV"), None)
    if said is not None and (said.tag_ in _FINITE or said.lower_ == "and"):
        return _LEFT
    return None


def _named_what(words: Sequence[Any]) -> str | None:
    """Find "X played a what in the film?"."""
    for before, t, after in zip(words, words[1:], words[2:], strict=False):
        if before.lower_ in {"a", "an"} and t.tag_ in _ASKING and after.pos_ == "ADP":
            return f"asks “{before} {t}”"
    return None


def _two_questions(words: Sequence[Any]) -> str | None:
    """Find "What is the murder of which king?", "Who was the wife of who?"."""
    if not _is_opening(words):
        return None
    for n, t in enumerate(words[2:], 2):
        if t.tag_ not in _ASKING:
            continue
        rest = words[n + 1 :]
        if not rest:
            return "asks two things"
        noun = t.lower_ in {"which", "whose"} and rest[0].tag_ in {"NN", "JJ"}
        if noun and not any(u.tag_ in _FINITE for u in rest):
            return "asks two things"
    return None
