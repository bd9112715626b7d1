"""Trains the learned scorer, and fits the curves that make confidences probabilities.

    python -m training.calibration.fit ../shared/data OUT SPARED.onnx

The lookups are searched and read once for each version of the readers and kept in OUT (about 20
minutes on 2 cores; a run that was killed goes on); after that it takes a minute. Writes
`weights.json` and `calibration.json` of `graph/support`.

All questions are new to the reader that reads for them: it is surer of those that it was trained
on, and a scorer that learned from these would trust it too far. English: the scorer learns from
what SPARED reads, a reader trained without these questions (`training.reader.build --spare`), the
curves are fitted to the reader that ships, on the questions that were held out from both. Chinese:
all are of articles that the reader never saw; the scorer learns from every second one, the curves
from the others.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import graph.support
from graph.paths import UNSURE
from graph.support import scoring, vote
from graph.types import Voting
from training.calibration.examples import (
    RIGHT,
    Arrays,
    Case,
    arrays,
    cases,
    right,
    with_planted,
    with_wrong,
)
from training.calibration.lookups import Asked, Store, chinese, english, open_store
from training.calibration.paths import multihop, path_confidences, what_follows
from training.calibration.planting import WAYS
from training.calibration.plot import reliability_plot

Floats = NDArray[np.float64]
_FOLDER = Path(next(iter(graph.support.__path__)))
SEED = 7
UNITS = 24
STEPS = 480
RATE = 0.05
DECAY = 3e-3
"""L2 penalty of the weights. Units and steps were chosen on halves of the training lookups, scored
by what learned from the other half: of the clean English ones and those with planted copies 74.7
and 70.1 % are right, of the Chinese ones 69.0 and 65.7; with 8 units and 240 steps 74.5, 69.8, 68.1
and 64.3."""
BINS = 5
SCORERS: tuple[scoring.Name, ...] = ("learned", "weighted")
PLANTED = 10
"""Passages a lookup, where it is measured what noise costs."""


class Net(NamedTuple):
    """The parameters of the scorer as they are trained."""

    hidden: Floats
    bias: Floats
    out: Floats
    shift: Floats
    """[1]"""


def loss(net: Net, data: Arrays) -> tuple[float, Net]:
    """Return the mean negative log-likelihood of what is right, and its gradient.

    What is right: one of the right answers, or that none of the answers is.
    """
    x = np.clip(data.features, -1, 1)
    h = np.tanh(x @ net.hidden + net.bias)
    u = 1 / (1 + np.exp(-np.clip(h @ net.out + net.shift[0], -30, 30)))
    read = data.features[:, 0] > 0
    # A supporter's weight is multiplied by the best reading of its answer.
    leads = _firsts((data.answer,), (~read, -u))
    best = np.zeros(len(data.lookup), dtype=np.int64)
    best[data.answer[leads]] = leads
    factor = np.where(read, 1.0, u[best[data.answer]])
    w = np.minimum(u * factor, scoring.SURE)
    # Of the edges from one passage to one answer the heaviest counts, a reading before a mention.
    edges = _firsts((data.answer, data.passage), (~read, -w))
    # A story weighs the mean of its tellings, and of the stories of one vote the heaviest counts.
    keys = np.stack([data.answer[edges], data.vote[edges], data.story[edges]])
    stories, story_of, tellings = np.unique(keys, axis=1, return_inverse=True, return_counts=True)
    means = np.minimum(np.bincount(story_of, w[edges]) / tellings, scoring.SURE)
    chosen = _firsts((stories[0], stories[1]), (-means,))
    a = stories[0][chosen]
    s = np.bincount(a, -np.log1p(-means[chosen]), minlength=len(data.lookup))
    odds = np.expm1(np.minimum(s, 14.0)) + 1e-9
    total = 1 + np.bincount(data.lookup, odds, minlength=data.lookups)
    good = np.bincount(data.lookup, odds * data.right, minlength=data.lookups)
    none = good == 0
    target = np.where(none, 1.0, good)
    value = float(np.mean(np.log(total) - np.log(target)))
    # d value / d odds, then backwards.
    d_odds = 1 / total[data.lookup] - data.right / target[data.lookup] * ~none[data.lookup]
    d_s = d_odds * np.exp(np.minimum(s, 14.0)) * (s < 14.0) / data.lookups
    d_means = np.zeros(len(means))
    d_means[chosen] = d_s[a] / (1 - means[chosen])
    d_w = np.zeros(len(u))
    d_w[edges] = d_means[story_of] / tellings[story_of]
    d_u = d_w * factor
    np.add.at(d_u, best[data.answer], np.where(read, 0.0, d_w * u))
    d_z = d_u * u * (1 - u)
    d_h = d_z[:, None] * net.out * (1 - h * h)
    gradient = Net(
        x.T @ d_h + DECAY * net.hidden,
        d_h.sum(axis=0),
        h.T @ d_z + DECAY * net.out,
        np.array([d_z.sum()]),
    )
    return value, gradient


def _firsts(
    groups: tuple[NDArray[np.int64], ...], before: tuple[NDArray[Any], ...]
) -> NDArray[np.int64]:
    """Return the place of the first of each group, in the order that `before` gives."""
    order = np.lexsort((*reversed(before), *reversed(groups)))
    changed = [group[order][1:] != group[order][:-1] for group in groups]
    return order[np.r_[True, np.logical_or.reduce(changed)]]


def train(data: Arrays) -> Net:
    """Fit the scorer by Adam over all rows at once."""
    chance = np.random.default_rng(SEED)
    net = Net(
        chance.normal(0, 0.5, (data.features.shape[1], UNITS)),
        np.zeros(UNITS),
        chance.normal(0, 0.5, UNITS),
        np.array([-1.0]),
    )
    means, squares = [np.zeros_like(p) for p in net], [np.zeros_like(p) for p in net]
    for step in range(1, STEPS + 1):
        value, gradient = loss(net, data)
        moved = []
        for n, (p, g) in enumerate(zip(net, gradient, strict=True)):
            means[n] = 0.9 * means[n] + 0.1 * g
            squares[n] = 0.999 * squares[n] + 0.001 * g * g
            size = RATE * (0.5 + 0.5 * np.cos(np.pi * step / STEPS))
            unbiased = np.sqrt(squares[n] / (1 - 0.999**step)) + 1e-8
            moved.append(p - size * means[n] / (1 - 0.9**step) / unbiased)
        net = Net(*moved)
        if step % 40 == 0:
            print(f"step {step} loss {value:.4f}", flush=True)
    return net


def shipped(net: Net, about: str) -> scoring.Perceptron:
    """Return the weights as the file holds them."""

    def numbers(values: Floats) -> tuple[float, ...]:
        return tuple(round(float(v), 4) for v in values)

    return scoring.Perceptron(
        about=about,
        hidden=tuple(numbers(row) for row in net.hidden),
        bias=numbers(net.bias),
        out=numbers(net.out),
        shift=round(float(net.shift[0]), 4),
    )


def raw(found: Sequence[Case], by: scoring.Name) -> tuple[Floats, NDArray[np.bool_]]:
    """Return each verdict's probability before the curve, and whether it is right."""
    said, true = [], []
    for case in found:
        result = vote(
            case.asked.question,
            case.hits,
            case.candidates,
            expects=case.asked.expects,
            voting=Voting(scoring=by),
        )
        if result.verdict is not None:
            strengths = [cluster.strength for cluster in result.verdict.clusters]
            said.append(scoring.probabilities(strengths)[0])
            true.append(right(result.verdict.answer, case.asked.answers))
    return np.array(said), np.array(true)


