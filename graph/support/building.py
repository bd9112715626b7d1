"""The support graph of one sub-question, as a networkx graph.

Nodes are `("passage", id)`, `("candidate", number)` and `("vote", number)`, one vote for each group
of passages that are not independent. Edges have a `kind`: *shares* (passage to vote), *extracts*
(passage to candidate: it was read there), *supports* (passage to candidate: it states the answer,
although something else, or nothing, was read from it) and *similar* (candidate to candidate).
"""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache

import networkx as nx

from graph.normalise import SAME, canonical, is_chinese, same_answer, similarity
from graph.planning.comparison import named_choice
from graph.support.independence import independent_groups, source_of
from graph.types import AnswerType, Candidate
from graph.values import dates_in, is_date, is_number, parse_country, parse_number
from retrievers.analysis import HAN, STOP_WORDS, stem, terms
from retrievers.passage import Hit, Passage

UNFIT = 0.1
"""How much a candidate counts that is not of the kind that was asked for."""
NEGLIGIBLE = 0.001
"""Reader's probability below which a span is no candidate at all."""
FEATURES = (
    "read", "score", "answers", "relevance", "sentence", "passage", "title", "fits", "own", "trust",
)  # fmt: skip
"""What an edge from a passage to a candidate says, in the order of its `features`:

`read` 1 where the reader took the candidate from the passage; `score` and `answers` its log-odds of
the span and of there being an answer, a tenth of them; `relevance` the retrieval score
as a share of the best; `sentence` and `passage` the shares of the question's terms that stand in
the candidate's sentence and in the passage, each with the title; `title` 1 where the question names
the passage's title; `fits` 1 for a candidate of the kind asked for; `own` 1 for one that is the
title; `trust` the weight of the source that the user set.
"""
_WORDS = re.compile(r"[^\W_]+")
_MARKS = re.compile("[\u0300-\u036f]")
_HAN_RUN = re.compile(rf"[{HAN}]+")
_BORDER = re.compile(rf"(?<=[{HAN}])(?=[^\W{HAN}])|(?<=[^\W{HAN}])(?=[{HAN}])")
_LENGTH = re.compile(r"^how (?:tall|high|deep|wide|far)\b|多[高深宽远]", re.IGNORECASE)
_PARENTHESES = re.compile(r"(?<=\S)\s*\([^()]*\)\s*$")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|[。！？\n]")
_NAMED = {AnswerType.PERSON, AnswerType.PLACE, AnswerType.ORGANISATION, AnswerType.WORK}


@lru_cache(maxsize=64)
def _said(question: str) -> str:
    return f" {' '.join(terms(question))} "


@lru_cache(maxsize=64)
def _asked(question: str) -> tuple[str, ...]:
    """Return what to look for in a text that speaks of what is asked: beginnings of words.

    Of Chinese they are pairs of characters. To stem or to segment every passage would take longer
    than all the rest of the vote.
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


def fitness(text: str, question: str, expects: AnswerType) -> float:
    """Return how well a candidate fits what is asked, in [0, 1], whatever the reader thought of it.

    `UNFIT` is a candidate of nothing but small words (“in”); one without a date where a date is
    asked for; one without a capital or a digit, or a date, where a name is; a nationality where a
    person is; one without a unit of length where a height is; another than the two where a choice
    is given ("A or B"); and, where none is, one that only says the question's own words again.
    """
    choice = named_choice(question)
    if _impossible(text, question, expects):
        return UNFIT
    said = " ".join(terms(text))
    if not said and text.islower():
        return UNFIT
    if f" {said} " in _said(question) and not choice and not re.search(r"\bor\b|还是", question):
        return UNFIT
    if _LENGTH.search(question):
        number = parse_number(text)
        if number is None or number.dimension != "length":
            return UNFIT
    if expects is AnswerType.DATE and not dates_in(text):
        return UNFIT
    if expects is AnswerType.NUMBER and not (parse_number(text) or re.search(r"\d", text)):
        return UNFIT
    if expects in _NAMED and text.isascii() and not re.search(r"[A-Z0-9]", text):
        return UNFIT
    if expects is AnswerType.PERSON and parse_country(text):
        return UNFIT
    return 1.0


def _impossible(text: str, question: str, expects: AnswerType) -> bool:
    """Return whether it cannot be the answer, however sure the reader is.

    A date is no person, place or organisation, and of two things that are named one is chosen.
    """
    choice = named_choice(question)
    if choice and not any(same_answer(text, option) for option in choice.options):
        return True
    return expects in _NAMED and expects is not AnswerType.WORK and is_date(text)


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
    A candidate that the reader itself all but rules out (`NEGLIGIBLE`) has no node, nor has what
    cannot be the answer: a date where a place is asked for, a third thing where one of two is
    chosen.

    Parameters
    ----------
    trust
        Weight in [0, 1] of each source that is not to be trusted fully, by its name (see
        `independence.source_of`).
    """
    graph: nx.Graph = nx.Graph(question=question)
    candidates = [
        c
        for c in candidates
        if c.score * (1 - c.no_answer) >= NEGLIGIBLE and not _impossible(c.text, question, expects)
    ]
    passages = {hit.passage.id: hit.passage for hit in hits}
    _add_passages(graph, question, hits, candidates, trust or {})
    fits = {text: fitness(text, question, expects) for text in {c.text for c in candidates}}
    asked = _asked(question)
    for number, candidate in enumerate(candidates):
        passage = passages[candidate.passage_id]
        node = graph.nodes["passage", passage.id]
        graph.add_node(("candidate", number), candidate=candidate, fits=fits[candidate.text])
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
                float(fits[candidate.text] == 1),
                float(_plain(candidate.text) == node["title"]),
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
    return sum(key in said for key in asked) / max(len(asked), 1)


