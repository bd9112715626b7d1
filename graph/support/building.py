"""The support graph of one sub-question, as a networkx graph.

Nodes are `("passage", id)`, `("candidate", number)` and `("vote", number)`, one vote for each group
of passages that are not independent. Edges have a `kind`: *shares* (passage to vote), *extracts*
(passage to candidate: it was read there), *supports* (passage to candidate: it states the answer,
although something else, or nothing, was read from it) and *similar* (candidate to candidate).
"""

from __future__ import annotations

import bisect
import itertools
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

import networkx as nx

from graph.normalise import (
    SAME,
    canonical,
    is_chinese,
    names_again,
    same_answer,
    similarity,
)
from graph.planning.comparison import named_choice
from graph.support.independence import details, independent_groups, shingles, source_of
from graph.types import AnswerType, Candidate
from graph.values import (
    could_be_quantity,
    countries_in,
    dates_in,
    is_date,
    is_demonym,
    is_number,
    parse_country,
    parse_number,
    parse_yes_no,
    spellings,
)
from retrievers.analysis import HAN, STOP_WORDS, STOP_WORDS_ZH, stem, terms
from retrievers.names import names
from retrievers.passage import Hit, Passage

NEGLIGIBLE = 0.001
"""Reader's probability below which a span is no candidate at all."""
LIKELY = 0.05
"""Reader's probability from which a country that was read makes towns no answer to “which country”.
"""
SURE = 0.3
"""Reader's probability from which an answer need not have the form of what is asked for."""
FEATURES = (
    "read", "score", "answers", "relevance", "sentence", "passage", "title", "own", "begins",
    "about", "trust",
)  # fmt: skip
"""What an edge from a passage to a candidate says, in the order of its `features`:

`read` 1 where the reader took the candidate from the passage; `score` and `answers` its log-odds of
the span and of there being an answer, a tenth of them; `relevance` the retrieval score
as a share of the best; `sentence` and `passage` the shares of the question's terms that stand in
the candidate's sentence and in the passage, each with the title; `title` 1 where the question names
the passage's title; `own` 1 for a candidate that is the title; `begins` 1 where the text begins
with its title, as articles on a subject do; `about` the share of the title's words that the
question names; `trust` how far the source is trusted.
"""
_WORDS = re.compile(r"[^\W_]+")
_MARKS = re.compile("[\u0300-\u036f]")
_HAN_RUN = re.compile(rf"[{HAN}]+")
_BORDER = re.compile(rf"(?<=[{HAN}])(?=[^\W{HAN}])|(?<=[^\W{HAN}])(?=[{HAN}])")
_SMALL_ZH = frozenset("".join(STOP_WORDS_ZH))
_PARENTHESES = re.compile(r"(?<=\S)\s*\([^()]*\)\s*$")
_INSERTED = re.compile(r"\([^()]*\)|（[^（）]*）")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|[。！？\n]")
_MARGIN = 40
"""Characters beside an answer that may change its form: the day and the month of a year."""
_DIGIT = re.compile(r"\d")
_BREAK = re.compile(r"\s+|[。；！？、]|(?<=\D)[,;!?](?=\D)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_ISO_DATE = re.compile(r"0*(\d+)-\d\d")
_HAN_DIGITS = str.maketrans("0123456789", "〇一二三四五六七八九")
_EITHER = re.compile(r"\bor\b|还是")
_TIME = re.compile(
    r"\d|\b(?:(?:nine|eight|seven|six|four|fif|thir)teenth|twentieth|centur(?:y|ies)|years?|months?"
    r"|days?|weeks?|hours?|minutes?|seconds?|spring|summer|autumn|winter|morning|evening|night"
    r"|january|february|march|april|may|june|july|august|september|october|november|december"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|christmas|easter|war|era|reign"
    r"|before|after|during|until|since|when|while|end|beginning)\b"
    r"|[年月日时時期代世初末春夏秋冬前后後夜晚晨]|战|戰|[节節]",
    re.IGNORECASE,
)
"""What tells when something was: “the end of World War I”, 嘉定十四年."""
_AMOUNT = re.compile(
    r"\d|\b(?:once|twice|none|half|dozens?|hundreds?|thousands?|millions?|billions?|many|few|several"
    r"|majority)\b|[〇一二三四五六七八九十百千万萬亿億两兩几幾半多数數零无無全]",
    re.IGNORECASE,
)
_COUNTRY_ASKED = re.compile(
    r"^(?:(?:in|from|of|to|for|by|at) )?(?:which|what) (?:country|nation|nationality)\b(?!['’])"
    r"(?! (?:and western|music|song|singer|album|artist|star|superstar|act|group|duo|band|legend"
    r"|folk|producer|radio|club|house|estate|park|code|rock|hit))"
    r"|^what (?:is|was) (?:the )?(?:citizenship |[^?]+['’]s? )?(?:country|nationality|citizenship)"
    r"(?= of| from| where| in| that|\?|$)",
    re.IGNORECASE,
)
_TOWN_ASKED = re.compile(
    r"^(?:(?:in|from|of|to|for|by|at|near) )?(?:which|what) (?:[a-z-]+ )?"
    r"(?:city|town|village|municipality|county|province|district|suburb|university"
    r"|school|college|company|organi[sz]ation)\b(?!['’])"
    r"|哪[一个個座条條所家]{0,2}(?:城市|城鎮|城镇|省份?|市|县|縣|镇|鎮|村|区|區|大学|大學|学校|學校|公司)",
    re.IGNORECASE,
)
_TOWNS = frozenset(
    "Djibouti,Guatemala,Hong Kong,Kuwait,Luxembourg,Macau,Mexico,Monaco,Panama,San Marino,"
    "Singapore,Vatican City".split(",")
)
"""Countries that are cities too, or whose capitals are called so."""
_POLITY = re.compile(
    r"\b(?:empire|kingdom|dynasty|republic|commonwealth|confederation|confederacy|federation|union"
    r"|duchy|principality|county|caliphate|sultanate|emirate|khanate|islands?)\b",
    re.IGNORECASE,
)
"""What a country is called that is in no table. Of the answers to 311 training questions for a
country all but two (Venice, Greenland) are called so, or as a country of today is."""
_BORN_AS = re.compile(
    r"(?:(?:^|[(,;]\s*)(?:[Bb]orn|née?|(?:birth|real) name)[:,]?"
    r"|(?:^|[(（，,；])[本原]名[:：为為是]?)\s*[\"“]?$"
)
_LEAD = 80
"""Characters in which a text says whom it is on."""
_NAME_ASKED = re.compile(
    r"\b(?:nam(?:es?|ed)|\w+name|called|alias|pseudonym|identity|(?:born|known) as)\b|名|叫|真"
)
_WHO_IS = re.compile(r"\W*(?:who(?:['’]s| is| was)|是[谁誰])\W*", re.IGNORECASE)
_POSSESSOR = r"(?:(?:[A-Z][\w.’'-]*|of|the|de|van|von) )*[A-Z][\w.-]*['’]s? "


def _kin(words: str) -> re.Pattern[str]:
    """Return what tells that a question asks for a relative, and not only names one."""
    return re.compile(
        rf"^Who (?:is|was|were) (?:the (?:[a-z]+ )?|{_POSSESSOR}(?:[a-z]+ )?)(?:{words})\b(?!-)"
    )


_TITLES = (
    (
        _kin("father|grandfather|husband|son|brother|uncle"),
        frozenset("lady queen princess countess duchess empress baroness mrs dame".split()),
    ),
    (
        _kin("mother|grandmother|wife|daughter|sister|aunt"),
        frozenset("sir king prince count duke lord emperor sultan baron earl mr".split()),
    ),
)
"""Whom a question asks for, and what nobody of them is called."""


@lru_cache(maxsize=64)
def _said(question: str) -> str:
    bare = _INSERTED.sub(" ", question)  # “(John Lennon song)” tells whose it is, and is no topic
    return f" {' '.join(terms(bare))} "


@lru_cache(maxsize=64)
def _asked(question: str) -> tuple[str, ...]:
    """Return what to look for in a text that speaks of what is asked: beginnings of words.

    Of Chinese they are pairs of characters: to stem or to segment every passage takes long.
    """
    plain = _plain(question)
    keys = {run[i : i + 2] for run in _HAN_RUN.findall(plain) for i in range(len(run) - 1)}
    for word in _HAN_RUN.sub(" ", plain).split():
        if word not in STOP_WORDS:
            root = stem(word)
            while not word.startswith(root):  # country, countri
                root = root[:-1]
            keys.add(f" {root}")
    return tuple(sorted(keys))


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    """Return the text in small letters without accents, a space around each word."""
    if not text.isascii():
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text))
    return f" {' '.join(_WORDS.findall(text.casefold()))} "


