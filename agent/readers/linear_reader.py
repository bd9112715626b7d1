"""The Chinese reader: every span of the best sentences, weighed by features one can name.

score(span) = linear · z + out · tanh(hidden z + bias) + Σ weights of its signs, where z are the
span's standardised measures (`agent.readers.features_zh`). The softmax over a passage's spans is
fitted to the answers of training rows (the log-linear reader of Rajpurkar et al., 2016, section 5,
with a hidden layer); a logistic of the best score and of what the passage shares with the question
tells whether it answers at all. Simplified and traditional characters are read alike.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from agent.errors import ModelFileError
from agent.readers.features_zh import MEASURES, Floats, Measured, measured
from agent.readers.question_zh import asked
from agent.readers.spans_zh import Tokens, tokenised
from graph.types import AnswerType, Candidate
from retrievers.passage import Passage

WEIGHTS = Path(__file__).with_name("reader-zh.json")
LONGEST = 20_000
"""Characters of a passage that are read; what stands behind them is not searched."""


class LinearWeights(BaseModel):
    """The file of weights. D measures, H hidden units."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: str
    """How the weights were made, for people."""
    measures: tuple[str, ...]
    """[D] names, which must be those the code measures."""
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    linear: tuple[float, ...]
    hidden: tuple[tuple[float, ...], ...]
    """[D][H]"""
    bias: tuple[float, ...]
    out: tuple[float, ...]
    no_answer: tuple[float, ...]
    """Weights of `evidence`; no_answer = σ(weights · evidence)."""
    signs: dict[str, float]


class _Arrays:
    """The weights, ready to compute with."""

    def __init__(self, weights: LinearWeights) -> None:
        def array(values: object) -> Floats:
            return np.array(values, dtype=np.float32)

        self.mean, self.scale = array(weights.mean), array(weights.scale)
        self.linear, self.hidden = array(weights.linear), array(weights.hidden)
        self.bias, self.out = array(weights.bias), array(weights.out)
        self.no_answer = np.array(weights.no_answer, dtype=np.float64)
        self.signs: Mapping[str, float] = weights.signs


def evidence(found: Measured, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what tells whether a passage answers: 8 numbers, the last a constant 1.

    `scores` are the spans' raw scores, of any order of magnitude.
    """
    top = float(scores.max())
    mass = top + math.log(float(np.exp(scores - top).sum()))
    covers = (found.cover, found.best_cover, found.pair_cover)
    return np.array([top, mass, math.exp(top - mass), *covers, found.pair_cover**2, 1.0])


class LinearReader:
    """Reads Chinese passages. Loaded when first used; deterministic; safe to share among threads.

    `weights` is a JSON file (`LinearWeights`); reading raises ModelFileError where it is missing
    or is not one. A passage's candidates depend on the question and on that passage alone.
    """

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self._path = weights

    @functools.cached_property
    def _weights(self) -> _Arrays:
        try:
            weights = LinearWeights.model_validate_json(self._path.read_bytes())
        except OSError as error:
            raise ModelFileError(
                f"the reader's weights {self._path} cannot be read ({error.strerror}): "
                "install hoptree again"
            ) from error
        except ValidationError as error:
            raise ModelFileError(
                f"the reader's weights {self._path} are damaged: install hoptree again"
            ) from error
        if weights.measures != MEASURES:
            raise ModelFileError(
                f"the reader's weights {self._path} belong to another version of the code: "
                "install hoptree again"
            )
        return _Arrays(weights)

    def read(
        self,
        question: str,
        passages: Sequence[Passage],
        expects: AnswerType = AnswerType.ANY,
        per_passage: int = 3,
    ) -> list[Candidate]:
        """Return up to `per_passage` spans of each passage; see `graph.protocols.Reader`.

        No two spans of a passage overlap. A blank question has no answers.
        """
        if not question.strip():
            return []
        found: list[Candidate] = []
        for passage in passages:
            found += self._read_one(question, passage, expects, per_passage)
        return found

    def _read_one(
        self, question: str, passage: Passage, expects: AnswerType, most: int
    ) -> list[Candidate]:
        tokens = tokenised(passage.text[:LONGEST])
        spans = measured(asked(question, expects), tokens, tokenised(passage.title[:200]))
        if spans is None:
            return []
        scores = self.scores(spans)
        top = float(scores.max())
        total = float(np.exp(scores - top).sum())
        logit = float(self._weights.no_answer @ evidence(spans, scores))
        no_answer = 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))
        found: list[Candidate] = []
        for span in _apart(spans, tokens, scores, most):
            start = int(tokens.starts[spans.first[span]])
            raw = passage.text[start : int(tokens.ends[spans.last[span]])]
            text = raw.strip()  # a number takes the space before its unit, a title what it holds
            if not text:
                continue
            start += raw.index(text)
            found.append(
                Candidate(
                    passage_id=passage.id,
                    text=text,
                    start=start,
                    end=start + len(text),
                    score=min(1.0, math.exp(float(scores[span]) - top) / total),
                    no_answer=no_answer,
                )
            )
        return found

    def scores(self, spans: Measured) -> NDArray[np.float64]:
        """Return [N] raw scores of a passage's spans."""
        weights = self._weights
        z = np.clip((spans.measures - weights.mean) / weights.scale, -6, 6)
        activity = np.tanh(z @ weights.hidden + weights.bias)
        scores: NDArray[np.float64] = np.asarray(
            activity @ weights.out + z @ weights.linear, dtype=np.float64
        )
        signs = weights.signs
        starts = {t: sum(signs.get(s, 0.0) for s in v) for t, v in spans.start_signs.items()}
        ends = {t: sum(signs.get(s, 0.0) for s in v) for t, v in spans.end_signs.items()}
        scores += [starts[t] for t in spans.first.tolist()]
        scores += [ends[t] for t in spans.last.tolist()]
        for span, sign in spans.span_signs:
            scores[span] += signs.get(sign, 0.0)
        return scores


def _apart(spans: Measured, tokens: Tokens, scores: NDArray[np.float64], most: int) -> list[int]:
    """Return the best spans that do not overlap, best first; of equals the earlier, shorter one."""
    kept: list[int] = []
    for span in np.lexsort((spans.last, spans.first, -scores)).tolist():
        if len(kept) >= most:
            break
        first, last = spans.first[span], spans.last[span]
        if all(last < spans.first[k] or spans.last[k] < first for k in kept):
            kept.append(span)
    return kept
