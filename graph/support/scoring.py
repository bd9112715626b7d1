"""How much a vote weighs, what an answer's votes come to, and how probable that makes it.

A story weighs the mean of its tellings, a vote what its heaviest story does. The votes of an answer
are independent, so they come together by a noisy-or (Pearl, 1988): strength = 1 − ∏(1 − w). Of
answers whose odds are o = strength / (1 − strength), one at most is right: p = o / (1 + Σ o). What
is then left between p and the truth is a logistic curve, fitted on training rows (Platt, 1999).
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from graph.types import Cluster

Floats = NDArray[np.float64]
Name = Literal["learned", "weighted"]
SURE = 1 - 1e-6
"""The most that a vote weighs, so that no single one is beyond doubt."""


class Curve(BaseModel):
    """A logistic curve: p′ = σ(slope · logit(p) + shift)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slope: float
    shift: float

    def __call__(self, p: float) -> float:
        """Return the probability that a verdict of the raw probability `p` is right."""
        p = min(max(p, 1e-9), 1 - 1e-9)
        logit = self.slope * math.log(p / (1 - p)) + self.shift
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


class Calibration(BaseModel):
    """The file `calibration.json`; `python -m training.calibration.fit` writes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: str
    curves: dict[str, dict[str, Curve]]
    """By scorer, then by language."""


class Perceptron(BaseModel):
    """The file `weights.json`: w = σ(out · tanh(hidden · features + bias) + shift)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: str
    hidden: tuple[tuple[float, ...], ...]
    """[features][units], without the last of `building.FEATURES`: the trust in the source
    multiplies the weight, and is not learned here."""
    bias: tuple[float, ...]
    out: tuple[float, ...]
    shift: float


class Scorer(Protocol):
    """A way to weigh the votes of a support graph."""

    weakest: float
    """Strength below which nothing counts as read."""

    def weights(self, features: Floats) -> Floats:
        """Return [N] weights in [0, 1] of *extracts* and *supports* edges; `features` is [N, F]."""
        ...


class Weighted:
    """Reader's probability × retrieval score, as it stands."""

    weakest = 0.02
    SUPPORT = 0.25
    """The most that a passage adds by stating an answer that was not read from it."""

    def weights(self, features: Floats) -> Floats:
        read, score, answers, relevance, _, fit, *_, trust = features.T
        said = _sigma(10 * score) * _sigma(10 * answers)
        weights: Floats = np.where(read > 0, said, self.SUPPORT * fit) * relevance * trust
        return weights


class Learned:
    """A small perceptron over what is known of an edge, trained on training rows."""

    def __init__(self, file: Perceptron) -> None:
        self.weakest = 0.001
        self._hidden, self._bias = np.array(file.hidden), np.array(file.bias)
        self._out, self._shift = np.array(file.out), file.shift

    def weights(self, features: Floats) -> Floats:
        said, trust = np.clip(features[:, :-1], -1, 1), features[:, -1]
        activity = np.tanh(said @ self._hidden + self._bias)
        weights: Floats = _sigma(activity @ self._out + self._shift) * trust
        return weights


def _sigma(x: Floats) -> Floats:
    p: Floats = 1 / (1 + np.exp(-np.clip(x, -30, 30)))
    return p


@functools.cache
def scorer(name: Name) -> Scorer:
    """Return a scorer by its name; its file is read when first used."""
    if name == "weighted":
        return Weighted()
    text = Path(__file__).with_name("weights.json").read_text(encoding="utf-8")
    return Learned(Perceptron.model_validate(json.loads(text)))


@functools.cache
def calibration() -> Calibration:
    """Return the curves that ship."""
    text = Path(__file__).with_name("calibration.json").read_text(encoding="utf-8")
    return Calibration.model_validate_json(text)


def strength(votes: Sequence[float]) -> float:
    """Return what independent votes come to, in [0, 1]; in any order, and never less for one more.

    Examples
    --------
    >>> round(strength([0.5, 0.5]), 4)
    0.75
    """
    return -math.expm1(math.fsum(math.log1p(-min(weight, SURE)) for weight in votes))


def probabilities(strengths: Sequence[float], curve: Curve | None = None) -> list[float]:
    """Return how probable each answer is, strongest first, where one at most is right.

    The curve is applied to the first; the others share what is left as they did before.
    """
    odds = [min(s, SURE) / (1 - min(s, SURE)) for s in strengths]
    raw = [o / (1 + sum(odds)) for o in odds]
    if curve is None or not raw:
        return raw
    first = curve(raw[0])
    rest = (1 - first) / (1 - raw[0])
    return [first, *(min(p * rest, first) for p in raw[1:])]


def calibrated(ranked: Sequence[Cluster], by: Name, language: str) -> list[Cluster]:
    """Return the clusters, strongest first, with their probabilities."""
    curve = calibration().curves.get(by, {}).get(language)
    found = probabilities([cluster.strength for cluster in ranked], curve)
    return [c.model_copy(update={"confidence": p}) for c, p in zip(ranked, found, strict=True)]
