"""What is measured of a span as an answer to a Chinese question.

Two kinds of features: *measures*, numbers of a span that a small network weighs together, and
*signs*, named conjunctions of the question's kind with the words and parts of speech at the span's
borders, each with a weight of its own. Signs belong to one border or one token, so a passage's
spans are scored from one look-up per token rather than one per span.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.readers.question_zh import KINDS, Asked
from agent.readers.spans_zh import MAX_SENTENCE, TYPED, Ints, Tokens, rarity, spans

Floats = NDArray[np.float32]

SENTENCES = 4
"""Sentences of a passage that are searched: those that share most with the question."""
_REACH = (1.5, 5.0, 20.0)
"""Tokens at which the weight of a question word near a span falls to 1/e."""
_CLASSES = ("n", "nr", "ns", "nt", "nz", "t", "m", "v", "a", "x", "eng", "w", "u", "p")
_SHAPE = 4
"""Longest span, in tokens, whose sequence of parts of speech is a sign."""
_NEAR = 8
"""Characters beside a span that are aligned with those beside the question word."""
_SKIPPED = str.maketrans("", "", "的了是在于为，, 「」《》“”")

_distance = np.arange(MAX_SENTENCE)[:, None] - np.arange(MAX_SENTENCE)[None, :]
_FALL = np.stack([np.where(_distance > 0, np.exp(-_distance / reach), 0) for reach in _REACH])
"""_FALL[d, t, u]: weight of token u for a span that begins at t > u."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The spans of one passage for one question. N spans over the tokens of the sentences read."""

    first: Ints
    """[N] first token of each span."""
    last: Ints
    """[N] last token."""
    measures: Floats
    """[N, len(MEASURES)]"""
    start_signs: dict[int, list[str]]
    """Signs of a token as the first of a span."""
    end_signs: dict[int, list[str]]
    """Signs of a token as the last."""
    span_signs: list[tuple[int, str]]
    """(span, sign)"""
    cover: float
    """Share of the question's words, weighed by rarity, that stand in the passage."""
    best_cover: float
    """The same of its best sentence."""
    pair_cover: float
    """Share of the question's pairs of neighbouring characters that stand in its best sentence."""


def _pairs(text: str) -> list[str]:
    return [
        text[k : k + 2] for k in range(len(text) - 1) if text[k].isalnum() and text[k + 1].isalnum()
    ]


def _matches(question: Asked, tokens: Tokens, first: int, end: int) -> Floats:
    """Return [end - first, 3]: how much of a question word each token is: any, left of the
    question word, right of it."""
    found = np.zeros((end - first, 3), dtype=np.float32)
    pairs_left = set(_pairs(question.text[: question.at[0]]))
    pairs_right = set(_pairs(question.text[question.at[1] :]))
    for row, t in enumerate(range(first, end)):
        word = tokens.terms[t]
        value = rarity(word)
        if not value:
            continue
        left, right = question.left.get(word, 0.0) > 0, question.right.get(word, 0.0) > 0
        found[row, 1], found[row, 2] = value * left, value * right
        if not left and not right:
            a, b = int(tokens.starts[t]), int(tokens.ends[t])
            around = _pairs(tokens.text[max(a - 1, 0) : b + 1])
            if around:
                found[row, 1] = 0.6 * value * sum(p in pairs_left for p in around) / len(around)
                found[row, 2] = 0.6 * value * sum(p in pairs_right for p in around) / len(around)
        found[row, 0] = max(found[row, 1], found[row, 2])
    return found


def _common(a: str, b: str) -> int:
    """Return the length of the beginning that two texts share."""
    for k, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return k
    return min(len(a), len(b))


def _aligned(question: Asked, tokens: Tokens, first: int, end: int) -> Floats:
    """Return [end - first, 4]: characters that stand before the token as before the question
    word, and behind it as behind that; as they are, and without particles."""
    left, right = question.text[: question.at[0]], question.text[question.at[1] :].rstrip("?？。")
    right_after = right[len(question.focus) :] if right.startswith(question.focus) else right
    bare_left, bare_right = left.translate(_SKIPPED)[::-1], right_after.translate(_SKIPPED)
    rows = np.zeros((end - first, 4), dtype=np.float32)
    for row, t in enumerate(range(first, end)):
        a, b = int(tokens.starts[t]), int(tokens.ends[t])
        before, behind = tokens.text[max(a - _NEAR, 0) : a], tokens.text[b : b + _NEAR]
        rows[row] = (
            _common(before[::-1], left[::-1]),
            max(_common(behind, right), _common(behind, right_after)),
            _common(before.translate(_SKIPPED)[::-1], bare_left),
            _common(behind.translate(_SKIPPED), bare_right),
        )
    rows /= 4
    return rows