def fits(text: str, question: str, expects: AnswerType, sure: bool = False) -> bool:
    """Return whether a candidate is of the kind that is asked for, whatever the reader thinks.

    None is: one of nothing but small words (“in”); one without a time where a date is asked for;
    one without a capital or a digit, or a date, where a name is; a nationality where a person is,
    a lady where a father is, or the person that the question names; one that is no height where a
    height is asked for, no price where a price is; “French” where a town is; what is neither yes
    nor no where only these answer; another than the two where a choice is given ("A or B"); and,
    where none is, one that only says the question's own words again.

    Parameters
    ----------
    sure
        Whether the reader is: then “the owner” may be who, and “in the mountains” where.
    """
    if expects is AnswerType.YES_NO:
        return parse_yes_no(text) is not None
    if not could_be_quantity(text, question):
        return False
    if is_demonym(text) and _TOWN_ASKED.search(question):
        return False
    choice = named_choice(question)
    if choice:
        return any(same_answer(text, option) for option in choice.options)
    if says_nothing(text, question):
        return False
    match expects:
        case AnswerType.DATE:  # or a time: 4:51
            return bool(dates_in(text) or _TIME.search(text))
        case AnswerType.NUMBER:
            return bool(parse_number(text) or _AMOUNT.search(text))
        case AnswerType.WORK:
            return _has_name(text)
        case AnswerType.PERSON:
            if is_date(text) or parse_country(text) or _of_the_other_sex(text, question):
                return False
            return (sure or _has_name(text)) and not _describes(text, question)
        case AnswerType.PLACE | AnswerType.ORGANISATION:
            return (sure or _has_name(text)) and not is_date(text)
    return True


