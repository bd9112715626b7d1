"""The support graph of a verdict as a drawing: passages on the left, answers on the right."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from graph.types import Ballot, Cluster, StepResult
from prompts.loader import render
from retrievers.analysis import language_of
from retrievers.passage import Passage

WIDTH = 760
"""Units of the drawing's own; it scales to the room that it is given."""
_LEFT, _RIGHT, _ROW = 300, 270, 30
_MARGIN, _HEAD, _GAP = 12, 34, 8
_LABEL = 40
"""Columns of text in a box; a Chinese character takes two."""
_BELOW = 4
"""Answers drawn at most."""
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
_STYLE = """
.support-graph rect{fill:none;stroke:currentColor;stroke-opacity:.45;rx:6px}
.support-graph .wins rect{stroke-width:2.5;stroke-opacity:1}
.support-graph .silent{opacity:.4}
.support-graph text{fill:currentColor;font:13px system-ui,sans-serif}
.support-graph .note{font-size:11px;opacity:.75}
.support-graph .wins .name{font-weight:600}
.support-graph path{fill:none;stroke:currentColor}
.support-graph .states{stroke-dasharray:5 4}
.support-graph .bracket{stroke-opacity:.6}
"""


class _Row(NamedTuple):
    """A passage as it stands in the left column."""

    id: str
    ballot: int | None
    """Number of the vote that it shares with the rows beside it."""


def svg(result: StepResult, passages: Mapping[str, Passage], language: str | None = None) -> str:
    """Draw what a step's verdict rests on, as one SVG element.

    An edge is as thick as its vote is heavy, whole where the answer was read from the passage and
    dashed where the passage only states it. A bracket joins passages that share one vote.

    Parameters
    ----------
    result
        A step's verdict or failure, as the trace keeps it.
    passages
        The passages by id; one that is missing is named by its id.
    language
        Of the words. None takes the sub-question's.

    Returns
    -------
    str
        A well-formed `<svg>` with `<title>` and `<desc>`, drawn in `currentColor`: it follows the
        page that it is put into, light or dark. All text is escaped.
    """
    language = language or language_of(result.question)
    shown = result.verdict.clusters[:_BELOW] if result.verdict else ()
    rows = _rows(result, shown)
    places = {row.id: _HEAD + n * _ROW for n, row in enumerate(rows)}
    answers = _spread([_centre(cluster, places) for cluster in shown])
    height = max([_HEAD, *places.values(), *(int(y) + _ROW for y in answers)]) + _ROW + _MARGIN
    spoke = {passage for cluster in shown for b in cluster.ballots for passage in b.passages}
    parts = [
        f'<text class="note" x="{_MARGIN}" y="20">{_said("drawing_passages", language)}</text>',
        f'<text class="note" x="{WIDTH - _MARGIN - _RIGHT}" y="20">'
        f"{_said('drawing_answers', language)}</text>",
    ]
    for number, (cluster, y) in enumerate(zip(shown, answers, strict=True)):
        parts += [_edges(ballot, places, y) for ballot in cluster.ballots]
        parts.append(_answer(cluster, y, number == 0, language))
    for row in rows:
        parts.append(_passage(row.id, places[row.id], passages.get(row.id), row.id in spoke))
    parts += _brackets(rows, places, shown, language)
    if result.verdict is None and result.failure is not None:
        x = WIDTH - _MARGIN - _RIGHT
        parts.append(f'<text x="{x}" y="{_HEAD + 19}">{_text(result.failure.detail, 52)}</text>')
    desc = _description(result, language)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'class="support-graph" lang="{language}"><title>{_text(result.question)}</title>'
        f"<desc>{_text(desc)}</desc><style>{_STYLE}</style>{''.join(parts)}</svg>"
    )


def _rows(result: StepResult, shown: Sequence[Cluster]) -> list[_Row]:
    """Order the passages: those of the winner first, who share a vote side by side."""
    rows: dict[str, _Row] = {}
    number = 0
    for cluster in shown:
        for ballot in cluster.ballots:
            fresh = [passage for passage in ballot.passages if passage not in rows]
            for passage in fresh:
                rows[passage] = _Row(passage, number if len(ballot.passages) > 1 else None)
            number += 1
    for passage in result.passages:
        rows.setdefault(passage, _Row(passage, None))
    return list(rows.values())


