"""Measures the shipped reader on the held-out rows: `python -m training.reader.measure ROWS`.

With `--write` the no-answer calibration is fitted on the same rows and both are put on the card.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from agent.metrics import exact_match, f1
from agent.readers.encoder_reader import WEIGHTS, EncoderReader
from retrievers.passage import Passage
from training.reader.examples import Example, Source, read_examples

Floats = NDArray[np.float64]


def margins(reader: EncoderReader, example: Example) -> tuple[str, float, list[float]]:
    """Return the best span of the right passage, its null margin and those of the negatives."""
    sources = [example.passage, *example.negatives[:2]]
    found = {c.passage_id: c for c in reader.read(example.question, _read(sources), per_passage=1)}
    best = found.get(example.passage.id)
    odds = [_logit(found[s.id].no_answer) if s.id in found else 30.0 for s in sources]
    return best.text if best else "", odds[0], odds[1:]


def _read(sources: Sequence[Source]) -> list[Passage]:
    return [Passage(id=s.id, title=s.title, text=s.text) for s in sources]


def _logit(probability: float) -> float:
    bounded = min(max(probability, 1e-12), 1 - 1e-12)
    return math.log(bounded / (1 - bounded))


def separation(answered: Floats, unanswered: Floats) -> float:
    """Return the area under the ROC curve of the no-answer margin (0.5 is chance)."""
    wins = (unanswered[:, None] > answered).mean() + 0.5 * (unanswered[:, None] == answered).mean()
    return float(wins)


def fit(answered: Floats, unanswered: Floats) -> tuple[float, float]:
    """Return scale and shift of the logistic regression of "no answer" on the margin.

    Newton's method; the two groups weigh the same, as if half of the passages held an answer.
    """
    x = np.concatenate([answered, unanswered])
    y = np.concatenate([np.zeros(len(answered)), np.ones(len(unanswered))])
    weight = np.where(y == 1, 0.5 / len(unanswered), 0.5 / len(answered))
    design = np.stack([x, np.ones_like(x)], axis=1)
    beta = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        slope = design.T @ (weight * (p - y))
        curve = (design * (weight * p * (1 - p))[:, None]).T @ design
        beta -= np.linalg.solve(curve + 1e-6 * np.eye(2), slope)
    return float(beta[0]), float(beta[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path, help="held-out.jsonl of training.reader.build")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument(
        "--write", action="store_true", help="put calibration and figures on the card"
    )
    arguments = parser.parse_args()
    card_path = arguments.weights.with_suffix(".json")
    reader = EncoderReader(arguments.weights)
    card = json.loads(card_path.read_text(encoding="utf-8"))
    examples = read_examples(arguments.rows)
    read = [margins(reader, e) for e in examples]
    metrics: dict[str, dict[str, float]] = {}
    for kind in sorted({e.kind for e in examples}):
        mine = [(e, r) for e, r in zip(examples, read, strict=True) if e.kind == kind]
        metrics[kind] = {
            "rows": len(mine),
            "em": round(100 * fmean(exact_match(r[0], [e.answer]) for e, r in mine), 1),
            "f1": round(100 * fmean(f1(r[0], [e.answer]) for e, r in mine), 1),
            "no_answer_auroc": round(
                separation(
                    np.array([r[1] for _, r in mine]), np.array([m for _, r in mine for m in r[2]])
                ),
                3,
            ),
        }
    print(json.dumps(metrics, indent=2))
    if arguments.write:
        answered = np.array([r[1] for r in read])
        unanswered = np.array([m for r in read for m in r[2]])
        # The margins came through the present calibration: the fit is put before it.
        scale, shift = fit(answered, unanswered)
        card["no_answer_shift"] = scale * card["no_answer_shift"] + shift
        card["no_answer_scale"] = scale * card["no_answer_scale"]
        card["held_out"] = metrics
        card_path.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