def fitted(said: Floats, true: NDArray[np.bool_]) -> scoring.Curve:
    """Fit a logistic curve by Newton's method, with Platt's smoothed targets."""
    p = np.clip(said, 1e-9, 1 - 1e-9)
    x = np.stack([np.log(p / (1 - p)), np.ones(len(p))], axis=1)
    positive, negative = true.sum(), (~true).sum()
    y = np.where(true, (positive + 1) / (positive + 2), 1 / (negative + 2))
    weights = np.array([1.0, 0.0])
    for _ in range(100):
        q = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        curve = (x * (q * (1 - q))[:, None]).T @ x + 1e-2 * np.eye(2)
        step = np.linalg.solve(curve, x.T @ (q - y))
        weights -= step / max(1.0, float(np.abs(step).max()) / 0.5)  # or it would leap too far
    return scoring.Curve(slope=round(float(weights[0]), 4), shift=round(float(weights[1]), 4))


def ece(said: Sequence[float], true: Sequence[bool]) -> float:
    """Return the expected calibration error (Naeini et al., 2015), in five bins of equal size."""
    order = np.argsort(np.array(said), kind="stable")
    gaps = [
        len(part) * abs(np.array(said)[part].mean() - np.array(true)[part].mean())
        for part in np.array_split(order, BINS)
        if len(part)
    ]
    return float(sum(gaps) / max(len(order), 1))


def reliability(said: Floats, true: NDArray[np.bool_]) -> str:
    """Return what is said and what is true on average, in five bins of equal size."""
    parts = np.array_split(np.argsort(said, kind="stable"), BINS)
    return ", ".join(f"{said[part].mean():.2f}/{true[part].mean():.2f}" for part in parts)


def coverage(said: Floats, true: NDArray[np.bool_]) -> str:
    """Return how many are answered from each confidence on, and the share of them that is right."""
    told = []
    for least in (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9):
        chosen = said >= least
        share = f"{true[chosen].mean():.2f}" if chosen.any() else "–"
        told.append(f"from {least:g}: {chosen.sum()}, {share}")
    return "; ".join(told)


def cross_fitted(said: Floats, true: NDArray[np.bool_], folds: int = 5) -> Floats:
    """Return each verdict's probability by a curve that was fitted on the other folds."""
    found = np.zeros(len(said))
    for fold in range(folds):
        mine = np.arange(len(said)) % folds == fold
        curve = fitted(said[~mine], true[~mine])
        found[mine] = [curve(float(p)) for p in said[mine]]
    return found


