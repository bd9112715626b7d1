"""Writes the rows to train on and the rows held out: `python -m training.reader.build DATA OUT`."""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from training.reader.cloze import clozes
from training.reader.config import Config, load_config
from training.reader.examples import Example, Guard, Source, read_rows, write_examples
from training.reader.harvest import Nearby, harvest
from training.reader.sources import hop_examples, xquad_examples

_COUNTRIES = Path(__file__).parents[2] / "graph" / "values" / "countries.json"


def build(data: Path, config: Config) -> tuple[list[Example], list[Example]]:
    """Return the training rows and the held-out rows, none of them a development question.

    Raises DevelopmentQuestionError if one got through all the same.
    """
    chance = random.Random(config.seed)
    demonyms = {
        name: row.get("demonyms", [])
        for name, row in json.loads(_COUNTRIES.read_text(encoding="utf-8")).items()
    }
    guard = Guard(data)
    train: list[Example] = []
    held: list[Example] = []
    for number, example in hop_examples(
        data / "train" / "hops-2wikimultihopqa.jsonl", demonyms, chance
    ):
        (train if number % config.held_out_every else held).append(example)
    reading = data / "train" / "reading-xquad-en.jsonl"
    for example in xquad_examples(reading, reading.with_suffix(".passages.jsonl"), chance):
        (held if example.passage.id in config.held_out_passages else train).append(example)
    kept_back = {example.passage.id for example in held}
    train = [example for example in train if example.passage.id not in kept_back]
    unseen = {example.passage.title for example in held}
    passages = [p for p in _passages(data, config.corpora) if p.title not in unseen]
    chance.shuffle(passages)
    train += harvest(passages, sorted({d for ds in demonyms.values() for d in ds}), chance)
    train += clozes(passages[: config.cloze_passages], Nearby(passages), chance)
    train = [e for e in train if not guard.drops(e.question)]
    held = [e for e in held if not guard.drops(e.question)]
    guard.check([*train, *held])
    chance.shuffle(train)
    return train, held


def _passages(data: Path, corpora: Sequence[str]) -> list[Source]:
    rows = (row for name in corpora for row in read_rows(data / name / "corpus.jsonl"))
    return list({p.id: p for p in map(Source.model_validate, rows)}.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with train/ and the development sets")
    parser.add_argument("out", type=Path, help="folder for train.jsonl and held-out.jsonl")
    arguments = parser.parse_args()
    train, held = build(arguments.data, load_config())
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_examples(arguments.out / "train.jsonl", train)
    write_examples(arguments.out / "held-out.jsonl", held)
    print(
        "train",
        dict(Counter(e.kind for e in train)),
        "held out",
        dict(Counter(e.kind for e in held)),
    )


if __name__ == "__main__":
    main()
