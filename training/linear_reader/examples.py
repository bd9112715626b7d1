"""Training rows as arrays: a passage's spans, their measures and signs, and how right each is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.readers.features_zh import Floats, Measured, measured
from agent.readers.question_zh import asked
from agent.readers.spans_zh import Ints, tokenised
from training.linear_reader.rows import Row, Source

WIDTH = 24
"""Most signs of a span: 8 of its first token, 10 of its last, and its own."""


@dataclass(frozen=True, slots=True)
class Example:
    """One question with the spans of its passage."""

    row: Row
    measured: Measured
    overlap: Floats
    """[N] F1 of each span's characters against the answer's own place."""


def read_passage(question: str, source: Source) -> Measured | None:
    """Measure a passage as the reader does."""
    return measured(asked(question), tokenised(source.text), tokenised(source.title))


def example(row: Row) -> Example | None:
    """Return the row's spans, or None where the passage has none."""
    found = read_passage(row.question, row.passage)
    if found is None:
        return None
    tokens = tokenised(row.passage.text)
    text, start, end = row.passage.text, row.start, row.start + len(row.answer)
    while start < end and not text[start].isalnum() and text[start] not in "《":
        start += 1
    while end > start and not text[end - 1].isalnum() and text[end - 1] not in "》%）)":
        end -= 1
    first, last = tokens.starts[found.first], tokens.ends[found.last]
    shared = np.maximum(np.minimum(last, end) - np.maximum(first, start), 0)
    overlap = 2 * shared / (last - first + max(end - start, 1))
    return Example(row, found, overlap.astype(np.float32))


def sign_rows(found: Measured, ids: dict[str, int], chosen: Ints) -> NDArray[np.int32]:
    """Return [len(chosen), WIDTH] numbers of the signs of the chosen spans; 0 for none."""
    starts = {t: [ids[s] for s in signs if s in ids] for t, signs in found.start_signs.items()}
    ends = {t: [ids[s] for s in signs if s in ids] for t, signs in found.end_signs.items()}
    own: dict[int, list[int]] = {}
    for span, sign in found.span_signs:
        if sign in ids:
            own.setdefault(span, []).append(ids[sign])
    rows = np.zeros((len(chosen), WIDTH), dtype=np.int32)
    for row, span in enumerate(chosen.tolist()):
        signs = starts[int(found.first[span])] + ends[int(found.last[span])] + own.get(span, [])
        rows[row, : len(signs[:WIDTH])] = signs[:WIDTH]
    return rows


def vocabulary(examples: Iterable[Example], least: int) -> dict[str, int]:
    """Number, from 1, the signs that stand in at least `least` rows."""
    counts: Counter[str] = Counter()
    for example_ in examples:
        found = example_.measured
        seen = {s for signs in found.start_signs.values() for s in signs}
        seen |= {s for signs in found.end_signs.values() for s in signs}
        seen |= {s for _, s in found.span_signs}
        counts.update(seen)
    kept = sorted(sign for sign, count in counts.items() if count >= least)
    return {sign: number for number, sign in enumerate(kept, start=1)}
