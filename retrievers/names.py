"""What a question names: titles that stand in it word for word, and names of several words.

Both give rankings of their own beside BM25 and vectors. BM25 sees the words of "Get Low" apart from
each other and a vector hardly sees them, while the passage of that title, or one that writes the
name out, is most often what is asked for. Finding them takes no list of names: any stretch of a
question may be a title, and the index says which ones are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from retrievers.analysis import HAN, STOP_WORDS, folded, is_han
from retrievers.fusion import Item

LONGEST_TITLE = 12
"""Words of a title (of a Chinese one, characters) up to which a question can name it."""
LONGEST_TEXT = 160
"""Words of a query in which titles and names are looked for: a question, and the beginning of the
passage that a search bridges from."""
SHORTEST_HAN = 3
"""Chinese characters from which on a title counts as named without a mark around it: shorter ones
are mostly words of the language, which stand in questions about something else."""
_LONGEST_NAME = 10
"""Words. A longer run of capitals is no name but a text in capitals."""

_TOKEN = re.compile(rf"[{HAN}]|[^\W_{HAN}]+")
_MARKED = re.compile(
    r"\"[^\"]+\"|“[^”]+”|《[^》]+》|〈[^〉]+〉|「[^」]+」|『[^』]+』|(?<!\w)‘[^‘’]+’(?!\w)"
)
_BRACKETS = re.compile(r"\s*[(（][^()（）]*[)）]\s*$")
_JOINS = frozenset("of the de la le les du des von van der den di da del dos al el bin ibn".split())
_GAPS = frozenset((" ", "-", "'", "’", "–", " & "))
_SHORTENED = 2
"""Letters of a word that a point belongs to: "J. K. Rowling", "St. Louis"."""
_POINTED = re.compile(rf"(?=([{HAN}]{{2}}[·‧・•][{HAN}]{{2}}))")


@dataclass(frozen=True)
class _Token:
    text: str
    """Folded."""
    start: int
    """In the text, in characters."""
    end: int
    capital: bool
    """Whether it begins with a capital or a digit."""
    han: bool

    @property
    def tells(self) -> bool:
        """Whether it says what something is, as stop words do not."""
        return self.han or self.text not in STOP_WORDS


def _read(text: str, most: int) -> tuple[str, list[_Token]]:
    """Return the first words of a text, and the text up to the next one."""
    # A combining accent of its own would cut a word in two.
    text = unicodedata.normalize("NFKC", text)
    tokens = [
        _Token(
            folded(match[0]),
            *match.span(),
            capital=match[0][0].isupper() or match[0][0].isdigit(),
            han=is_han(match[0][0]),
        )
        for match in islice(_TOKEN.finditer(text), most + 1)
    ]
    return (text[: tokens[most].start] if len(tokens) > most else text), tokens[:most]


def title_key(title: str) -> str:
    """Return what a title is looked up by: its words without case, accents and punctuation.

    What stands in brackets at its end ("(film)", "（电影）") tells namesakes apart and is seldom
    said, so it is left out. Empty where no question can name the title: it has no word, or more
    than `LONGEST_TITLE`.
    """
    for told in (_BRACKETS.sub("", title), title):
        _, tokens = _read(told, LONGEST_TITLE + 1)
        if tokens:
            return _key(tokens) if len(tokens) <= LONGEST_TITLE else ""
    return ""


def _key(tokens: Sequence[_Token]) -> str:
    return " ".join(token.text for token in tokens)


class NamedTitles:
    """The stretches of a question that may be titles, of which the index knows which ones are.

    A stretch may be one where it has two words that say something, or stands in quotation or book
    title marks, or is one word (with stop words: "The Room") written with a capital that does not
    come from beginning the question, or `SHORTEST_HAN` Chinese characters.
    """

    def __init__(self, question: str) -> None:
        text, tokens = _read(question, LONGEST_TEXT)
        marked = {
            _key([token for token in tokens if match.start() < token.start < match.end()])
            for match in _MARKED.finditer(text)
        }
        self._places: dict[str, list[range]] = {}
        for start in range(len(tokens)):
            for end in range(start + 1, min(start + LONGEST_TITLE, len(tokens)) + 1):
                key = _key(tokens[start:end])
                if key in marked or _may_be_title(tokens[start:end], begins=start == 0):
                    self._places.setdefault(key, []).append(range(start, end))

    @property
    def keys(self) -> list[str]:
        """What `title_key` would make of each stretch."""
        return list(self._places)

    def ranking(self, found: Mapping[str, Item]) -> list[Item]:
        """Rank the passages of the titles that were found, of which a longer one hides its parts.

        Parameters
        ----------
        found
            The best passage of each title, by its key. One alone, as a title that many passages
            share says little of each. Keys that are none of `keys` are left out.

        Returns
        -------
        list
            The passages in the order in which the question names their titles.
        """
        places = [(place, key) for key in found for place in self._places.get(key, ())]
        places.sort(key=lambda at: (at[0].start, -len(at[0])))
        named: dict[str, None] = {}
        reached = 0
        for place, key in places:
            if place.stop > reached:
                named[key] = None
                reached = place.stop
        return [found[key] for key in named]


def _may_be_title(tokens: Sequence[_Token], *, begins: bool) -> bool:
    if all(token.han for token in tokens):
        return len(tokens) >= SHORTEST_HAN
    telling = [token for token in tokens if token.tells]
    if len(telling) >= 2:
        return True
    capitals = all(token.capital for token in (*tokens[:1], *telling))
    return capitals and not begins and bool(telling or len(tokens) > 1)


def names(question: str) -> list[str]:
    """Return the names of several words in a question, as they are written, in order, each once.

    That is what stands in quotation or book title marks, and words with capitals in a row, which
    particles may join ("Duke of Saxony"). Of a Chinese name with a point ("威廉·琼斯") it is two
    characters on each side of it, as where it begins and ends is not to be seen.
    """
    text, tokens = _read(question, LONGEST_TEXT)
    marked = list(_MARKED.finditer(text))
    inside = {at for match in marked for at in range(*match.span())}
    found = [(match.start(), match[0][1:-1].strip()) for match in marked]
    found += [(match.start(), match[1]) for match in _POINTED.finditer(text)]
    for run in _capitals(text, [token for token in tokens if token.start not in inside]):
        found.append((run[0].start, text[run[0].start : run[-1].end]))
        if run[0].start == 0:  # "After Ada Lovelace died, …": the capital may be the sentence's
            found.append((run[1].start, text[run[1].start : run[-1].end]))
    return list(dict.fromkeys(name for _, name in sorted(found) if _is_long(name)))


def _capitals(text: str, tokens: Sequence[_Token]) -> Iterator[list[_Token]]:
    """Yield the runs of words that belong together, each from a capital to a capital."""
    run: list[_Token] = []
    for token in [*tokens, None]:
        if run and (token is None or not _continues(text, run[-1], token)):
            while run and not run[-1].capital:
                run.pop()
            if len(run) > 1:
                yield run
            run = []
        if token is None:
            return
        if run or _begins(token):
            run.append(token)


def _begins(token: _Token) -> bool:
    asks = token.start == 0 and not token.tells
    return token.capital and not asks and not token.text.isdecimal()


def _continues(text: str, last: _Token, token: _Token) -> bool:
    gap = text[last.end : token.start]
    shortened = gap in (".", ". ") and last.capital and last.end - last.start <= _SHORTENED
    if not shortened and gap not in _GAPS:
        return False
    return token.capital or (token.text in _JOINS and not token.han)


def _is_long(name: str) -> bool:
    _, tokens = _read(name, _LONGEST_NAME + 1)
    return sum(token.tells for token in tokens) >= 2 and len(tokens) <= _LONGEST_NAME
