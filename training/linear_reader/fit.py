"""Fitting the span model: softmax over the spans of a passage, by gradient, in numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agent.readers.features_zh import MEASURES, Floats
from training.linear_reader.examples import Example, sign_rows


@dataclass(frozen=True)
class Settings:
    """How the span model is fitted."""

    seed: int = 7
    hidden: int = 48
    epochs: int = 8
    batch: int = 64
    """Questions a step."""
    rate: float = 0.004
    """Adam's, of the network; falls linearly to a twentieth."""
    sign_rate: float = 0.08
    """Adagrad's, of the signs."""
    decay: float = 1e-5
    sign_decay: float = 2e-4
    sharpness: float = 8.0
    """Spans are wanted in proportion to their overlap with the answer to this power."""
    spans: int = 300
    """Spans of a passage that are trained on: the overlapping ones and a sample of the rest."""
    least: int = 8
    """Rows that a sign must stand in."""
    dropout: float = 0.2
    """Share of hidden units silenced in a step."""


@dataclass
class Model:
    """The span model: score(span) = linear · z + out · tanh(hidden z + bias) + Σ signs."""

    mean: Floats
    scale: Floats
    hidden: Floats
    bias: Floats
    out: Floats
    linear: Floats
    signs: Floats
    """[V + 1]; 0 stands for no sign and weighs nothing."""
    ids: dict[str, int] = field(default_factory=dict)

    def scores(self, measures: Floats, signs: NDArray[np.int32]) -> Floats:
        """Return [N] scores."""
        z = np.clip((measures - self.mean) / self.scale, -6, 6)
        activity = np.tanh(z @ self.hidden + self.bias)
        return np.asarray(activity @ self.out + z @ self.linear + self.signs[signs].sum(axis=1))


@dataclass(frozen=True, slots=True)
class Sample:
    """The spans of one row that are trained on."""

    measures: Floats
    signs: NDArray[np.int32]
    wanted: Floats
    """[n], sums to 1."""


def samples(examples: Sequence[Example], ids: dict[str, int], settings: Settings) -> list[Sample]:
    """Return the training samples; rows whose answer no span overlaps by half are left out."""
    chance = np.random.default_rng(settings.seed)
    found = []
    for example in examples:
        if example.overlap.max() < 0.5:
            continue
        near = np.flatnonzero(example.overlap > 0)
        far = np.flatnonzero(example.overlap == 0)
        if len(near) > settings.spans // 2:
            best = near[np.argsort(-example.overlap[near], kind="stable")]
            near = best[: settings.spans // 2]
        room = settings.spans - len(near)
        if len(far) > room:
            far = chance.choice(far, room, replace=False)
        chosen = np.concatenate([near, far])
        wanted = (example.overlap[chosen] / example.overlap.max()) ** settings.sharpness
        wanted[wanted < 0.02] = 0
        found.append(
            Sample(
                example.measured.measures[chosen],
                sign_rows(example.measured, ids, chosen),
                (wanted / wanted.sum()).astype(np.float32),
            )
        )
    return found


class _Adam:
    def __init__(self, weights: Floats) -> None:
        self.weights = weights
        self._m, self._v, self._t = np.zeros_like(weights), np.zeros_like(weights), 0

    def step(self, gradient: Floats, rate: float) -> None:
        self._t += 1
        self._m += 0.1 * (gradient - self._m)
        self._v += 0.001 * (gradient**2 - self._v)
        m, v = self._m / (1 - 0.9**self._t), self._v / (1 - 0.999**self._t)
        self.weights -= (rate * m / (np.sqrt(v) + 1e-8)).astype(np.float32)


def fit(
    data: Sequence[Sample],
    ids: dict[str, int],
    settings: Settings,
    report: Callable[[int, float, Model], None],
) -> Model:
    """Fit a model; `report` is told the epoch, its mean loss and the model after each."""
    chance = np.random.default_rng(settings.seed)
    everything = np.concatenate([s.measures[::7] for s in data])
    width, units = len(MEASURES), settings.hidden
    model = Model(
        mean=everything.mean(axis=0),
        scale=np.maximum(everything.std(axis=0), 0.02),
        hidden=(chance.standard_normal((width, units)) / np.sqrt(width)).astype(np.float32),
        bias=np.zeros(units, dtype=np.float32),
        out=(chance.standard_normal(units) * 0.1).astype(np.float32),
        linear=np.zeros(width, dtype=np.float32),
        signs=np.zeros(len(ids) + 1, dtype=np.float32),
        ids=ids,
    )
    adams = [_Adam(w) for w in (model.hidden, model.bias, model.out, model.linear)]
    squares = np.full(len(ids) + 1, 1e-3, dtype=np.float32)
    steps = settings.epochs * -(-len(data) // settings.batch)
    step = 0
    for epoch in range(settings.epochs):
        order = chance.permutation(len(data))
        losses = []
        for begin in range(0, len(order), settings.batch):
            group = [data[n] for n in order[begin : begin + settings.batch]]
            x = np.concatenate([s.measures for s in group])
            signs = np.concatenate([s.signs for s in group])
            wanted = np.concatenate([s.wanted for s in group])
            borders = np.cumsum([0, *(len(s.wanted) for s in group[:-1])])
            sizes = [len(s.wanted) for s in group]
            z = np.clip((x - model.mean) / model.scale, -6, 6)
            kept = (chance.random(units) >= settings.dropout) / (1 - settings.dropout)
            kept = kept.astype(np.float32)
            activity = np.tanh(z @ model.hidden + model.bias)
            dropped = activity * kept
            score = dropped @ model.out + z @ model.linear + model.signs[signs].sum(axis=1)
            score -= np.repeat(np.maximum.reduceat(score, borders), sizes)
            likely = np.exp(score)
            likely /= np.repeat(np.add.reduceat(likely, borders), sizes)
            losses.append(-float((wanted * np.log(likely + 1e-12)).sum()) / len(group))
            error = ((likely - wanted) / len(group)).astype(np.float32)
            back = (error[:, None] * model.out * kept) * (1 - activity**2)
            gradients = (z.T @ back, back.sum(axis=0), dropped.T @ error, z.T @ error)
            rate = settings.rate * max(1 - step / steps, 0.05)
            for adam, gradient in zip(adams, gradients, strict=True):
                adam.step(gradient + settings.decay * adam.weights, rate)
            pushed = np.bincount(
                signs.ravel(), np.repeat(error, signs.shape[1]), minlength=len(squares)
            ).astype(np.float32)
            touched = np.flatnonzero(pushed)
            touched = touched[touched > 0]
            push = pushed[touched] + settings.sign_decay * model.signs[touched]
            squares[touched] += push**2
            fall = settings.sign_rate * max(1 - step / steps, 0.05)
            model.signs[touched] -= fall * push / np.sqrt(squares[touched])
            step += 1
        report(epoch, float(np.mean(losses)), model)
    return model
