"""Measures a reader on held-out rows: `python -m training.reader.measure ROWS`.

With `--calibrate ROWS` the no-answer probability is fitted first, on those rows, and it and the
figures are put on the reader's card.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from agent.metrics import exact_match, f1
from agent.readers.encoder_reader import CHINESE, ENGLISH, EncoderReader, Layout
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


def among(reader: EncoderReader, example: Example) -> str:
    """Return the answer that a reader gives of the right passage and all the negatives."""
    passages = _read(sorted([example.passage, *example.negatives], key=lambda s: s.id))
    found = reader.read(example.question, passages, per_passage=1)
    return max(found, key=lambda c: c.probability).text if found else ""


def calibrate(layout: Layout, examples: Sequence[Example]) -> None:
    """Fit no_answer on `examples` and write it on the card."""
    path = layout.weights.with_suffix(".json")
    card = json.loads(path.read_text(encoding="utf-8"))
    read = [margins(EncoderReader(layout), e) for e in examples]
    answered = np.array([right for _, right, _ in read])
    unanswered = np.array([odd for _, _, wrong in read for odd in wrong])
    # The margins came through the present calibration: the fit is put before it.
    scale, shift = fit(answered, unanswered)
    card["no_answer_shift"] = scale * card["no_answer_shift"] + shift
    card["no_answer_scale"] = scale * card["no_answer_scale"]
    path.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def figures(said: Sequence[str], examples: Sequence[Example]) -> dict[str, float]:
    """Return EM and F1 in percent."""
    pairs = list(zip(said, examples, strict=True))
    return {
        "rows": len(pairs),
        "em": round(100 * fmean(exact_match(text, [e.answer]) for text, e in pairs), 1),
        "f1": round(100 * fmean(f1(text, [e.answer]) for text, e in pairs), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path, help="held-out.jsonl of training.reader.build")
    parser.add_argument("--language", choices=("en", "zh"), default="en")
    parser.add_argument("--weights", type=Path, help="instead of those that ship")
    parser.add_argument("--calibrate", type=Path, help="rows to fit the no-answer probability on")
    parser.add_argument("--limit", type=int, help="measure and calibrate on the first rows only")
    parser.add_argument(
        "--among", type=int, default=0, help="so many rows are also answered among their negatives"
    )
    arguments = parser.parse_args()
    layout = ENGLISH if arguments.language == "en" else CHINESE
    if arguments.weights:
        layout = layout._replace(weights=arguments.weights)
    if arguments.calibrate:
        calibrate(layout, read_examples(arguments.calibrate)[: arguments.limit])
    reader = EncoderReader(layout)
    examples = read_examples(arguments.rows)
    random.Random(0).shuffle(examples)
    examples = examples[: arguments.limit]
    begun = time.process_time()
    read = [margins(reader, e) for e in examples]
    spent = time.process_time() - begun
    metrics: dict[str, dict[str, float]] = {}
    for kind in sorted({e.kind for e in examples}):
        mine = [(e, r) for e, r in zip(examples, read, strict=True) if e.kind == kind]
        wrong = [m for _, r in mine for m in r[2]]
        metrics[kind] = {
            **figures([r[0] for _, r in mine], [e for e, _ in mine]),
            "no_answer_auroc": round(
                separation(np.array([r[1] for _, r in mine]), np.array(wrong)), 3
            ),
        }
    if arguments.among:
        some = examples[: arguments.among]
        metrics["among negatives"] = figures([among(reader, e) for e in some], some)
    print(json.dumps(metrics, indent=2))
    passages = sum(1 + len(r[2]) for r in read)
    print(f"{passages} passages, {1000 * spent / passages:.0f} ms of one core a passage")
    if arguments.calibrate:
        path = layout.weights.with_suffix(".json")
        card = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(
            json.dumps({**card, "held_out": metrics}, indent=2) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