def questions(data: Path, language: str) -> tuple[list[Asked], list[Asked]]:
    """Return the questions that the scorer learns from, and those that the curves are fitted on."""
    if language == "en":
        rows = english(data)
        return [row for row in rows if row.spared], [row for row in rows if not row.seen]
    rows = chinese(data)
    return rows[::2], rows[1::2]


def under_noise(store: Store, rows: Sequence[Asked], by: scoring.Name) -> str:
    """Return the share of right verdicts with ten planted passages a lookup, told in each way.

    The wordings are those for measuring.
    """
    told = []
    for way in WAYS:
        found = [
            with_planted(store, row, wrong, way, PLANTED, "measure")
            for row, wrong in with_wrong(rows)
        ]
        told.append(f"{way} {100 * raw(found, by)[1].sum() / len(found):.1f} %")
    return ", ".join(told)


def told(name: str, said: Floats, true: NDArray[np.bool_], after: Floats) -> scoring.Curve:
    """Fit a curve, print how good it is where it was fitted on other folds, and return it."""
    print(
        f"{name}: {len(said)}, {100 * true.mean():.1f} % right, ECE {100 * ece(said, true):.1f} "
        f"before, {100 * ece(after, true):.1f} after (5 folds)\n"
        f"  said / true: {reliability(after, true)}\n"
        f"  answered, share right: {coverage(after, true)}",
        flush=True,
    )
    return fitted(said, true)


def main() -> None:
    """Train, fit, write, and say how good it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder with train/ and the development sets")
    parser.add_argument("out", type=Path, help="folder for the lookups")
    parser.add_argument("spared", type=Path, help="the reader that was trained with --spare")
    parser.add_argument("--plot", type=Path, help="an SVG file for the reliability plot")
    arguments = parser.parse_args()
    learnt: list[Case] = []
    held: dict[str, list[Case]] = {}
    stores: dict[str, Store] = {}
    spared: dict[str, Store] = {}
    for language in ("en", "zh"):
        teach, fit = questions(arguments.data, language)
        spared[language] = open_store(arguments.data, arguments.out, language, arguments.spared)
        learnt += cases(spared[language], teach)
        stores[language] = open_store(arguments.data, arguments.out, language)
        held[language] = [
            with_planted(stores[language], row, None, "copies", 0, "train") for row in fit
        ]
    data = arrays(learnt)
    print(f"{data.lookups} lookups, {len(data.lookup)} answers, {len(data.features)} edges")
    net = train(data)
    weights = shipped(net, f"By training/calibration on {data.lookups} lookups; seed {SEED}.")
    text = weights.model_dump_json(indent=1)
    (_FOLDER / "weights.json").write_text(text + "\n", encoding="utf-8")
    scoring.scorer.cache_clear()
    counts = {language: len(rows) for language, rows in held.items()}
    curves: dict[str, dict[str, scoring.Curve]] = {}
    plotted: dict[str, tuple[Floats, NDArray[np.bool_]]] = {}
    for by in SCORERS:
        for language, rows in held.items():
            said, true = raw(rows, by)
            after = cross_fitted(said, true)
            name = f"{by} {language}, verdicts"
            curves.setdefault(by, {})[language] = told(name, said, true, after)
            plotted[f"{by}, {language}"] = after, true
            print(
                f"  right of {len(rows)}: clean {100 * true.sum() / len(rows):.1f} %, with "
                f"{PLANTED} planted: {under_noise(stores[language], [c.asked for c in rows], by)}",
                flush=True,
            )
    calibration = scoring.Calibration(
        about="Logistic curves from a verdict's raw probability to how often it is right (token F1 "
        f"of {RIGHT} or more), fitted on training questions that the readers never saw: {counts}. "
        "Written by training/calibration.",
        curves=curves,
    )
    text = calibration.model_dump_json(indent=1)
    (_FOLDER / "calibration.json").write_text(text + "\n", encoding="utf-8")
    scoring.calibration.cache_clear()
    asked = [(q, (spared if q.spared else stores)["en"]) for q in multihop(arguments.data)]
    for by in SCORERS:
        sure, on = path_confidences(asked, by)
        said, true = np.array(sure), np.array(on)
        print(
            f"{by} en, paths: {len(said)}, {100 * true.mean():.1f} % right, ECE "
            f"{100 * ece(said, true):.1f}\n  said / true: {reliability(said, true)}\n"
            f"  answered, share right: {coverage(said, true)}"
        )
        plotted[f"{by}, paths"] = said, true
        after = what_follows(asked, by)
        for kind in (True, False):
            sures = [confidence for on_the_way, confidence in after if on_the_way is kind]
            print(
                f"  after {'right' if kind else 'wrong'} answers: {len(sures)}, nothing as sure as "
                f"{UNSURE} after {sum(c < UNSURE for c in sures)}"
            )
    if arguments.plot:
        shown = {name: rows for name, rows in plotted.items() if name.startswith("learned")}
        reliability_plot(shown, BINS, arguments.plot)


if __name__ == "__main__":
    main()
