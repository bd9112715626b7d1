"""Questions made from the regular first sentences of encyclopaedia articles.

"X is a 1999 film directed by Y" answers "Who directed X?" with Y. Only the passages are used, never
a question of a development set.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from training.reader.examples import Example, Source
from training.reader.wording import worded

_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DATE = rf"(?:\d{{1,2}} {_MONTH},? \d{{3,4}}|{_MONTH} \d{{1,2}}, \d{{3,4}})"
# Capitalised words of one sentence: a point is part of a name only after an initial.
_WORD = r"(?:[A-Z]\.|[A-Z][\w’'-]+)"
_NAME = rf"(?:{_WORD}(?: (?:(?:of|de|van|von|der|la|le|the|and) )?{_WORD}){{0,4}})"
_PERSON = rf"(?:{_WORD}(?: (?:(?:de|van|von|der|la|le|bin|of) )?{_WORD}){{1,4}})"
_PLACE = rf"(?:{_NAME}(?:, {_NAME}){{0,2}})"
_MAKER = (
    r"(?:[A-Za-z-]+ ){0,4}?(?:singer|band|group|artist|rapper|musician|duo|singer-songwriter|"
    r"guitarist|pianist|saxophonist)"
)
_TRADE = (
    r"actor|actress|singer|writer|politician|footballer|director|musician|composer|novelist|poet|"
    r"painter|lawyer|economist|journalist|player|producer|historian|physicist|mathematician|"
    r"architect|engineer|screenwriter|model|rapper|songwriter|comedian|cricketer|businessman"
)
_THING = (
    r"village|town|river|company|newspaper|magazine|genus|band|airport|school|commune|city|"
    r"mountain|species|university|lake|island|album|song|novel|museum|stadium|station"
)

PATTERNS: tuple[tuple[str, str, int], ...] = (
    ("director", rf"\b(?:[Dd]irected|helmed)(?: and [a-z]+)* by ({_PERSON})", 420),
    ("date of birth", rf"\([^()]{{0,60}}?born ({_DATE})", 200),
    ("date of birth", rf"\([^()]{{0,40}}?({_DATE})\s*[–-]", 260),
    ("date of death", rf"\([^()]{{0,80}}?[–-]\s*({_DATE})", 300),
    ("date of death", rf"\bdied (?:on|in) ({_DATE})", 80),
    ("place of birth", rf"\b[Bb]orn (?:on {_DATE} )?(?:in|at) ({_PLACE})", 300),
    ("place of death", rf"\bdied (?:on {_DATE} )?(?:in|at) ({_PLACE})", 120),
    ("father", rf"\b(?:son|daughter|child) of (?:the )?(?:[a-z]+ ){{0,3}}({_PERSON})", 260),
    ("spouse", rf"\b(?:married(?: to)?|wife of|husband of|widow of) (?:the )?({_PERSON})", 240),
    ("composer", rf"\b(?:composed|music) by ({_PERSON})", 130),
    (
        "performer",
        rf"\b(?:performed|recorded|song|album|single) by (?:the )?{_MAKER} ({_NAME})",
        320,
    ),
    (
        "performer",
        rf"\b(?:performed|recorded|sung) by ({_NAME})(?=[.,;]| (?:in|for|from|on)\b)",
        100,
    ),
    ("publication date", rf"\breleased (?:on|in) ({_DATE}|\d{{4}})", 260),
    ("inception", r"\b(?:founded|established|formed) in (\d{4})", 160),
    ("founded by", rf"\b(?:founded|established) by (?:the )?({_NAME})", 130),
    ("publisher", rf"\bpublished by ({_NAME})", 120),
    ("screenwriter", rf"\bwritten(?: and [a-z]+)? by ({_PERSON})", 160),
    (
        "author",
        rf"\b(?:novel|book|play|poem|memoir|story) by (?:[A-Za-z-]+ ){{0,3}}?({_PERSON})",
        100,
    ),
    ("producer", rf"\bproduced(?: and [a-z]+)? by ({_PERSON})", 160),
    ("cast member", rf"\b(?:starring|stars) ({_PERSON})", 160),
    ("location", rf"\b(?:located|situated) (?:in|at|on|near) (?:the )?({_PLACE})", 220),
    ("county", r"\bin ((?:[A-Z][\w'-]+ ){1,2}County)\b", 140),
    ("headquarters", rf"\b(?:headquartered|based) in ({_PLACE})", 130),
    ("population", r"\bpopulation (?:was|of|is) (?:about |approximately )?(\d[\d,]+)", 140),
    (
        "educated at",
        rf"\b(?:educated at|graduated from|attended|studied at) (?:the )?({_NAME})",
        160,
    ),
    ("capital of", rf"\bcapital (?:city )?of (?:the )?({_NAME})", 60),
    ("named after", rf"\bnamed (?:after|for) (?:the )?({_NAME})", 90),
    ("instance of", rf"\b(?:is|was) an? ((?:[a-z-]+ ){{0,3}}(?:{_THING}))\b", 160),
    (
        "occupation",
        rf"\b(?:is|was) an? (?:[A-Z][\w-]+ )?((?:[a-z]+(?:,| and)? ){{0,4}}(?:{_TRADE}))\b",
        220,
    ),
    ("member of", rf"\bmembers? of (?:the )?(?:[a-z]+ ){{0,3}}({_NAME})", 120),
    ("member of sports team", rf"\b(?:plays?|played) for (?:the )?({_NAME})", 120),
    ("record label", r"\b(?:on|through|by|via) ((?:[A-Z][\w&-]+ ){1,2}(?:Records|Music))\b", 150),
    ("part of", rf"\bpart of (?:the )?({_NAME})", 120),
    ("series", rf"\b(?:in|of) the ({_NAME}) series\b", 60),
    ("developer", rf"\bdeveloped by (?:the )?({_NAME})", 60),
    ("manufacturer", rf"\b(?:manufactured|built) by (?:the )?({_NAME})", 60),
    ("creator", rf"\bcreated by (?:[a-z]+ ){{0,2}}({_PERSON})", 80),
    ("based on", rf"\bbased (?:up)?on (?:the [a-z ]+ )?\"?({_NAME})", 80),
    ("river mouth", rf"\b(?:tributary of|flows into|empties into) (?:the )?({_NAME})", 60),
    ("owned by", rf"\bowned by (?:the )?({_NAME})", 100),
    ("original network", rf"\b(?:aired|broadcast|premiered) on (?:the )?({_NAME})", 100),
    ("award received", rf"\b(?:won|received|awarded) the ({_NAME}(?:Award|Prize|Medal))\b", 60),
)
"""Relation, the pattern whose first group is the answer, and how many rows it may give."""

_LEAD = 700
"""Characters of a passage that are searched: the lead's first sentences."""