def _names() -> list[str]:
    names = ["cover", "pair cover", "rank", "cover below best", "first sentence", "cover before"]
    for side in ("left", "right"):
        for reach in _REACH:
            names += [f"{side} {reach} {which}" for which in ("any", "asked left", "asked right")]
    names += ["inside", "inside share", "inside any", "rest of sentence"]
    names += ["align before", "align behind", "align bare before", "align bare behind"]
    names += ["characters", "characters/10", *(f"tokens {k}" for k in (1, 2, 3, 4, 7, 12, 65))]
    names += ["clauses", "listed", "begins clause", "ends clause", "whole clause", "bracketed"]
    names += [f"share {c}" for c in _CLASSES]
    names += [f"first {c}" for c in _CLASSES] + [f"last {c}" for c in _CLASSES]
    names += [f"typed {kind}" for kind in TYPED]
    names += ["in title", "title left", "place in text", "again"]
    names += ["focus character last", "focus inside", "focus behind", "focus before", "focus last"]
    names += ["left asked", "right asked", "left mark", "right mark", "rarity"]
    return [*names, *(f"kind {kind}" for kind in KINDS)]


MEASURES = tuple(_names())


def _tag_classes(tokens: Tokens, first: int, end: int) -> Floats:
    rows = np.zeros((end - first, len(_CLASSES)), dtype=np.float32)
    for row, tag in enumerate(tokens.tags[first:end]):
        for column, name in enumerate(_CLASSES):
            if tag == name or (len(name) == 1 and tag[0] == name and tag not in _CLASSES):
                rows[row, column] = 1
    return rows


def measured(question: Asked, tokens: Tokens, title: Tokens) -> Measured | None:
    """Measure the spans of the sentences that share most with the question; None without spans."""
    sentences = tokens.sentences
    total = sum(question.words.values()) or 1.0
    pairs = set(_pairs(question.text[: question.at[0]])) | set(
        _pairs(question.text[question.at[1] :])
    )
    title_words = {w for w in title.words if rarity(w)}
    covers, pair_covers = [], []
    everywhere: set[str] = set()
    for a, b in sentences:
        words = set(tokens.terms[a:b])
        everywhere |= words
        # The title is what a passage is about: its words count as said in every sentence.
        said = [v for w, v in question.words.items() if w in words or w in title_words]
        covers.append(sum(said) / total)
        stretch = tokens.text[tokens.starts[a] : tokens.ends[b - 1]]
        pair_covers.append(sum(p in stretch or p in title.text for p in pairs) / (len(pairs) or 1))
    order = sorted(range(len(sentences)), key=lambda s: (-covers[s] - pair_covers[s], s))
    blocks = []
    for rank, s in enumerate(order[:SENTENCES]):
        first, end = sentences[s]
        i, j = spans(tokens, first, end)
        if len(i):
            before = covers[s - 1] if s else 0.0
            about = (covers[s], pair_covers[s], 1 / (1 + rank), max(covers) - covers[s])
            blocks.append((i, j, (*about, float(s == 0), before), first, end))
    if not blocks:
        return None
    parts = [
        _block(question, tokens, title_words, i, j, about, first, end)
        for i, j, about, first, end in blocks
    ]
    i = np.concatenate([block[0] for block in blocks])
    j = np.concatenate([block[1] for block in blocks])
    best = order[0]
    return Measured(
        first=i,
        last=j,
        measures=np.concatenate(parts),
        start_signs={t: list(_start_signs(question, tokens, t)) for t in set(i.tolist())},
        end_signs={t: list(_end_signs(question, tokens, t)) for t in set(j.tolist())},
        span_signs=list(_span_signs(question, tokens, i, j)),
        cover=sum(v for w, v in question.words.items() if w in everywhere or w in title_words)
        / total,
        best_cover=covers[best],
        pair_cover=pair_covers[best],
    )


