"""Writes the rows to train on and the rows held out: `python -m training.reader.build DATA OUT`."""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from retrievers.analysis import Language
from training.reader import vocabulary
from training.reader.bases import base, packed_e5
from training.reader.cloze import clozes
from training.reader.config import english_rows, load_config
from training.reader.examples import Example, Guard, Source, read_rows, write_examples
from training.reader.harvest import Nearby, harvest
from training.reader.lives import lives
from training.reader.rows_zh import calibrating, chinese_examples, held_out
from training.reader.sources import hop_examples, xquad_examples

_REPEATED = {"cmrc2018": 2}
"""Its answers are the longest and the hardest, its rows a quarter of DRCD's."""
_LONGEST = 100
"""Characters of an answer."""
_LIVES = 1600
"""Passages before whose text a life's two dates are put."""
_COUNTRIES = Path(__file__).parents[2] / "graph" / "values" / "countries.json"


def english(data: Path, chance: random.Random, spare: bool = False) -> dict[str, list[Example]]:
    """Return the rows to train on and those held out, by the names of their files.

    With `spare` those that `EnglishRows.spared_every` says are in neither.
    """
    config = english_rows()
    demonyms = {
        name: row.get("demonyms", [])
        for name, row in json.loads(_COUNTRIES.read_text(encoding="utf-8")).items()
    }
    train: list[Example] = []
    held: list[Example] = []
    for number, example in hop_examples(
        data / "train" / "hops-2wikimultihopqa.jsonl", demonyms, chance
    ):
        if not (spare and config.spares_question(number)):
            (train if number % config.held_out_every else held).append(example)
    reading = data / "train" / "reading-xquad-en.jsonl"
    for example in xquad_examples(reading, reading.with_suffix(".passages.jsonl"), chance):
        if example.passage.id in config.held_out_passages:
            held.append(example)
        elif not (spare and config.spares_passage(example.passage.id)):
            train += [example] * config.xquad_times
    kept_back = {example.passage.id for example in held}
    train = [example for example in train if example.passage.id not in kept_back]
    unseen = {example.passage.title for example in held}
    passages = [p for p in _passages(data, config.corpora) if p.title not in unseen]
    chance.shuffle(passages)
    found = list(harvest(passages, sorted({d for ds in demonyms.values() for d in ds}), chance))
    train += chance.sample(found, min(config.harvested, len(found)))
    train += clozes(passages[: config.cloze_passages], Nearby(passages), chance)
    return {"train": train, "held-out": held}


def chinese(data: Path, chance: random.Random) -> dict[str, list[Example]]:
    """Return the rows to train on, to calibrate on and those held out, by their files' names.

    A training answer that hardly fits a window is left out.
    """
    parts: dict[str, list[Example]] = {"train": [], "calibration": [], "held-out": []}
    for example in chinese_examples(data):
        if held_out(example):
            parts["held-out"].append(example)
        elif calibrating(example):
            parts["calibration"].append(example)
        elif len(example.answer) <= _LONGEST:
            parts["train"] += [example] * _REPEATED.get(example.kind, 1)
    passages = {e.passage.id: e.passage for e in parts["train"]}
    parts["train"] += lives(
        chance.sample(sorted(passages.values(), key=lambda p: p.id), _LIVES), chance
    )
    return parts


def build(data: Path, language: Language, spare: bool = False) -> dict[str, list[Example]]:
    """Return a language's rows by the names of their files, none of them a development question.

    Raises DevelopmentQuestionError if one got through all the same.
    """
    chance = random.Random(load_config(language).seed)
    guard = Guard(data)
    parts = english(data, chance, spare) if language == "en" else chinese(data, chance)
    parts = {name: [e for e in rows if not guard.drops(e.question)] for name, rows in parts.items()}
    for rows in parts.values():
        guard.check(rows)
    chance.shuffle(parts["train"])
    return parts


def write_tokenizer(parts: dict[str, list[Example]], language: Language) -> None:
    """Write a reader's tokenizer: the part of the base's vocabulary that the rows call for."""
    rows = [e for name in ("train", "calibration") for e in parts.get(name, ())]
    passages = {e.passage.id: e.passage for e in rows}
    if language == "en":
        passages |= {p.id: p for e in rows for p in e.negatives}
    texts = [e.question for e in rows]
    texts += [t for p in passages.values() for t in (p.title, p.text)]
    chosen = vocabulary.english if language == "en" else vocabulary.chinese
    packed = packed_e5()
    made = vocabulary.tokenizer(packed, chosen(packed, texts))
    base(language).layout.tokenizer.write_text(made.to_str() + "\n", encoding="utf-8")


def _passages(data: Path, corpora: Sequence[str]) -> list[Source]:
    rows = (row for name in corpora for row in read_rows(data / name / "corpus.jsonl"))
    return list({p.id: p for p in map(Source.model_validate, rows)}.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with train/ and the development sets")
    parser.add_argument("out", type=Path, help="folder for train.jsonl, held-out.jsonl …")
    parser.add_argument("--language", choices=("en", "zh"), default="en")
    parser.add_argument(
        "--rows-alone", action="store_true", help="do not write the tokenizer of the reader anew"
    )
    parser.add_argument(
        "--spare", action="store_true", help="leave out what the vote's scorer learns from; English"
    )
    arguments = parser.parse_args()
    parts = build(arguments.data, arguments.language, arguments.spare)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, rows in parts.items():
        write_examples(arguments.out / f"{name}.jsonl", rows)
        print(name, dict(Counter(e.kind for e in rows)))
    if not arguments.spare and not arguments.rows_alone:
        write_tokenizer(parts, arguments.language)


if __name__ == "__main__":
    main()
