"""Writes the decisions to train on: `python -m training.planner.build DATA OUT`.

A decision is a question as it stands and what is to be done with it: where it is split, or that it
is left whole, or which other planner it is for.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from graph.planning.language import noun_type
from graph.planning.learned import prepared
from graph.planning.nested import decompositions
from graph.types import AnswerType
from training.planner.alignment import Found, splits_of
from training.planner.qdmr import is_chain, kind_of, merged, operators_of, steps_of
from training.reader.examples import DevelopmentQuestionError, Guard, read_rows

CONFIG = Path(__file__).with_name("config.json")
_UNKNOWN = {"other"}
_WHOLE = {"single", "filter"}
_NARROWED = {"select", "project", "filter"}
"""Operators of a chain some of whose steps only narrow the one before."""


class Config(BaseModel):
    """What a run depends on besides its data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    held_out_every: int
    """Every how-manieth question of each source is held out."""
    recombined: int
    """Questions made by putting one question's description into another."""
    one_hop: int
    """Questions of XQuAD, which are left whole."""
    folds: int
    """Parts of the training questions, each of which is judged by weights fitted on the others."""
    epochs: int
    batch: int
    rate: float
    decay: float
    seen: int
    """Right choices that a sign must stand in to get a weight."""
    least: float
    """A smaller weight is left out of the file."""


class Decision(BaseModel):
    """One row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    root: str
    """The question of the training set that it comes from."""
    text: str
    kind: str
    """split, whole, choice, agreement or common."""
    right: tuple[tuple[str, int, int], ...] = ()
    """Splits that yield the next step: kind, first and last token of the parsed question."""


def load_config() -> Config:
    """Read and check the settings."""
    return Config.model_validate_json(CONFIG.read_text(encoding="utf-8"))


def break_decisions(path: Path) -> Iterator[tuple[int, list[Decision]]]:
    """Yield the place of each usable row of Break among its source's, and its decisions.

    DROP's questions are left out: they are about one passage, and their plans count within it.
    """
    place: Counter[str] = Counter()
    for row in read_rows(path):
        source = row["id"].partition("_")[0].lower()
        number = place[source]
        place[source] += 1
        question = " ".join(row["question"].split())
        kind = kind_of(row["operators"])
        narrowed = kind in _UNKNOWN and set(operators_of(row["operators"])) == _NARROWED
        if source == "drop" or (kind in _UNKNOWN and not narrowed):
            continue
        if kind not in {"bridge", "count"} and not narrowed:
            label = "whole" if kind in _WHOLE else kind
            yield number, [Decision(source=source, root=question, text=question, kind=label)]
            continue
        steps = merged(steps_of(row)) if narrowed else steps_of(row)
        found = splits_of(question, steps) if len(steps) > 1 and is_chain(steps) else None
        if found is not None:
            yield number, _decisions(source, question, found)


def hop_decisions(path: Path) -> Iterator[tuple[int, list[Decision]]]:
    """Yield the decisions of 2WikiMultihopQA's questions, from the plans of grammar."""
    for number, row in enumerate(read_rows(path)):
        question = " ".join(row["question"].split())
        if row["type"] not in {"compositional", "inference"}:
            kind = (
                "agreement"
                if re.match(r"(?:Are|Do|Did|Is|Were|Was|Have)\b", question)
                else "choice"
            )
            yield number, [Decision(source="2wiki", root=question, text=question, kind=kind)]
            continue
        # The linguistic planner is right on nearly all of them (`benchmarks/planning.py`).
        steps = [step.text for step in decompositions(question)[0]]
        if len(steps) != len(row["evidences"]):
            continue
        found = splits_of(question, steps)
        if found is not None:
            yield number, _decisions("2wiki", question, found)


def _decisions(source: str, root: str, found: Sequence[Found]) -> list[Decision]:
    return [
        Decision(
            source=source,
            root=root,
            text=step.text,
            kind="split" if step.right else "whole",
            right=tuple((split.kind, split.first, split.last) for split in step.right),
        )
        for step in found
    ]


class _Piece(NamedTuple):
    before: str
    phrase: str
    after: str
    head: str
    root: str


