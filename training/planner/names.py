"""Names to compose questions of, by kind of thing, from the training data alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from agent.readers.han_folding import folded
from graph.planning.language import expected_type
from graph.types import AnswerType
from graph.values import parse_country
from retrievers.analysis import HAN, tagger
from training.reader.examples import read_rows

_YEARS = [str(year) for year in range(1890, 2016, 5)]
_LONGEST = 60
# A relation of 2WikiMultihopQA tells of what kind its two ends are.
_ENDS = {
    "director": ("film", "person"),
    "composer": ("film", "person"),
    "publication date": ("film", None),
    "country of origin": ("film", None),
    "performer": ("song", "person"),
    "date of birth": ("person", None),
    "date of death": ("person", None),
    "place of birth": ("person", "city"),
    "place of death": ("person", "city"),
    "country of citizenship": ("person", "country"),
    "cause of death": ("person", None),
    "father": ("person", "person"),
    "mother": ("person", "person"),
    "spouse": ("person", "person"),
    "child": ("person", "person"),
    "sibling": ("person", "person"),
    "award received": ("person", "award"),
    "educated at": ("person", "organisation"),
    "employer": ("person", "organisation"),
    "founded by": ("organisation", "person"),
    "inception": ("organisation", None),
    "publisher": ("organisation", "organisation"),
    "country": ("city", "country"),
}
_CLASSES = {
    "film": "电影|影片",
    "series": "电视剧|剧集",
    "book": "小说",
    "song": "歌曲|单曲",
    "album": "专辑",
}
_ENDINGS = {
    "city": "[市县州省镇郡]",
    "school": "(?:大学|中学)",
    "organisation": "(?:公司|集团|俱乐部|银行|电视台|出版社|基金会|乐队)",
    "award": "奖",
}
# Characters of a clause that ends like a name and is none: "国际大都市", "出生地于台湾台北市".
_NO_NAME = re.compile(r"[的是于在了为和与及或被都其该各]|国际|私立|最[大佳]|年度")
_LIFE = re.compile(rf"(?P<name>[{HAN}·]{{2,12}})[（(][^）)]{{0,60}}\d{{3,4}}年[^）)]*[）)]")


class Names(BaseModel):
    """Names of one language by kind, and facts: which relations are told of a name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: dict[str, tuple[str, ...]]
    told: dict[str, tuple[str, ...]]
    """Relation to the names of which the data tell it; none of Chinese, whose passages have no
    triples."""


def english_names(path: Path, held_out_every: int) -> Names:
    """Return the ends of the triples of 2WikiMultihopQA, without its held-out questions."""
    of: dict[str, dict[str, None]] = {}
    told: dict[str, dict[str, None]] = {}
    for number, row in enumerate(read_rows(path)):
        if number % held_out_every == 0:
            continue
        for subject, relation, thing in row["evidences"]:
            kinds = _ENDS.get(relation)
            if kinds is None:
                continue
            if _usable(subject):
                of.setdefault(kinds[0], {})[subject] = None
                told.setdefault(relation, {})[subject] = None
            kind = kinds[1]
            if kind == "country" and parse_country(thing) != thing:
                kind = "nationality" if parse_country(thing) else None
            if kind and _usable(thing):
                of.setdefault(kind, {})[thing] = None
    found = {kind: tuple(names) for kind, names in of.items()} | {"year": tuple(_YEARS)}
    return Names(of=found, told={relation: tuple(names) for relation, names in told.items()})


def _usable(name: str) -> bool:
    """Tell a name from a sentence about it, and from what a plan's own marks would cut."""
    return (
        len(name) <= _LONGEST
        and re.match(r"[^\Wa-z_]", name) is not None
        and not re.search(r"[|#{}?\"]| (?:was|is) ", name)
        and name.count("(") == name.count(")")
    )


def chinese_names(folder: Path, films: tuple[str, ...]) -> Names:
    """Return titles, answers and works of the Chinese passages; `films` are foreign ones beside."""
    found: dict[str, dict[str, None]] = {kind: {} for kind in (*_CLASSES, *_ENDINGS, "person")}
    found["country"] = {}
    for corpus in ("cmrc2018", "drcd", "xquad"):
        passages = list(read_rows(folder / f"reading-{corpus}-zh.passages.jsonl"))
        for passage in passages:
            for kind, name in _in_passage(passage):
                found[kind][name] = None
        for row in read_rows(folder / f"reading-{corpus}-zh.jsonl"):
            for kind, name in _in_answer(row):
                found[kind][name] = None
    found["film"] |= {f"《{name}》": None for name in films}
    of = {kind: tuple(sorted(names)) for kind, names in found.items()}
    return Names(of=of | {"year": tuple(_YEARS)}, told={})


def _in_passage(passage: dict[str, Any]) -> Iterator[tuple[str, str]]:
    text = folded(passage["text"])
    for kind, nouns in _CLASSES.items():
        title = r"《(?P<x>[^《》|#{}a-z]{1,20})》"
        for form in (
            rf"(?:{nouns}){title}",
            rf"{title}[^。《》，]{{0,12}}是[^。《》]{{0,14}}(?:{nouns})",
        ):
            yield from ((kind, f"《{match['x']}》") for match in re.finditer(form, text))
    title = folded(passage["title"])
    yield from _by_ending(title)
    life = _LIFE.match(text)
    if life is not None and life["name"] == title:
        yield "person", title


def _in_answer(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    answer = folded(row["answer"])
    yield from _by_ending(answer)
    # "匈牙利人" is told of as well.
    if parse_country(answer) and re.fullmatch(rf"[{HAN}]+(?<!人)", answer):
        yield "country", answer
    if expected_type(row["question"]) is AnswerType.PERSON and _is_person(answer):
        yield "person", answer


def _by_ending(name: str) -> Iterator[tuple[str, str]]:
    for kind, ending in _ENDINGS.items():
        if re.fullmatch(rf"[{HAN}·]{{2,8}}{ending}", name) and not _NO_NAME.search(name):
            yield kind, name


def _is_person(text: str) -> bool:
    if _NO_NAME.search(text):
        return False
    if "·" in text:
        return re.fullmatch(rf"[{HAN}·]{{4,14}}", text) is not None
    words = list(tagger().cut(text))
    return len(words) == 1 and 2 <= len(text) <= 4 and words[0].flag == "nr"