def harvest(
    passages: Sequence[Source], demonyms: Sequence[str], chance: random.Random
) -> Iterator[Example]:
    """Yield examples from `passages`, capped by relation; see the module's text.

    The negatives are another passage with the same relation, one that mentions the subject, and
    one that shares a word of the title: each looks right and holds no answer.
    """
    nation = "|".join(re.escape(d) for d in sorted(demonyms, key=len, reverse=True))
    patterns = [
        *PATTERNS,
        ("country of citizenship", rf"\b(?:is|was) an? ({nation})(?:-born)? [a-z]", 320),
        (
            "country of origin",
            rf"\b(?:is|was) an? (?:\d{{4}} )?({nation})(?:-[A-Z]\w+)? "
            r"(?:[a-z-]+ ){0,4}(?:film|series|band|album|novel|comedy|drama)\b",
            160,
        ),
    ]
    compiled = [(name, re.compile(pattern), cap) for name, pattern, cap in patterns]
    taken: Counter[str] = Counter()
    found: dict[str, list[tuple[Source, re.Match[str]]]] = {}
    for passage in passages:
        for pattern_number, (name, pattern, cap) in enumerate(compiled):
            key = f"{pattern_number}"
            match = pattern.search(passage.text[:_LEAD]) if taken[key] < cap else None
            if match and len(match[1]) > 2 and match[1].lower() not in passage.title.lower():
                taken[key] += 1
                found.setdefault(name, []).append((passage, match))
    nearby = Nearby(passages)
    for name, rows in found.items():
        alike = [passage for passage, _ in rows]
        for passage, match in rows:
            answer = match[1].rstrip(".,'’- ")
            if len(answer) < 3:
                continue
            subject = nearby.subject(passage) if chance.random() < 0.5 else passage.title
            negatives = [chance.choice(alike), *nearby.negatives(passage, chance)]
            usable = tuple(
                n for n in negatives if n.title != passage.title and answer not in n.text
            )
            for question in worded(name, subject, chance):
                yield Example(
                    kind="harvest",
                    question=question,
                    passage=passage,
                    start=match.start(1),
                    answer=answer,
                    negatives=usable,
                )


class Nearby:
    """Finds passages that look as if they were about a passage's subject."""

    def __init__(self, passages: Sequence[Source]) -> None:
        self._passages = passages
        self._by_word: dict[str, list[int]] = {}
        subjects: dict[str, str] = {}
        for number, passage in enumerate(passages):
            subject = self.subject(passage)
            subjects[subject.lower()] = passage.id
            for word in set(subject.lower().split()):
                if len(word) > 3:
                    self._by_word.setdefault(word, []).append(number)
        self._mentions: dict[str, list[int]] = {}
        for number, passage in enumerate(passages):
            words = [w.strip(".,;:()\"'") for w in passage.text.lower().split()]
            for width in range(2, 5):
                for at in range(len(words) - width + 1):
                    about = subjects.get(" ".join(words[at : at + width]))
                    if about is not None and about != passage.id:
                        self._mentions.setdefault(about, []).append(number)

    @staticmethod
    def subject(passage: Source) -> str:
        """Return the title without its "(1999 film)"."""
        return re.sub(r"\s*\([^)]*\)$", "", passage.title) or passage.title

    def negatives(self, passage: Source, chance: random.Random) -> list[Source]:
        """Return up to two other passages: one mentions the subject, one has a similar title."""
        chosen = []
        if mentions := self._mentions.get(passage.id):
            chosen.append(chance.choice(mentions))
        words = [w for w in self.subject(passage).lower().split() if w in self._by_word]
        if words:
            chosen.append(chance.choice(self._by_word[min(words, key=self._rarity)]))
        return [self._passages[i] for i in chosen]

    def _rarity(self, word: str) -> tuple[bool, int]:
        # A word that only this title has finds no other title.
        return len(self._by_word[word]) < 2, len(self._by_word[word])
