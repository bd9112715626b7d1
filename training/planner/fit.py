"""Fits the weights of the splits: `python -m training.planner.fit OUT`.

A question's splits, and leaving it whole, compete in one softmax over sums of weights (a
conditional logit); where several splits are right their probabilities add up. AdaGrad, with a
little decay. Numpy only; about three
minutes on one core, most of it the parser's.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from graph.planning.learned import WEIGHTS, SplitWeights, prepared
from training.planner.build import Config, Decision, load_config


class Row(NamedTuple):
    """A decision's choices as signs, the first being to leave it whole, and the right ones."""

    choices: list[list[str]]
    right: list[int]


class Packed(NamedTuple):
    """The same in numbers: sign ids of all choices one after another, and where each begins."""

    ids: NDArray[np.int32]
    begins: NDArray[np.int32]
    right: list[int]


def read(path: Path) -> list[Decision]:
    """Read the decisions that `build` wrote."""
    with path.open(encoding="utf-8") as lines:
        return [Decision.model_validate_json(line) for line in lines]


def row_of(decision: Decision) -> Row:
    """Return the row of a decision."""
    question = prepared(decision.text)
    right = set(decision.right)
    places = [n for n, s in enumerate(question.splits, 1) if (s.kind, s.first, s.last) in right]
    return Row(question.signs, places or [0])


def packed(rows: Sequence[Row], known: dict[str, int]) -> list[Packed]:
    """Return rows as numbers; signs without a number are left out."""
    found = []
    for row in rows:
        ids = [[known[s] for s in choice if s in known] for choice in row.choices]
        begins = np.cumsum([0, *map(len, ids)])[:-1]
        flat = np.array([n for choice in ids for n in choice], dtype=np.int32)
        found.append(Packed(flat, begins.astype(np.int32), row.right))
    return found


def probabilities(row: Packed, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of each choice."""
    scores = np.add.reduceat(weights[row.ids], row.begins)
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum())


def fit(rows: Sequence[Packed], signs: int, config: Config) -> NDArray[np.float64]:
    """Return the weights; the loss of each epoch is printed."""
    chance = random.Random(config.seed)
    weights, squares = np.zeros(signs), np.full(signs, 1e-6)
    for epoch in range(config.epochs):
        order = chance.sample(range(len(rows)), len(rows))
        loss, right = 0.0, 0
        for begin in range(0, len(order), config.batch):
            gradient = np.zeros(signs)
            batch = [rows[n] for n in order[begin : begin + config.batch]]
            for row in batch:
                p = probabilities(row, weights)
                likely = p[row.right].sum()
                loss -= float(np.log(likely + 1e-12))
                right += int(p.argmax() in row.right)
                # Several splits may be right: the gradient of the log of their common probability.
                p[row.right] -= p[row.right] / likely
                lengths = np.diff([*row.begins, len(row.ids)])
                np.add.at(gradient, row.ids, np.repeat(p, lengths))
            gradient = gradient / len(batch) + config.decay * weights
            squares += gradient**2
            weights -= config.rate * gradient / np.sqrt(squares)
        print(
            f"epoch {epoch}: loss {loss / len(rows):.3f}, right {right / len(rows):.3f}", flush=True
        )
    return weights


def measure(rows: Sequence[tuple[Decision, Row]], weights: SplitWeights) -> None:
    """Print how often the likeliest choice is the right one, by source and kind."""
    known = {sign: n for n, sign in enumerate(weights.signs)}
    values = np.array(list(weights.signs.values()))
    total: Counter[tuple[str, str]] = Counter()
    good: Counter[tuple[str, str]] = Counter()
    for decision, row in rows:
        kind = decision.right[0][0] if decision.right else "whole"
        total[decision.source, kind] += 1
        best = probabilities(packed([row], known)[0], values).argmax()
        good[decision.source, kind] += int(best in row.right)
    for key in sorted(total):
        print(f"{key[0]:12}{key[1]:10}{good[key]:5} of {total[key]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder that training.planner.build wrote to")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    config = load_config()
    rows = [row_of(decision) for decision in read(options.out / "train.jsonl")]
    counted = Counter(sign for row in rows for choice in row.choices for sign in set(choice))
    decisive = Counter(
        sign for row in rows for sign in {s for n in row.right for s in row.choices[n]}
    )
    signs = sorted(s for s in counted if decisive[s] >= config.seen or counted[s] >= 20)
    weights = fit(packed(rows, {s: n for n, s in enumerate(signs)}), len(signs), config)
    kept = {
        sign: round(float(weight), 3)
        for sign, weight in zip(signs, weights, strict=True)
        if abs(weight) >= config.least
    }
    fitted = SplitWeights(
        about="Weights of graph/planning/splits.py, by training.planner.fit: see training/planner",
        signs=kept,
    )
    options.weights.write_text(fitted.model_dump_json(indent=0) + "\n", encoding="utf-8")
    print(f"{len(rows)} decisions, {len(kept)} of {len(signs)} signs kept")
    held = read(options.out / "held-out.jsonl")
    measure([(d, row_of(d)) for d in held], fitted)


if __name__ == "__main__":
    main()