def recombined(
    decisions: Sequence[Decision], count: int, chance: random.Random
) -> Iterator[Decision]:
    """Yield questions in which one question's description stands in another's place.

    The two describe the same kind of thing (after Jia and Liang, 2016, "Data Recombination"). A
    description about an earlier answer (`the film that starred #1`) takes a further one in.
    """
    pieces = [piece for d in decisions if d.kind == "split" for piece in _piece(d)]
    plain: defaultdict[str, list[_Piece]] = defaultdict(list)
    for piece in pieces:
        if "#" not in piece.phrase:
            plain[piece.head].append(piece)
    outer = [p for p in pieces if "#" not in p.before + p.after]
    middle: defaultdict[str, list[_Piece]] = defaultdict(list)
    for piece in pieces:
        if "#" in piece.phrase:
            middle[piece.head].append(piece)
    for number in range(count):
        about = chance.choice(outer)
        inner = [p for p in plain[about.head] if p.phrase != about.phrase]
        before, after = about.before, about.after
        if number % 3 == 0 and middle[about.head]:
            between = chance.choice(middle[about.head]).phrase
            hole = re.search(r"#\d+", between)
            kinds = sorted(plain)
            inner = plain[chance.choice(kinds)]
            if hole is None:
                continue
            before += between[: hole.start()]
            after = between[hole.end() :] + after
        if not inner:
            continue
        phrase = chance.choice(inner).phrase
        if not before:
            phrase = phrase[:1].upper() + phrase[1:]
        elif phrase.split()[0] in {"The", "A", "An"}:
            phrase = phrase[:1].lower() + phrase[1:]
        text = before + phrase + after
        ready = prepared(text)
        right = [
            (split.kind, split.first, split.last)
            for split in ready.splits
            if split.kind == "nested"
            and _same(ready.parts(split)[0], before)
            and _same(ready.parts(split)[1], phrase)
        ]
        if right:
            yield Decision(
                source="recombined", root=about.root, text=text, kind="split", right=tuple(right)
            )


def _same(a: str, b: str) -> bool:
    return re.sub(r"\W+", "", a.casefold()) == re.sub(r"\W+", "", b.casefold())


def _piece(decision: Decision) -> Iterator[_Piece]:
    kind, first, last = decision.right[0]
    if kind != "nested":
        return
    ready = prepared(decision.text)
    split = next(s for s in ready.splits if (s.kind, s.first, s.last) == (kind, first, last))
    before, phrase, after = ready.parts(split)
    lemma = ready.doc[split.head].lemma_
    of = noun_type(lemma)
    yield _Piece(before, phrase, after, lemma if of is AnswerType.ANY else str(of), decision.root)


def one_hop(data: Path, most: int) -> Iterator[tuple[int, list[Decision]]]:
    """Yield questions that one passage answers, which no planner should split."""
    for number, row in enumerate(read_rows(data / "train" / "reading-xquad-en.jsonl")):
        if number >= most:
            break
        question = " ".join(row["question"].split())
        yield number, [Decision(source="xquad", root=question, text=question, kind="whole")]


def build(data: Path, config: Config) -> tuple[list[Decision], list[Decision]]:
    """Return the training and the held-out decisions, none from a development question.

    Raises DevelopmentQuestionError if one got through all the same.
    """
    chance = random.Random(config.seed)
    guard = Guard(data)
    train: list[Decision] = []
    held: list[Decision] = []
    sources: list[Iterable[tuple[int, list[Decision]]]] = [
        break_decisions(data / "train" / "plans-break.jsonl"),
        hop_decisions(data / "train" / "hops-2wikimultihopqa.jsonl"),
        one_hop(data, config.one_hop),
    ]
    for source in sources:
        for number, decisions in source:
            (train if number % config.held_out_every else held).extend(decisions)
    train, held = guarded(train, guard), guarded(held, guard)
    train += guarded(list(recombined(train, config.recombined, chance)), guard)
    chance.shuffle(train)
    return train, held


def guarded(decisions: Sequence[Decision], guard: Guard) -> list[Decision]:
    """Drop what comes from a development question.

    Raises DevelopmentQuestionError where a text became one on its way.
    """
    kept = [decision for decision in decisions if not guard.drops(decision.root)]
    for decision in kept:
        if guard.drops(decision.text):
            raise DevelopmentQuestionError(
                f"development question among the training rows: {decision.text!r}"
            )
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with train/ and the development sets")
    parser.add_argument("out", type=Path, help="folder for train.jsonl and held-out.jsonl")
    options = parser.parse_args()
    train, held = build(options.data, load_config())
    options.out.mkdir(parents=True, exist_ok=True)
    for name, rows in (("train", train), ("held-out", held)):
        with (options.out / f"{name}.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(row.model_dump_json() + "\n" for row in rows)
        print(name, json.dumps(Counter(f"{r.source} {r.kind}" for r in rows), indent=0))


if __name__ == "__main__":
    main()
