"""Rows from the training sets: hops of 2WikiMultihopQA and SQuAD rows of XQuAD."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from training.reader.examples import Example, Source, read_rows
from training.reader.wording import worded

_MONTHS = (
    "January February March April May June July August September October November December".split()
)


def hop_examples(
    path: Path, demonyms: Mapping[str, Sequence[str]], chance: random.Random
) -> Iterator[tuple[int, Example]]:
    """Yield the question's number and an example for each hop whose answer stands in a passage.

    A hop's answer is the object of its triple; it is sought in the supporting passage about the
    triple's subject. The other supporting passages and the distractors are the negatives.
    """
    for number, row in enumerate(read_rows(path)):
        passages = [Source.model_validate(p) for p in row["passages"]]
        for triple, asked in _hops(row):
            subject, relation, value = triple
            about = [p for p in passages if p.id in row["supporting_passages"]]
            about = [p for p in about if _same_name(subject, p.title)]
            place = next(
                ((p, f) for p in about if (f := find(p.text, value, demonyms)) is not None), None
            )
            if place is None:
                continue
            passage, (start, answer) = place
            negatives = tuple(p for p in passages if p.id != passage.id and answer not in p.text)
            for question in [*asked, *worded(relation, subject, chance, most=2)]:
                yield (
                    number,
                    Example(
                        kind="hops",
                        question=question,
                        passage=passage,
                        start=start,
                        answer=answer,
                        negatives=negatives,
                    ),
                )


def _hops(row: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, str], list[str]]]:
    # The two lists do not always stand in one order, so a hop is found by what it speaks of.
    for subject, relation, value in row["evidences"]:
        asked = [
            hop["question"]
            for hop in row["decomposition"]
            if hop.get("question")
            and _bare(subject) in hop["question"].casefold()
            and value.casefold() in str(hop.get("answer", "")).casefold()
        ]
        yield (subject, relation, value), asked[:1]


def xquad_examples(rows: Path, passages: Path, chance: random.Random) -> Iterator[Example]:
    """Yield XQuAD's English rows; the negatives are other paragraphs of the same article."""
    stored = {p["id"]: Source.model_validate(p) for p in read_rows(passages)}
    for row in read_rows(rows):
        passage = stored[row["passage"]]
        others = [p for p in stored.values() if p.title == passage.title and p.id != passage.id]
        others = [_readable(p) for p in others if row["answer"] not in p.text]
        yield Example(
            kind="xquad",
            question=row["question"],
            passage=_readable(passage),
            start=row["start"],
            answer=row["answer"],
            negatives=tuple(chance.sample(others, min(3, len(others)))),
        )


def find(text: str, value: str, demonyms: Mapping[str, Sequence[str]]) -> tuple[int, str] | None:
    """Return where `value` stands in `text` and how it is written there; None if it does not.

    A date may be written in another order, a country as its people's adjective.
    """
    for form in [*_date_forms(value), *demonyms.get(value, ())]:
        match = re.search(rf"(?<!\w){re.escape(form)}(?!\w)", text)
        if match:
            return match.start(), match.group()
    match = re.search(re.escape(value), text, re.IGNORECASE)
    return (match.start(), match.group()) if match else None


def _date_forms(value: str) -> list[str]:
    day_first = re.fullmatch(r"(\d{1,2}) (\w+) (\d{3,4})", value)
    month_first = re.fullmatch(r"(\w+) (\d{1,2}), (\d{3,4})", value)
    if day_first and day_first[2] in _MONTHS:
        day, month, year = day_first.groups()
    elif month_first and month_first[1] in _MONTHS:
        month, day, year = month_first.groups()
    else:
        return [value]
    return [f"{day} {month} {year}", f"{month} {day}, {year}", f"{month} {day} {year}"]


def _same_name(subject: str, title: str) -> bool:
    return _bare(subject) in title.casefold() or title.casefold() in subject.casefold()


def _bare(name: str) -> str:
    return re.sub(r"\s*\([^)]*\)$", "", name).casefold()


def _readable(passage: Source) -> Source:
    return passage.model_copy(update={"title": passage.title.replace("_", " ")})