def fitting(candidates: Sequence[Candidate], question: str, expects: AnswerType) -> list[Candidate]:
    """Return the candidates that may be an answer: not `NEGLIGIBLE`, and of the kind asked for.

    Where the reader is `SURE` of a text in one passage, it is in all of them. Where a country is
    asked for and one was read that is not unlikely (`LIKELY`), towns give way to it, and countries
    to towns; without one they stay, as no table knows all countries.
    """
    candidates = [c for c in candidates if c.probability >= NEGLIGIBLE]
    sure = {c.text for c in candidates if c.probability >= SURE}
    texts = {c.text for c in candidates}
    possible = {text for text in texts if fits(text, question, expects, text in sure)}
    candidates = [c for c in candidates if c.text in possible]
    in_place = [c for c in candidates if of_the_place_asked(c.text, question)]
    return in_place if any(c.probability >= LIKELY for c in in_place) else candidates


def of_the_place_asked(text: str, question: str) -> bool:
    """Return whether a text is no town where a country is asked for, nor the other way round.

    Examples
    --------
    >>> of_the_place_asked("Hollywood", "Which country is Ann Lee from?")
    False
    >>> of_the_place_asked("Iran", "Which province is Lee County in?")
    False
    """
    if _COUNTRY_ASKED.search(question):
        return bool(countries_in(text) or _POLITY.search(text))
    country = parse_country(text)
    return country is None or country in _TOWNS or not _TOWN_ASKED.search(question)


