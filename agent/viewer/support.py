"""The support graph of a step, drawn: passages on the left, clusters of answers on the right."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

from markupsafe import Markup

from agent.show import one_line, safe
from agent.viewer.views import StepView
from retrievers.passage import Passage

_STYLE = re.compile("<style>.*?</style>", re.DOTALL)
_ROW = 34
_BOX = 26
_LEFT, _RIGHT, _WIDTH = 262, 438, 700
"""Where the passages end and the clusters begin, of the whole drawing's width."""
_CHARACTERS = 34
"""Latin characters that fit into a box; a Chinese one takes the room of two."""


class _Edge(NamedTuple):
    passage: str
    cluster: int
    weight: float
    kind: str
    """`extracts` or `supports`."""


def drawing(step: StepView, passages: Mapping[str, Passage]) -> Markup:
    """Draw which passages the answers were read from, and which state one as well.

    Lines are thicker the more they weigh; dashed ones lead from passages that only state the
    answer. Empty where the step was not decided by a vote.
    """
    if find_spec("graph.support") is not None and step.result is not None:
        svg = import_module("graph.support.drawing").svg(step.result, passages)
        # Our own style sheet has its styles: the policy of the page allows no other.
        return Markup(_STYLE.sub("", svg))  # the text in it is escaped
    verdict = step.result.verdict if step.result is not None else None
    if verdict is None or not verdict.clusters:
        return Markup()
    edges = list(_edges(step))
    rank = {found.passage: found.rank for found in step.found}
    shown = sorted({e.passage for e in edges}, key=lambda p: rank.get(p, len(rank) + 1))
    height = max(len(shown), len(verdict.clusters)) * _ROW + 2
    place = {passage: _middle(n, len(shown), height) for n, passage in enumerate(shown)}
    parts = [Markup("<g>")]
    for edge in sorted(edges, key=lambda e: e.weight):
        y1 = place[edge.passage]
        y2 = _middle(edge.cluster, len(verdict.clusters), height)
        bend = (_LEFT + _RIGHT) / 2
        won = " won" if edge.cluster == 0 else ""
        parts.append(
            Markup(
                '<path class="edge {}{}" d="M{} {:.1f} C{} {:.1f} {} {:.1f} {} {:.1f}" '
                'stroke-width="{:.2f}"/>'
            ).format(edge.kind, won, _LEFT, y1, bend, y1, bend, y2, _RIGHT, y2, 1 + 5 * edge.weight)
        )
    parts.append(Markup("</g>"))
    for passage in shown:
        known = passages.get(passage)
        title = (known.title if known is not None else "") or passage
        number = f"{rank[passage]} · " if passage in rank else ""
        box = _box(1, place[passage], _LEFT - 1, f"{number}{title}", "passage")
        parts.append(Markup('<a href="#{}f{}">{}</a>').format(step.id, rank.get(passage, 0), box))
    for n, cluster in enumerate(verdict.clusters):
        y = _middle(n, len(verdict.clusters), height)
        text = f"{_cut(cluster.text, _CHARACTERS - 6)} · {cluster.strength:.2f}"
        kind = "cluster won" if n == 0 else "cluster"
        parts.append(_box(_RIGHT, y, _WIDTH - _RIGHT - 1, text, kind))
    told = f"Support graph: {len(shown)} passages, {len(verdict.clusters)} answers. "
    return Markup(
        '<svg class="support" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(_WIDTH, height, told + safe(verdict.explanation), Markup().join(parts))


def _edges(step: StepView) -> Iterator[_Edge]:
    assert step.result is not None and step.result.verdict is not None
    weight = {(c.candidate.passage_id, c.candidate.start): c.weight for c in step.candidates}
    for n, cluster in enumerate(step.result.verdict.clusters):
        heaviest: dict[str, float] = {}
        for c in cluster.candidates:
            at = (c.passage_id, c.start)
            heaviest[c.passage_id] = max(heaviest.get(c.passage_id, 0.0), weight.get(at, 0.0))
        for passage, heavy in heaviest.items():
            yield _Edge(passage, n, heavy, "extracts")
        for passage in cluster.supporters:
            yield _Edge(passage, n, 0.0, "supports")


def _middle(number: int, of: int, height: float) -> float:
    """Return the height at which the box stands, so that the column is centred."""
    return (height - of * _ROW) / 2 + number * _ROW + _ROW / 2


def _box(x: float, y: float, width: float, text: str, kind: str) -> Markup:
    return Markup(
        '<g class="{}"><title>{}</title><rect x="{}" y="{:.1f}" width="{}" height="{}" rx="5"/>'
        '<text x="{}" y="{:.1f}">{}</text></g>'
    ).format(
        kind, safe(text), x, y - _BOX / 2, width, _BOX, x + 9, y + 4.5, _cut(text, _CHARACTERS)
    )


def _cut(text: str, room: int) -> str:
    """Return the text on one line, cut to the room of so many Latin characters."""
    text = one_line(text)
    taken = 0
    for place, character in enumerate(text):
        taken += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if taken > room:
            return text[: max(place - 1, 0)] + "…"
    return text
