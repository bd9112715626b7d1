"""The readers: an encoder with a span head for each language (Devlin et al., 2019, SQuAD 2).

For each passage it scores every span as an answer to the question, and the [CLS] position as "there
is none". Both are multilingual-e5-small (Wang et al., 2024) with the part of its vocabulary that
the language needs. Trained here (see training/README.md); the weights ship with the package, in
int8.
"""

from __future__ import annotations

import functools
import hashlib
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from agent.errors import ModelFileError
from agent.readers.boundaries import completed, of_the_other_end
from agent.readers.han_folding import folded
from graph.types import AnswerType, Candidate
from retrievers.onnx import OnnxEncoder
from retrievers.passage import Passage

MAX_QUESTION = 64
MAX_TITLE = 32
_SPANS = 128
"""Spans of a window that are looked at: the likeliest, which hold all but a trace of the mass."""
_TRIM = ",.;:!?\"'`“”‘’()[]–—-，。；：！？、…「」『』《》〈〉（）【】"
_CLOSING = {")": "(", "）": "（"}
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
"""Characters that are written without spaces: each may begin or end an answer."""
_SHORTENED = re.compile(r"(?:(?:[A-Z]\.){2,}|\b(?:Jr|Sr|St|Inc|Ltd|Co|Corp|Bros)\.)$")
"""What may end a span with a point of its own: "U.S.", "Jr."."""
_THOUSANDS = re.compile(r"\d,\d{3}(?!\d)")


class Layout(NamedTuple):
    """What differs between the languages."""

    weights: Path
    tokenizer: Path
    folded: Callable[[str], str]
    """Makes text what the encoder was trained on; keeps its length, so that offsets stay."""
    widest: int
    """Longest answer, in tokens."""
    window: int
    """Tokens of a window: question, title and text together. Longer passages take several."""
    overlap: int
    """Tokens of the text that a window shares with the one before."""
    length_cost: float
    """What each further token takes from a span's score: a span whose start was chosen apart from
    its end is too long more often than too short. Chosen on calibration rows."""


def _same(text: str) -> str:
    return text


_HERE = Path(__file__).parent
ENGLISH = Layout(
    weights=_HERE / "reader-en.onnx",
    tokenizer=_HERE / "reader-en-tokenizer.json",
    folded=_same,
    widest=28,
    window=256,
    overlap=96,
    length_cost=0.0,
)
CHINESE = Layout(
    weights=_HERE / "reader-zh.onnx",
    tokenizer=_HERE / "reader-zh-tokenizer.json",
    folded=folded,
    widest=64,
    window=144,
    overlap=48,
    length_cost=0.1,
)


class Card(BaseModel):
    """What is known of the shipped weights."""

    model_config = ConfigDict(extra="allow")

    sha256: str
    no_answer_scale: float
    no_answer_shift: float
    """no_answer = σ(scale × (null score − best span score) + shift), fitted on held-out rows."""


class _Window(BaseModel):
    """A stretch of a passage as the encoder sees it."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    passage: int
    ids: list[int]
    first: int
    """Position of the first token of the passage's text."""
    offsets: list[tuple[int, int]]
    """Character span in `passage.text` of each token from `first` on."""


