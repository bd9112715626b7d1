"""Train the Chinese reader and write its weights.

python -m training.linear_reader.train DATA [--out agent/readers/reader-zh.json]
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.readers.features_zh import MEASURES
from agent.readers.linear_reader import WEIGHTS, LinearReader, LinearWeights, evidence
from training.linear_reader.examples import example, read_passage, vocabulary
from training.linear_reader.fit import Model, Settings, fit, samples
from training.linear_reader.rows import Row, guard, held_out, load

CALIBRATED_ON = 16
"""One training article in so many is kept from the span model, to fit no_answer on."""
LEAST_WEIGHT = 0.02
"""Signs that weigh less are left out of the file."""


def calibrates(row: Row) -> bool:
    """Return whether a row is kept for fitting no_answer; whole articles are."""
    digest = hashlib.sha256(f"calibration {row.file} {row.passage.title}".encode()).digest()
    return digest[0] < 256 // CALIBRATED_ON


def shipped(model: Model, about: str) -> LinearWeights:
    """Return the weights as the file holds them: rounded, without signs of little weight."""

    def numbers(values: NDArray[np.float32]) -> tuple[float, ...]:
        return tuple(round(float(v), 4) for v in values)

    return LinearWeights(
        about=about,
        measures=MEASURES,
        mean=numbers(model.mean),
        scale=numbers(model.scale),
        linear=numbers(model.linear),
        hidden=tuple(numbers(row) for row in model.hidden),
        bias=numbers(model.bias),
        out=numbers(model.out),
        no_answer=(0.0,) * 8,
        signs={
            sign: round(float(model.signs[number]), 2)
            for sign, number in model.ids.items()
            if abs(model.signs[number]) >= LEAST_WEIGHT
        },
    )


def no_answer_weights(reader: LinearReader, rows: Sequence[Row]) -> tuple[float, ...]:
    """Fit P(no answer) by logistic regression (Newton's method, a small L2) on `rows`.

    A similar passage that holds the answer's text may well answer: it is left out.
    """
    features, wanted = [], []
    for row in rows:
        others = [s for s in row.similar if row.answer not in s.text]
        for source, missing in [(row.passage, 0.0), *((s, 1.0) for s in others)]:
            found = read_passage(row.question, source)
            if found is not None:
                features.append(evidence(found, reader.scores(found)))
                wanted.append(missing)
    x, y = np.array(features), np.array(wanted)
    centre, spread = x.mean(axis=0), x.std(axis=0)
    centre[-1], spread[-1] = 0.0, 1.0
    z = (x - centre) / spread
    weights = np.zeros(z.shape[1])
    ridge = 1e-2 * np.eye(z.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(z @ weights, -30, 30)))
        curve = (z * (p * (1 - p))[:, None]).T @ z + ridge
        weights -= np.linalg.solve(curve, z.T @ (p - y) + ridge @ weights)
    p = 1 / (1 + np.exp(-np.clip(z @ weights, -30, 30)))
    for low, high in ((0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 1.01)):
        held = (p >= low) & (p < high)
        if held.any():
            print(f"no_answer {low}-{high}: {held.sum()} said {p[held].mean():.2f} "
                  f"true {y[held].mean():.2f}")  # fmt: skip
    bare = weights / spread
    bare[-1] = weights[-1] - float((weights[:-1] * centre[:-1] / spread[:-1]).sum())
    return tuple(round(float(w), 4) for w in bare)


def main() -> None:
    """Train, calibrate and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with train/ and the development sets")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    arguments = parser.parse_args()
    settings = Settings()
    rows = [row for row in load(arguments.data) if not held_out(row)]
    guard(rows, arguments.data)
    spanned = [e for row in rows if not calibrates(row) and (e := example(row)) is not None]
    ids = vocabulary(spanned, settings.least)
    data = samples(spanned, ids, settings)
    print(f"{len(data)} questions, {len(ids)} signs", flush=True)
    del spanned
    model = fit(data, ids, settings, lambda n, loss, _: print(f"epoch {n} loss {loss:.3f}", flush=True))  # fmt: skip  # noqa: E501
    about = (
        "Chinese span reader, trained by training/linear_reader on XQuAD-zh and CMRC 2018 "
        "(CC BY-SA 4.0) and DRCD (CC BY-SA 3.0); seed "
        f"{settings.seed}, {len(data)} questions. Licence: CC BY-SA 4.0."
    )
    weights = shipped(model, about)
    arguments.out.write_text(weights.model_dump_json(), encoding="utf-8")
    calibrating = [row for row in rows if calibrates(row)]
    fitted = no_answer_weights(LinearReader(arguments.out), calibrating)
    weights = weights.model_copy(update={"no_answer": fitted})
    arguments.out.write_text(weights.model_dump_json() + "\n", encoding="utf-8")
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.1f} MB, "
          f"{len(weights.signs)} signs, calibrated on {len(calibrating)} questions")  # fmt: skip


if __name__ == "__main__":
    main()