def _sentence(text: str, candidate: Candidate) -> str:
    """Return the sentence that a candidate stands in."""
    begin = max((m.end() for m in _SENTENCE_END.finditer(text, 0, candidate.start)), default=0)
    end = _SENTENCE_END.search(text, candidate.end)
    return text[begin : end.start() if end else len(text)]


def _add_passages(
    graph: nx.Graph,
    question: str,
    hits: Sequence[Hit],
    candidates: Sequence[Candidate],
    trust: Mapping[str, float],
) -> None:
    known = [question, *{candidate.text for candidate in candidates}]
    groups = independent_groups([hit.passage for hit in hits], known)
    best = max((hit.score for hit in hits), default=0.0)
    asked, plain = _asked(question), _plain(question)
    for hit in hits:
        passage = hit.passage
        title = _plain(_PARENTHESES.sub("", passage.title))
        named = title.strip()
        named = named if is_chinese(named) else title
        graph.add_node(
            ("passage", passage.id),
            passage=passage,
            relevance=max(hit.score / best, 0.0) if best > 0 else 1.0,
            fit=_share(asked, passage.title, passage.text),
            title=title,
            named=float(bool(named.strip()) and named in plain),
            trust=min(max(trust.get(source_of(passage), 1.0), 0.0), 1.0),
        )
        number = groups.of[passage.id]
        graph.add_node(("vote", number), reason=groups.reasons.get(number))
        graph.add_edge(("passage", passage.id), ("vote", number), kind="shares")


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
    hits but one of them), or a character of Chinese, or one is the initials of the other.
    """
    words = canonical(text).split()
    keys = {"#date"} if is_date(text) else {"#number"} if is_number(text) else set()
    if parse_country(text):
        keys.add("#country")
    for word in words:
        keys |= set(word) if is_chinese(word) else {f"{word[:3]}…", f"…{word[-3:]}"}
    letters = "".join(word[0] for word in words) if len(words) > 1 else text.casefold()
    keys.add(f"#{re.sub(r'[^a-z]', '', letters)[:2]}")
    return frozenset(keys)


def _add_supports(graph: nx.Graph, candidates: Sequence[Candidate]) -> None:
    forms: dict[str, list[int]] = defaultdict(list)
    for number, candidate in enumerate(candidates):
        forms[_spaced(candidate.text)].append(number)
    signs = {form: _signs(form) for form in forms}
    for key, node in [(n, d) for n, d in graph.nodes(data=True) if n[0] == "passage"]:
        passage: Passage = node["passage"]
        plain = _plain(passage.title) + _plain(passage.text)
        for form, numbers in forms.items():
            rest = [n for n in numbers if not graph.has_edge(key, ("candidate", n))]
            if not rest or not any(sign in plain for sign in signs[form]):
                continue
            if not _states(_stated(passage), form):
                continue
            for number in rest:
                features = (
                    0.0, 0.0, 0.0, node["relevance"], 0.0, node["fit"], node["named"],
                    float(graph.nodes["candidate", number]["fits"] == 1),
                    float(_plain(form) == node["title"]), node["trust"],
                )  # fmt: skip
                graph.add_edge(key, ("candidate", number), kind="supports", features=features)


@lru_cache(maxsize=8192)
def _signs(form: str) -> tuple[str, ...]:
    """Return pieces of which a text that states the answer holds one, however it is written.

    That is quicker to see than to bring every passage to its canonical form. A number may be
    spelt out, so a form of digits alone has no sign.
    """
    year = re.match(r"\d{4}(?=-\d\d)", form)
    if year:
        return (year[0],)
    words = [word for word in form.split() if not word[0].isdigit() and word.isascii()]
    return (max(words, key=len),) if words else ("",)


def _states(stated: str, form: str) -> bool:
    return (form if is_chinese(form) else f" {form} ") in stated


def _stated(passage: Passage) -> str:
    return f" {_spaced(f'{passage.title} {passage.text}')} "


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