def _birth_name(candidate: Candidate, passage: Passage, question: str) -> bool:
    """Return whether a candidate is the other name of whom the question names by the first.

    “Vivien Leigh (born Vivian Mary Hartley)” names nobody to whom she was married.
    """
    lead = passage.text[: candidate.start]
    if len(lead) > _LEAD or not _BORN_AS.search(lead) or _NAME_ASKED.search(question):
        return False
    title, plain = _bare(passage.title), _plain(question)
    return _is_named(title, plain) and not _WHO_IS.fullmatch(plain.replace(title.strip(), ""))


def _of_the_other_sex(text: str, question: str) -> bool:
    """Return whether a person is called a lady where a father is asked for, or the like."""
    words = _plain(text).split()
    # “King” may be a surname: a title stands before a name.
    return len(words) > 1 and any(
        words[0] in titles and asked.search(question) for asked, titles in _TITLES
    )


def _describes(text: str, question: str) -> bool:
    """Return whether a text is a person that the question names, with more words before the name.

    “American golfer Tiger Woods” is not the brother of Tiger Woods.
    """
    form = canonical(text)
    if all(word[:1].isupper() for word in text.split()):
        return False  # Thomas-Alexandre Dumas is the father of Alexandre Dumas
    return any(
        names_again(text, name) and len(form) > len(canonical(name)) for name in _named(question)
    )


@lru_cache(maxsize=64)
def _named(question: str) -> list[str]:
    return names(question)


def says_nothing(text: str, question: str) -> bool:
    """Return whether a text has no word of its own: small words, or those of the question."""
    words = [word for word in _plain(text).split() if word not in STOP_WORDS]
    if not words:
        return text.islower()
    asked = _plain(_INSERTED.sub(" ", question))
    # To stem or segment every candidate would take long, and most have letters of no word asked.
    han = "".join(_HAN_RUN.findall(" ".join(words)))
    if any(char not in asked and char not in _SMALL_ZH for char in han):
        return False
    if not han and not all(f" {word[:2]}" in asked for word in words):
        return False
    return f" {' '.join(terms(text))} " in _said(question) and not _EITHER.search(question)


def _has_name(text: str) -> bool:
    return not text.isascii() or bool(re.search(r"[A-Z0-9]", text))


def prepare(passages: Iterable[Passage], candidates: Iterable[Candidate]) -> None:
    """Find out what a vote wants to know of each text alone, and keep it for the votes to come.

    Most of the time of a first vote goes into that, above all into finding Chinese words. Nothing
    depends on whether it was done. Safe to call from many threads.
    """
    for passage in passages:
        shingles(passage.text)
        details(passage.text)
        _sentence_ends(passage.text)
        _squeezed(_plain(passage.title) + _plain(passage.text))
        _breaks(_folded(f"{passage.title} {passage.text}"))
    for candidate in candidates:
        if candidate.probability >= NEGLIGIBLE:
            _keys(candidate.text)
            _signs(_spaced(candidate.text))