def _centre(cluster: Cluster, places: Mapping[str, int]) -> float:
    at = [places[passage] for ballot in cluster.ballots for passage in ballot.passages]
    return sum(at) / len(at) if at else float(_HEAD)


def _spread(wanted: Sequence[float]) -> list[float]:
    """Push boxes down until none touches the one above it."""
    height = 2 * _ROW
    placed: list[float] = []
    for y in wanted:
        placed.append(max(y, placed[-1] + height) if placed else max(y, _HEAD))
    return placed


def _edges(ballot: Ballot, places: Mapping[str, int], y: float) -> str:
    x1, x2 = _MARGIN + _LEFT, WIDTH - _MARGIN - _RIGHT
    middle, end = (x1 + x2) / 2, y + _ROW - _GAP / 2
    drawn = []
    for place, passage in enumerate(ballot.passages):
        begin = places[passage] + (_ROW - _GAP) / 2
        kind = "reads" if ballot.read else "states"
        # The vote is one, however many share it.
        width = 0.8 + 5.2 * ballot.weight if place == 0 else 0.8
        drawn.append(
            f'<path class="{kind}" stroke-width="{width:.1f}" stroke-opacity="'
            f'{0.75 if place == 0 else 0.3}" d="M{x1} {begin:g}C{middle:g} {begin:g} {middle:g} '
            f'{end:g} {x2} {end:g}"><title>{ballot.weight:.2f}</title></path>'
        )
    return "".join(drawn)


def _answer(cluster: Cluster, y: float, wins: bool, language: str) -> str:
    x, width = WIDTH - _MARGIN - _RIGHT, _RIGHT
    note = render(
        "drawing_votes",
        language,
        votes=str(cluster.votes),
        confidence=f"{cluster.confidence:.2f}",
    )
    return (
        f'<g class="answer{" wins" if wins else ""}"><title>{_text(cluster.text)}</title>'
        f'<rect x="{x}" y="{y:g}" width="{width}" height="{2 * _ROW - _GAP}"/>'
        f'<text class="name" x="{x + 10}" y="{y + 21:g}">{_text(cluster.text, 34)}</text>'
        f'<text class="note" x="{x + 10}" y="{y + 40:g}">{_text(note, _LABEL)}</text></g>'
    )


def _passage(key: str, y: int, passage: Passage | None, spoke: bool) -> str:
    name = (passage.title or passage.text) if passage is not None else key
    told = f"{key}: {passage.text[:300]}" if passage is not None else key
    return (
        f'<g class="passage{"" if spoke else " silent"}"><title>{_text(told)}</title>'
        f'<rect x="{_MARGIN}" y="{y}" width="{_LEFT}" height="{_ROW - _GAP}"/>'
        f'<text x="{_MARGIN + 10}" y="{y + 16}">{_text(name, _LABEL)}</text></g>'
    )


def _brackets(
    rows: Sequence[_Row], places: Mapping[str, int], shown: Sequence[Cluster], language: str
) -> list[str]:
    ballots = [ballot for cluster in shown for ballot in cluster.ballots]
    drawn = []
    for number in sorted({row.ballot for row in rows if row.ballot is not None}):
        at = [places[row.id] for row in rows if row.ballot == number]
        if len(at) < 2:
            continue
        reason = ballots[number].shared or "source"
        drawn.append(
            f'<path class="bracket" stroke-width="2" d="M{_MARGIN - 3} {min(at)}H{_MARGIN - 8}V'
            f'{max(at) + _ROW - _GAP}H{_MARGIN - 3}"><title>{_said(f"shared_{reason}", language)}'
            "</title></path>"
        )
    return drawn


def _description(result: StepResult, language: str) -> str:
    if result.verdict is None:
        return result.failure.detail if result.failure else ""
    from graph.support.explanation import explain

    return explain(result, language=language)


def _said(name: str, language: str) -> str:
    return escape(render(name, language))


def _text(text: str, columns: int | None = None) -> str:
    """Return the text as XML may hold it, cut to so many columns."""
    plain = _UNSHOWABLE.sub(" ", text)
    if columns is None:
        return escape(plain)
    kept, used = "", 0
    for character in plain:
        used += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used > columns:
            return escape(kept.rstrip()) + "…"
        kept += character
    return escape(kept)