class EncoderReader:
    """Reads passages of one language. Loaded when first used; safe to share between threads.

    `layout.weights` is an ONNX file with its card (`Card`) beside it, under the same name in
    `.json`; reading raises ModelFileError where either is missing or they do not belong together.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._weights = layout.weights

    @functools.cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._layout.tokenizer))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @functools.cached_property
    def _card(self) -> Card:
        path = self._weights.with_suffix(".json")
        try:
            return Card.model_validate_json(_contents(path))
        except ValidationError as error:
            raise ModelFileError(
                f"the reader's card {path} is damaged: install hoptree again"
            ) from error

    @functools.cached_property
    def _model(self) -> OnnxEncoder:
        weights = _contents(self._weights)
        if hashlib.sha256(weights).hexdigest() != self._card.sha256:
            raise ModelFileError(
                f"the reader's weights {self._weights} are not those that their card names: "
                "install hoptree again"
            )
        return OnnxEncoder(weights)

    def read(
        self,
        question: str,
        passages: Sequence[Passage],
        expects: AnswerType = AnswerType.ANY,
        per_passage: int = 3,
    ) -> list[Candidate]:
        """Return up to `per_passage` spans of each passage; see `graph.protocols.Reader`.

        No two spans of a passage overlap. A blank question has no answers. `expects` is not used.
        """
        if not question.strip():
            return []
        windows = [
            w for n, passage in enumerate(passages) for w in self._windows(question, n, passage)
        ]
        outputs = self._model.run([w.ids for w in windows])
        scored = [(output["start"], output["end"]) for output in outputs]
        found: list[Candidate] = []
        for number, passage in enumerate(passages):
            mine = [(w, s) for w, s in zip(windows, scored, strict=True) if w.passage == number]
            if mine:
                found += self._candidates(question, passage, mine, per_passage)
        return found

    def _encoded(self, text: str) -> Any:
        return self._tokenizer.encode(self._layout.folded(text), add_special_tokens=False)

    def _windows(self, question: str, number: int, passage: Passage) -> list[_Window]:
        asked = self._encoded(question).ids[:MAX_QUESTION]
        title = self._encoded(f"{passage.title}.").ids[:MAX_TITLE]
        text = self._encoded(passage.text)
        cls, sep = self._tokenizer.token_to_id("[CLS]"), self._tokenizer.token_to_id("[SEP]")
        head = [cls, *asked, sep]
        context = title if passage.title else []
        room = self._layout.window - len(head) - len(context) - 1
        windows = []
        for begin in range(0, max(len(text.ids), 1), room - self._layout.overlap):
            ids = text.ids[begin : begin + room]
            windows.append(
                _Window(
                    passage=number,
                    ids=[*head, *context, *ids, sep],
                    first=len(head) + len(context),
                    offsets=text.offsets[begin : begin + room],
                )
            )
            if begin + room >= len(text.ids):
                break
        return windows

    def _candidates(
        self,
        question: str,
        passage: Passage,
        windows: Sequence[tuple[_Window, tuple[NDArray[np.float32], NDArray[np.float32]]]],
        most: int,
    ) -> list[Candidate]:
        spans: dict[tuple[int, int], float] = {}
        for window, (starts, ends) in windows:
            last = window.first + len(window.offsets)
            likely = _likely_spans(
                starts[window.first : last], ends[window.first : last], self._layout.widest
            )
            # A window without the answer has its best span too: what counts is how far above
            # "there is none" a span is (Devlin et al., 2019).
            null = float(starts[0] + ends[0])
            for first, final, score in likely:
                at = _snapped(passage.text, window.offsets[first][0], window.offsets[final][1])
                if at is not None:
                    worth = score - null - self._layout.length_cost * (final - first)
                    spans[at] = max(spans.get(at, -math.inf), worth)
        spans = {
            (begin, end): worth
            for (begin, end), worth in spans.items()
            if not of_the_other_end(passage.text, begin, end, question)
        }
        if not spans:
            return []
        ordered = sorted(spans.items(), key=lambda row: (-row[1], row[0]))
        top = ordered[0][1]
        total = sum(math.exp(score - top) for _, score in ordered)
        logit = -self._card.no_answer_scale * top + self._card.no_answer_shift
        no_answer = 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))
        kept: list[tuple[int, int]] = []
        found = []
        for span, score in ordered:
            start_at, end_at = completed(passage.text, *span, question)
            if any(start_at < b and a < end_at for a, b in kept):
                continue
            kept.append((start_at, end_at))
            found.append(
                Candidate(
                    passage_id=passage.id,
                    text=passage.text[start_at:end_at],
                    start=start_at,
                    end=end_at,
                    score=math.exp(score - top) / total,
                    no_answer=no_answer,
                )
            )
            if len(found) == most:
                break
        return found


def _likely_spans(
    starts: NDArray[np.float32], ends: NDArray[np.float32], widest: int
) -> list[tuple[int, int, float]]:
    """Return (first token, last token, score) of the best spans of at most `widest` tokens."""
    scores = starts[:, None] + ends[None, :]
    length = np.arange(len(ends))[None, :] - np.arange(len(starts))[:, None]
    scores[(length < 0) | (length >= widest)] = -np.inf
    flat = scores.ravel()
    top = np.argpartition(-flat, _SPANS)[:_SPANS] if flat.size > _SPANS else np.arange(flat.size)
    return [
        (int(i) // len(ends), int(i) % len(ends), float(flat[i]))
        for i in top
        if np.isfinite(flat[i])
    ]


def _contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"the reader's file {path} cannot be read ({error.strerror}): install hoptree again"
        ) from error


def _snapped(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Widen a span to whole words, then drop marks around it; None where nothing is left.

    Brackets that belong to what is kept stay: "Lee (born 1921)".
    """
    while start > 0 and _joined(text, start):
        start -= 1
    while end < len(text) and _joined(text, end):
        end += 1
    while start < end and _trimmed(text[start]):
        if text[start] == "-" and text[start + 1 : start + 2].isdigit():
            break
        start += 1
    following = text[end : end + 1]
    if following in _CLOSING and _unclosed(text[start:end], following) > 0:
        end += 1
    while end > start and _trimmed(text[end - 1]):
        inside = text[start:end]
        if inside[-1].isspace():
            end -= 1
            continue
        if inside[-1] in _CLOSING and _unclosed(inside, inside[-1]) == 0:
            break
        if _SHORTENED.search(inside):
            break
        end -= 1
    return (start, end) if start < end else None


def _trimmed(character: str) -> bool:
    return character in _TRIM or character.isspace()


def _unclosed(text: str, closing: str) -> int:
    return text.count(_CLOSING[closing]) - text.count(closing)


def _joined(text: str, at: int) -> bool:
    """Return whether a border at `at` would cut a word or a number ("11,900", "6.5") in two."""
    if text[at - 1].isalnum() and text[at].isalnum():
        return not (_HAN.match(text[at - 1]) or _HAN.match(text[at]))
    return any(
        mark > 0
        and (
            _THOUSANDS.match(text, mark - 1) is not None
            or (
                text[mark] == "."
                and text[mark - 1].isdigit()
                and text[mark + 1 : mark + 2].isdigit()
            )
        )
        for mark in (at - 1, at)
    )