def _block(
    question: Asked,
    tokens: Tokens,
    title_words: set[str],
    i: Ints,
    j: Ints,
    about: tuple[float, ...],
    first: int,
    end: int,
) -> Floats:
    """Return the measures of the spans (i, j) of the sentence first:end."""
    n, words = end - first, tokens.words[first:end]
    a, b = i - first, j - first
    match = _matches(question, tokens, first, end)
    near = np.einsum("dtu,uk->tdk", _FALL[:, :n, :n], match).reshape(n, -1)
    far = np.einsum("dut,uk->tdk", _FALL[:, :n, :n], match).reshape(n, -1)
    length = (j - i + 1).astype(np.float32)

    def inside(column: Floats) -> Floats:
        """Sum of a token's values over each span; the same over rows of several values."""
        summed = np.concatenate([np.zeros((1, *column.shape[1:]), dtype=np.float32), column])
        summed = np.cumsum(summed, axis=0, dtype=np.float32)
        return np.asarray(summed[b + 1] - summed[a], dtype=np.float32)

    def flag(test: list[bool]) -> Floats:
        return np.array(test, dtype=np.float32)

    held = inside(match[:, 0])
    hits = inside((match[:, 0] > 0).astype(np.float32))
    aligned = _aligned(question, tokens, first, end)
    chars = (tokens.ends[j] - tokens.starts[i]).astype(np.float32)
    buckets = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 7), (8, 12), (13, 999)]
    tags = _tag_classes(tokens, first, end)
    clause = tokens.clause[first:end]
    starts_clause = np.append(True, np.diff(clause) > 0)
    marks = flag([tokens.tags[t] == "w" for t in range(first, end)])
    ends_clause = np.append((np.diff(clause) > 0) | (marks[1:] > 0), True)
    opened = flag([w in "《「『“（(" for w in words])
    closed = flag([w in "》」』”）)" for w in words])
    asked_before = np.append(0, match[:-1, 0] > 0).astype(np.float32)
    asked_behind = np.append(match[1:, 0] > 0, 0).astype(np.float32)
    mark_before, mark_behind = np.append(1, marks[:-1]), np.append(marks[1:], 1)
    bracketed = np.append(0, opened[:-1])[a] * np.append(closed[1:], 0)[b]
    titled = flag([w in title_words for w in words])
    titles_before = np.minimum(np.cumsum(np.append(0, titled[:-1])), 1)
    typed = np.zeros((len(i), len(TYPED)), dtype=np.float32)
    kinds = list(TYPED)
    for row, key in enumerate(zip(i.tolist(), j.tolist(), strict=True)):
        for kind in tokens.typed.get(key, ()):
            typed[row, kinds.index(kind)] = 1
    focus, last_char = question.focus, question.focus[-1:]
    focused = flag([bool(focus) and w == focus for w in words])
    ends_so = flag([bool(focus) and w.endswith(last_char) for w in words])
    focus_behind, focus_before = np.append(focused[1:], 0), np.append(0, focused[:-1])
    rare = np.array([rarity(w) for w in words], dtype=np.float32)
    again = np.array([tokens.words.count(w) > 1 for w in words], dtype=np.float32)
    asked_kind = np.zeros(len(KINDS), dtype=np.float32)
    asked_kind[KINDS.index(question.kind)] = 1
    whole = float(sum(question.words.values()) or 1.0)
    columns = [
        np.tile(np.array(about, dtype=np.float32), (len(i), 1)),
        near[a],
        far[b],
        held,
        hits / length,
        hits > 0,
        (match[:, 0].sum() - held) / whole,
        aligned[a, 0],
        aligned[b, 1],
        aligned[a, 2],
        aligned[b, 3],
        np.log(chars),
        chars / 10,
        *[(length >= low) & (length <= high) for low, high in buckets],
        clause[b] - clause[a],
        inside(flag([w == "、" for w in words])),
        starts_clause[a],
        ends_clause[b],
        starts_clause[a] & ends_clause[b],
        bracketed,
        inside(tags) / length[:, None],
        tags[a],
        tags[b],
        typed,
        inside(titled) / length,
        titles_before[a],
        tokens.starts[i] / max(len(tokens.text), 1),
        inside(again) / length,
        ends_so[b],
        inside(focused),
        focus_behind[b],
        focus_before[a],
        focused[b],
        asked_before[a],
        asked_behind[b],
        mark_before[a],
        mark_behind[b],
        inside(rare) / length,
        np.tile(asked_kind, (len(i), 1)),
    ]
    return np.column_stack([np.asarray(c, dtype=np.float32) for c in columns])


def _start_signs(question: Asked, tokens: Tokens, t: int) -> Iterator[str]:
    kind, focus = question.kind, question.focus
    word, tag = tokens.words[t], tokens.tags[t]
    before = tokens.terms[t - 1] if t else "^"
    before_tag = tokens.tags[t - 1] if t else "^"
    second = tokens.terms[t - 2] if t > 1 else "^"
    yield f"f {kind} {word}"
    yield f"ft {kind} {tag}"
    yield f"ff {focus} {tag}"
    yield f"l {kind} {before}"
    yield f"la {before}"
    yield f"lt {kind} {before_tag} {tag}"
    yield f"l2 {second} {before}"
    yield f"lf {focus} {before}"


def _end_signs(question: Asked, tokens: Tokens, t: int) -> Iterator[str]:
    kind, focus = question.kind, question.focus
    word, tag = tokens.words[t], tokens.tags[t]
    behind = tokens.terms[t + 1] if t + 1 < len(tokens.words) else "$"
    behind_tag = tokens.tags[t + 1] if t + 1 < len(tokens.words) else "$"
    yield f"e {kind} {word}"
    yield f"et {kind} {tag}"
    yield f"ec {kind} {word[-1]}"
    yield f"ef {focus} {tag}"
    yield f"efc {focus[-1:]} {word[-1]}"
    yield f"efw {focus} {word}"
    yield f"r {kind} {behind}"
    yield f"ra {behind}"
    yield f"rt {kind} {tag} {behind_tag}"
    yield f"rf {focus} {behind}"


def _span_signs(question: Asked, tokens: Tokens, i: Ints, j: Ints) -> Iterator[tuple[int, str]]:
    kind, focus = question.kind, question.focus
    for span, (a, b) in enumerate(zip(i.tolist(), j.tolist(), strict=True)):
        if b - a < _SHAPE:
            yield span, f"s {kind} {' '.join(tokens.tags[a : b + 1])}"
        for form in tokens.typed.get((a, b), ()):
            yield span, f"y {kind} {form}"
            yield span, f"yf {focus} {form}"