def support_graph(
    question: str,
    hits: Sequence[Hit],
    candidates: Sequence[Candidate],
    expects: AnswerType = AnswerType.ANY,
    trust: Mapping[str, float] | None = None,
) -> nx.Graph:
    """Build the support graph of one sub-question.

    *extracts* and *supports* edges carry `features` (see `FEATURES`), *similar* edges a `weight`.
    The order of `hits` and `candidates` does not change the graph but for the candidates' numbers.
    Only candidates that may be an answer have a node (`fitting`; where a person is asked for, not
    the birth name of the one that the question names).

    Parameters
    ----------
    trust
        Weight in [0, 1] of each source that is not to be trusted fully, by its name (see
        `independence.source_of`).
    """
    graph: nx.Graph = nx.Graph(question=question)
    passages = {hit.passage.id: hit.passage for hit in hits}
    candidates = fitting(candidates, question, expects)
    if expects is AnswerType.PERSON:
        candidates = [c for c in candidates if not _birth_name(c, passages[c.passage_id], question)]
    _add_passages(graph, question, hits, candidates, trust or {})
    asked = _asked(question)
    for number, candidate in enumerate(candidates):
        passage = passages[candidate.passage_id]
        node = graph.nodes["passage", passage.id]
        graph.add_node(("candidate", number), candidate=candidate)
        graph.add_edge(
            ("passage", passage.id),
            ("candidate", number),
            kind="extracts",
            features=(
                1.0,
                _log_odds(candidate.score),
                _log_odds(1 - candidate.no_answer),
                node["relevance"],
                _share(asked, passage.title, _sentence(passage.text, candidate)),
                node["fit"],
                node["named"],
                float(_plain(candidate.text) == node["title"]),
                node["begins"],
                node["about"],
                node["trust"],
            ),
        )
    _add_similar(graph, candidates)
    _add_supports(graph, candidates)
    return graph


def _log_odds(p: float) -> float:
    p = min(max(p, 1e-12), 1 - 1e-12)
    return math.log(p / (1 - p)) / 10


def _share(asked: Sequence[str], title: str, text: str) -> float:
    said = _plain(title) + _plain(text)
    return sum(map(said.__contains__, asked)) / max(len(asked), 1)


def _sentence(text: str, candidate: Candidate) -> str:
    """Return the sentence that a candidate stands in."""
    ends = _sentence_ends(text)
    before = ends[: bisect.bisect_left(ends, candidate.start)]
    after = ends[bisect.bisect_left(ends, candidate.end) :]
    return text[before[-1] + 1 if before else 0 : after[0] if after else len(text)]


@lru_cache(maxsize=4096)
def _sentence_ends(text: str) -> list[int]:
    return [match.start() for match in _SENTENCE_END.finditer(text)]


def _add_passages(
    graph: nx.Graph,
    question: str,
    hits: Sequence[Hit],
    candidates: Sequence[Candidate],
    trust: Mapping[str, float],
) -> None:
    read = sorted(candidates, key=lambda c: (c.probability, c.text))
    said = {candidate.passage_id: candidate.text for candidate in read}  # the likeliest comes last
    groups = independent_groups([hit.passage for hit in hits], question, said)
    best = max((hit.score for hit in hits), default=0.0)
    asked, plain = _asked(question), _plain(question)
    for hit in hits:
        passage = hit.passage
        title = _bare(passage.title)
        graph.add_node(
            ("passage", passage.id),
            passage=passage,
            relevance=max(hit.score / best, 0.0) if best > 0 else 1.0,
            fit=_share(asked, passage.title, passage.text),
            title=title,
            named=float(_is_named(title, plain)),
            begins=float(bool(title.strip()) and _plain(passage.text).startswith(title.rstrip())),
            about=_about(title, plain),
            trust=min(max(trust.get(source_of(passage), 1.0), 0.0), 1.0),
            story=groups.stories[passage.id],
        )
        number = groups.of[passage.id]
        graph.add_node(("vote", number), reason=groups.reasons.get(number))
        graph.add_edge(("passage", passage.id), ("vote", number), kind="shares")


def _bare(title: str) -> str:
    """Return a title in small letters, without what tells it from others of that name."""
    return _plain(_PARENTHESES.sub("", title))


def _is_named(title: str, question: str) -> bool:
    """Return whether a question names a title; both as `_plain` has them."""
    bare = title.strip()
    return bool(bare) and (bare if is_chinese(bare) else title) in question


def _about(title: str, question: str) -> float:
    """Return the share of a title's words, or of its Chinese characters, that a question names."""
    words = [w for word in title.split() for w in (word if is_chinese(word) else (f" {word} ",))]
    return sum(word in question for word in words) / max(len(words), 1)


