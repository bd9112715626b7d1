"""Titles and names kept whole: each becomes one stand-in word before a question is parsed."""

from __future__ import annotations

import re

# Names the parser knows and questions seldom hold; a free one stands for each title.
_STAND_INS = (
    "Portland Lincoln Madison Jackson Dresden Nairobi Memphis Verona Kingston Oxford "
    "Bristol Geneva Austin Calgary Havana Lisbon".split()
)
_UPPER = "".join(c for c in map(chr, range(0xC0, 0x250)) if c.isupper())
_SMALL = "of the a an in on at to for from with by de la le du von van der & vs. vs".split()
# A capitalised word with what may stand inside a title: apostrophes, dots, hyphens, marks.
_WORD = rf"(?:(?:[dl]['’])?[A-Z{_UPPER}0-9¿¡][\w'’.\-/:!?&]*|\((?:[^()]{{1,40}})\))"
_JOIN = rf"(?:,? (?=\()|;? )(?:(?:{'|'.join(map(re.escape, _SMALL))}) ){{0,3}}"
# "the CEO of Acme's owner": a common noun in capitals, not the beginning of a name.
_NOUN_IN_CAPITALS = r"(?!(?:CEO|CFO|COO|CTO|CIO|GDP)s? of\b)"
_TITLE = re.compile(
    rf"\"[^\"]+\"|“[^”]+”|《[^》]+》|(?<![A-Z]){_NOUN_IN_CAPITALS}{_WORD}(?:{_JOIN}{_WORD})*"
)
_TRAILING = re.compile(r"['’][sS]?$|(?<=[a-z])[:.]+$")
# A point that belongs to the word before it: "Alexander D. Henderson Jr. was born …".
_SHORTENED = re.compile(r"\b(?:Jr|Sr|St|Mt|Dr|Mr|Mrs|Inc|Ltd|Co|Corp|Bros|Vol|No)\.$")
_NUMBER = re.compile(r"#?\d[\d.,]*(?:s|st|nd|rd|th)?")
# "Henry Lascelles, 5th Earl of Harewood": the rank after the comma belongs to the name.
_RANKED = re.compile(
    r"(?:the )?(?:\d+\w\w |\w+ )?(?:Duke|Duchess|Earl|Count|Countess|Baron|Baroness|Baronet|"
    r"Viscount|Viscountess|Marquess|Marquis|Marquise|Marchioness|Prince|Princess|King|Queen|Lord|Lady|"
    r"Archduke|Archduchess|Margrave|Landgrave|Elector|Emperor|Empress|Bishop|Jr|Sr)\b",
    re.IGNORECASE,
)
_CLASS_NOUN = re.compile(
    r"\b((?:the )?(?:film|movie|song|album|single|book|novel|series|show|play|game|band|magazine|"
    r"sitcom|musical|opera|TV series|television series))(?:,|:)? ([A-Z]\w+)"
)
_QUESTION_WORD = re.compile(
    r"^(?:In |On |At |From |To |For |By |Of )?(?:Who|What|Which|When|Where|Why|How|Whose|Whom|Is|"
    r"Are|Was|Were|Do|Does|Did|Has|Have|Had|Can|Between|The|A|An|Both|Name)\b",
)


class Masked:
    """A question whose titles and names are each one stand-in word, so that a parser reads on.

    "Who is the mother of the director of film Love In A Fallen City (Film)?" becomes "Who is the
    mother of the director of film Portland?".
    """

    def __init__(self, question: str) -> None:
        question = " ".join(question.split())
        end = re.search(r"[?.\s]*$", question)
        body = question[: end.start()] if end else question
        # A title may end in a mark of its own ("Perdonami!?"), which the body keeps.
        body = re.sub(r"(?<=[\w)!?]) (['’]s)\b", r"\1", body)
        self._titles: dict[str, str] = {}
        free = self._free = [word for word in _STAND_INS if word not in question]
        head = _QUESTION_WORD.match(body)
        begin = head.end() if head else 0

        def mask(match: re.Match[str]) -> str:
            found = match[0]
            trailing = None if _SHORTENED.search(found) else _TRAILING.search(found)
            kept = trailing[0] if trailing else ""
            title = found[: len(found) - len(kept)]
            if not free or _NUMBER.fullmatch(title):
                return found
            word = free.pop(0)
            self._titles[word] = title
            return word + kept

        masked = body[:begin] + _TITLE.sub(mask, body[begin:])
        masked = re.sub(r"\b([A-Z]\w+), ([A-Z]\w+)\b", self._rank, masked)
        masked = re.sub(
            r"(?<=\b(?:in|at|of|to) )([A-Z]\w+), ([A-Z]\w+)(?!,? (?:and|or)\b)", self._place, masked
        )
        self.text = _CLASS_NOUN.sub(self._absorb, masked) + "?"

    def _joined(self, match: re.Match[str]) -> str:
        self._titles[match[1]] += ", " + self._titles.pop(match[2])
        return match[1]

    def _rank(self, match: re.Match[str]) -> str:
        if not self.is_title(match[1]) or not _RANKED.match(self._titles.get(match[2], "")):
            return match[0]
        return self._joined(match)

    def _place(self, match: re.Match[str]) -> str:
        """Join "in Portland, Oregon": what follows the comma says where the place is."""
        known = self.is_title(match[1]) and self.is_title(match[2])
        return self._joined(match) if known else match[0]

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
        if not self._titles:
            return text
        words = re.compile(rf"\b(?:{'|'.join(self._titles)})\b")
        # Once over the text: a title may itself hold the stand-in of another.
        return words.sub(lambda match: self._titles[match[0]], text)
