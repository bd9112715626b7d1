"""Fits the weights of the splits: `python -m training.planner.fit OUT`.

A question's splits, and leaving it whole, compete in one softmax over sums of weights (a
conditional logit); where several splits are right their probabilities add up. AdaGrad, with a
little decay. Then the probability of the likeliest split is calibrated (Platt, 1999) on questions
of Break that its weights have not seen: how often is it right? Numpy only; most of the half minute
on one core is the parser's.
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


def fit(
    rows: Sequence[Packed], signs: int, config: Config, *, told: bool = True
) -> NDArray[np.float64]:
    """Return the weights; the loss of each epoch is printed, unless `told` is false."""
    chance = random.Random(config.seed)
    weights, squares = np.zeros(signs), np.full(signs, 1e-6)
    for epoch in range(config.epochs):
        order = chance.sample(range(len(rows)), len(rows))
        loss, right = 0.0, 0
        for begin in range(0, len(order), config.batch):
            batch = [rows[n] for n in order[begin : begin + config.batch]]
            step, lost, good = _gradient(batch, weights)
            loss, right = loss + lost, right + good
            gradient = step / len(batch) + config.decay * weights
            squares += gradient**2
            weights -= config.rate * gradient / np.sqrt(squares)
        if told:
            print(
                f"epoch {epoch}: loss {loss / len(rows):.3f}, right {right / len(rows):.3f}",
                flush=True,
            )
    return weights


def _gradient(
    batch: Sequence[Packed], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float, int]:
    """Return the gradient of a batch's loss, the loss, and how many rows are decided right."""
    ids = np.concatenate([row.ids for row in batch])
    lengths = np.concatenate([np.diff([*row.begins, len(row.ids)]) for row in batch])
    choices = np.array([len(row.begins) for row in batch])
    first = np.cumsum([0, *choices])[:-1]
    scores = np.add.reduceat(weights[ids], np.cumsum([0, *lengths])[:-1])
    powers = np.exp(scores - np.repeat(np.maximum.reduceat(scores, first), choices))
    p = powers / np.repeat(np.add.reduceat(powers, first), choices)
    right = np.zeros(len(p), dtype=bool)
    for n, row in zip(first, batch, strict=True):
        right[n + np.array(row.right)] = True
    likely = np.add.reduceat(p * right, first)
    decided = sum(
        int(p[n : n + size].argmax()) in row.right
        for n, size, row in zip(first, choices, batch, strict=True)
    )
    # Several splits may be right: the gradient of the log of their common probability.
    wrong = p - p * right / np.repeat(likely, choices)
    step = np.zeros_like(weights)
    step += np.bincount(ids, weights=np.repeat(wrong, lengths), minlength=len(weights))
    return step, float(-np.log(likely + 1e-12).sum()), decided


def signs_of(rows: Sequence[Row], config: Config) -> list[str]:
    """Return the signs that are seen often enough to get a weight."""
    counted = Counter(sign for row in rows for choice in row.choices for sign in set(choice))
    decisive = Counter(
        sign for row in rows for sign in {s for n in row.right for s in row.choices[n]}
    )
    return sorted(s for s in counted if decisive[s] >= config.seen or counted[s] >= 20)


def unseen(
    decisions: Sequence[Decision], rows: Sequence[Row], config: Config
) -> list[tuple[float, bool]]:
    """Return the likelihood of the best split of each question of Break, and whether it is right.

    The weights are each time fitted without the question, and without what was made of it.
    """
    found = []
    folds = [sum(decision.root.encode()) % config.folds for decision in decisions]
    for fold in range(config.folds):
        seen = [row for row, place in zip(rows, folds, strict=True) if place != fold]
        signs = signs_of(seen, config)
        known = {sign: n for n, sign in enumerate(signs)}
        weights = fit(packed(seen, known), len(signs), config, told=False)
        for decision, row, place in zip(decisions, rows, folds, strict=True):
            asked = decision.source in {"hotpot", "cwq"} and decision.text == decision.root
            if place == fold and asked and decision.kind in {"split", "whole"} and row.choices[1:]:
                p = probabilities(packed([row], known)[0], weights)
                best = 1 + int(p[1:].argmax())
                found.append((float(p[best]), best in row.right))
    return found


def calibrated(found: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """Return intercept and slope of the log odds of being right over those of the likelihood.

    By Newton's method on the logistic loss, with a ridge that keeps it finite where all are right.
    """
    p = np.clip([chance for chance, _ in found], 1e-6, 1 - 1e-6)
    right = np.array([good for _, good in found], dtype=np.float64)
    told = np.stack([np.ones(len(p)), np.log(p / (1 - p))], axis=1)
    ridge, fitted = 1e-3 * np.eye(2), np.zeros(2)
    for _ in range(25):
        likely = 1 / (1 + np.exp(-told @ fitted))
        curve = told.T @ (told * (likely * (1 - likely))[:, None]) + ridge
        fitted += np.linalg.solve(curve, told.T @ (right - likely) - ridge @ fitted)
    return round(float(fitted[0]), 3), round(float(fitted[1]), 3)


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
    decisions = read(options.out / "train.jsonl")
    rows = [row_of(decision) for decision in decisions]
    signs = signs_of(rows, config)
    weights = fit(packed(rows, {s: n for n, s in enumerate(signs)}), len(signs), config)
    kept = {
        sign: round(float(weight), 3)
        for sign, weight in zip(signs, weights, strict=True)
        if abs(weight) >= config.least
    }
    fitted = SplitWeights(
        about="Weights of graph/planning/splits.py, by training.planner.fit: see training/planner",
        calibration=calibrated(unseen(decisions, rows, config)),
        signs=kept,
    )
    options.weights.write_text(fitted.model_dump_json(indent=0) + "\n", encoding="utf-8")
    print(f"{len(rows)} decisions, {len(kept)} of {len(signs)} signs kept")
    print(f"calibration: {fitted.calibration}")
    held = read(options.out / "held-out.jsonl")
    measure([(d, row_of(d)) for d in held], fitted)


if __name__ == "__main__":
    main()