def _add_similar(graph: nx.Graph, candidates: Sequence[Candidate]) -> None:
    """Join the candidates that mean the same; only those are compared that may."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, candidate in enumerate(candidates):
        numbers[candidate.text].append(number)
    for same in numbers.values():
        for a, b in itertools.pairwise(same):
            graph.add_edge(("candidate", a), ("candidate", b), kind="similar", weight=1.0)
    alike: dict[str, list[str]] = defaultdict(list)
    for text in sorted(numbers):
        for key in _keys(text):
            alike[key].append(text)
    pairs = {pair for texts in alike.values() for pair in itertools.combinations(texts, 2)}
    for one, other in pairs:
        if (likeness := similarity(one, other)) >= SAME:
            first, second = ("candidate", numbers[one][0]), ("candidate", numbers[other][0])
            graph.add_edge(first, second, kind="similar", weight=likeness)


@lru_cache(maxsize=8192)
def _keys(text: str) -> frozenset[str]:
    """Return keys of which two texts that mean the same share one: see `normalise.similarity`.

    Either a date, a number or a country is in both, or a word's beginning or end (a slip of the pen
    hits but one of them), or two characters of Chinese, or one is the initials of the other.
    """
    words = canonical(text).split()
    keys = {"#date"} if is_date(text) else {"#number"} if is_number(text) else set()
    if parse_country(text):
        keys.add("#country")
    for word in words:
        if is_chinese(word):
            keys |= {word[i : i + 2] for i in range(max(len(word) - 1, 1))}
        else:
            keys |= {f"{word[:3]}…", f"…{word[-3:]}"}
    letters = "".join(word[0] for word in words) if len(words) > 1 else text.casefold()
    if letters := re.sub(r"[^a-z]", "", letters):
        keys.add(f"#{letters[:2]}")
    return frozenset(keys)


def _add_supports(graph: nx.Graph, candidates: Sequence[Candidate]) -> None:
    forms: dict[str, list[int]] = defaultdict(list)
    for number, candidate in enumerate(candidates):
        forms[_spaced(candidate.text)].append(number)
    words = {form: _squeezed(_plain(form)) for form in forms if not _DIGIT.search(form)}
    words = {form: sign for form, sign in words.items() if sign}  # of “the” alone nothing is left
    numbers = {form: _signs(form) for form in forms if _DIGIT.search(form)}
    for key, node in [(n, d) for n, d in graph.nodes(data=True) if n[0] == "passage"]:
        passage: Passage = node["passage"]
        plain = _plain(passage.title) + _plain(passage.text)
        squeezed = _squeezed(plain)
        read = {number for _, number in graph[key]}
        possible = [form for form, sign in words.items() if sign in squeezed]
        possible += [form for form, parts in numbers.items() if _held(parts, squeezed)]
        for form in possible:
            rest = [n for n in forms[form] if n not in read]
            if not rest or not _states(passage, plain, form):
                continue
            features = (
                0.0, 0.0, 0.0, node["relevance"], 0.0, node["fit"], node["named"],
                float(_plain(form) == node["title"]), node["begins"], node["about"],
                node["trust"],
            )  # fmt: skip
            for number in rest:
                graph.add_edge(key, ("candidate", number), kind="supports", features=features)


@lru_cache(maxsize=8192)
def _signs(form: str) -> tuple[tuple[str, ...], ...]:
    """Return, for each part of an answer with digits, how a text that states it may write the part.

    The signs are sought in the `_squeezed` text, which is quicker than to bring every passage to
    its canonical form. The parts that few texts hold come first.
    """
    signs: list[tuple[str, ...]] = []
    for word in form.split():
        if date := _ISO_DATE.match(word):
            chinese = date[1].translate(_HAN_DIGITS)
            signs.append((date[1], chinese, chinese.replace("〇", "零")))
        elif _HAN_RUN.fullmatch(word) or (word.isascii() and not word[0].isdigit()):
            signs.append((word.replace(".", ""),))  # v1.5
        elif number := _NUMBER.search(word):
            signs.append(spellings(Decimal(number[0])))
    return tuple(sorted(signs, key=_shortest, reverse=True))


def _shortest(signs: Sequence[str]) -> int:
    return min(map(len, signs))


def _held(parts: Sequence[Sequence[str]], squeezed: str) -> list[list[str]]:
    """Return the signs of each part that a text holds; nothing where it holds none of a part."""
    held = []
    for signs in parts:
        found = [sign for sign in signs if sign in squeezed]
        if not found:
            return []
        held.append(found)
    return held


@lru_cache(maxsize=4096)
def _squeezed(plain: str) -> str:
    """Return a `_plain` text without spaces and “the”, so that O'Neill and A. B. Lee are one word.

    A canonical form without digits differs from it in nothing else.
    """
    return plain.replace(" the ", " ").replace(" ", "")


def _states(passage: Passage, plain: str, form: str) -> bool:
    """Return whether a passage that holds the signs of an answer states it.

    Of digits the canonical form is looked at near the rarest signs only, as it is slow to make.
    """
    before, after = ("" if is_chinese(end) else " " for end in (form[0], form[-1]))
    sought = f"{before}{form}{after}"
    text = f"{passage.title} {passage.text}"
    digits = len(_DIGIT.findall(form))
    if not digits:
        return sought in plain or sought in f" {_spaced(text)} "
    held = _held(_signs(form), _squeezed(plain))
    rarest = max(held, key=_shortest)
    # In words a number is ten letters a digit longer: three hundred and seventy-seven.
    near = _windows(text, rarest, 2 * len(form) + max(_MARGIN, 10 * digits))
    return any(sought in f" {_spaced(window)} " for window in near)


def _windows(text: str, signs: Sequence[str], margin: int) -> list[str]:
    """Return what stands around the signs in a text, `margin` characters or more to each side."""
    text = _folded(text)
    found = sorted(match.span() for sign in signs for match in _written(sign).finditer(text))
    breaks = _breaks(text)
    spans: list[tuple[int, int]] = []
    for start, stop in found:
        begin = breaks[max(bisect.bisect_right(breaks, start - margin) - 1, 0)]
        end = breaks[min(bisect.bisect_left(breaks, stop + margin), len(breaks) - 1)]
        if spans and begin <= spans[-1][1]:
            begin = spans.pop()[0]
        spans.append((begin, end))
    # The mark at the end keeps what is in parentheses there, which the canonical form drops.
    return [f"{text[begin:end]} |" for begin, end in spans]


@lru_cache(maxsize=1024)
def _written(sign: str) -> re.Pattern[str]:
    """Return what finds a sign in a text with its spaces and punctuation: O'Neill, A. B., 1,500.

    Digits are a whole number, but for the zeros around it: 007, 3.40.
    """
    if sign[0].isdigit():
        return re.compile(rf"(?<!\d)0*{'[,.]?'.join(sign)}0*(?!\d)", re.IGNORECASE)
    return re.compile(r"\W{0,2}".join(sign), re.IGNORECASE)


@lru_cache(maxsize=4096)
def _breaks(text: str) -> list[int]:
    """Return where a text may be cut without a word, a number or a date falling apart."""
    return [0, *(match.end() for match in _BREAK.finditer(text)), len(text)]


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    """Return the text without accents, its case and its punctuation as they are."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", _MARKS.sub("", unicodedata.normalize("NFKD", text)))


@lru_cache(maxsize=8192)
def _spaced(text: str) -> str:
    """Return the canonical form with spaces around what is not Chinese: 由 beyond 演唱."""
    return _BORDER.sub(" ", canonical(text))


def answers(graph: nx.Graph) -> list[list[tuple[str, int]]]:
    """Return the candidate nodes of each answer: those that *similar* edges join."""
    nodes = [node for node in graph if node[0] == "candidate"]
    alike: nx.Graph = nx.Graph()
    alike.add_nodes_from(nodes)
    alike.add_edges_from((a, b) for a, b, kind in graph.edges(data="kind") if kind == "similar")
    return [sorted(part) for part in nx.connected_components(alike)]
