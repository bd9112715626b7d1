"""The pages as HTML. All text is escaped, and rid of control and direction characters."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from agent.show import safe
from agent.viewer.asking import Job
from agent.viewer.compare import Comparison
from agent.viewer.marks import excerpt, segments
from agent.viewer.run import why_left
from agent.viewer.support import drawing
from agent.viewer.views import LANES, Listing, RunSummary, RunView, StepView
from graph.events import Citation
from graph.paths import plan_origin

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
_PARTS = ("head", "notices", "sources", "alternatives", "time", "calls", "about")
"""The macros of `_run.html` that render a part of a run; each is the id of its element too."""
SHOWN = 8
"""Candidates of a step that are shown at once; the others fold out."""
INLINE = 4
"""Steps whose evidence a page holds at once: a page of 100 takes a browser seconds. With 4 a run of
500 events opens in 0.8 s, with 12 in 1.3 (`benchmarks/surfaces.py`)."""
FAINT = 0.05
"""Weight below which a candidate is marked faintly: most readers mark something everywhere."""
_CITED = re.compile(r"\[(\d{1,4})\]")


def _harmless(value: object) -> object:
    """Strip control and direction characters from whatever text a template prints."""
    return safe(value) if isinstance(value, str) and not isinstance(value, Markup) else value


class CitedPiece(NamedTuple):
    """A piece of an answer: text, or the number of a citation."""

    text: str
    number: int | None


def cited(text: str, citations: Sequence[Citation]) -> list[CitedPiece]:
    """Cut an answer at the marks of its citations, such as [1]; other marks stay text."""
    known = {citation.number for citation in citations}
    pieces, place = [], 0
    for match in _CITED.finditer(text):
        if int(match[1]) in known:
            pieces.append(CitedPiece(text[place : match.start()], None))
            pieces.append(CitedPiece(match[0], int(match[1])))
            place = match.end()
    return [piece for piece in [*pieces, CitedPiece(text[place:], None)] if piece.text]


def web_link(url: str | None) -> str | None:
    """Return the address if it leads to the web and does nothing else: no `javascript:`."""
    if url is None or safe(url) != url:
        return None
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    return url.strip() if parts.scheme in {"http", "https"} and parts.netloc else None


def _seconds(value: float) -> str:
    if value >= 100:
        return f"{value:.0f} s"
    return f"{value:.1f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if whole else "–"


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _iso(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "seconds": _seconds,
        "share": _share,
        "when": _when,
        "iso": _iso,
        "segments": segments,
        "cited": cited,
        "web_link": web_link,
        "why_left": why_left,
    }
    made.globals |= {
        "LANES": LANES,
        "excerpt": excerpt,
        "drawing": drawing,
        "plan_origin": plan_origin,
        "SHOWN": SHOWN,
        "FAINT": FAINT,
    }
    return made


def _render(template: str, **values: object) -> str:
    return _environment().get_template(template).render(**values)


@functools.cache
def _static(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


# ── the pages ─────────────────────────────────────────────────────────────────────────────────


class Around(NamedTuple):
    """What a page needs besides what it shows."""

    form_token: str = ""
    forms: bool = False
    """Whether there is a server that takes forms."""
    own: bool = False
    """The run is under way on this server, which can stop it."""
    inline: frozenset[str] | None = None
    """The steps whose evidence is on the page; that of the others is fetched. None: all."""
    others: tuple[RunSummary, ...] = ()
    """Runs that it can be compared with."""


def inline(view: RunView) -> frozenset[str] | None:
    """Return the steps whose evidence the page holds at once: all, but where they are many.

    Then it is those of the path that gave the answer, and the first ones.
    """
    shown = [step.id for path in view.paths for step in path.steps if step.found]
    if len(shown) <= INLINE:
        return None
    chosen = [s.id for path in view.paths if path.state == "chosen" for s in path.steps]
    return frozenset([*chosen, *shown][:INLINE])


def pieces(view: RunView, around: Around) -> dict[str, str]:
    """Render the parts of a run that change while it is under way, by the id of their element."""
    if around.forms:
        around = around._replace(inline=inline(view))
    macros = _environment().get_template("_run.html").make_module({})
    shown = {name: str(getattr(macros, name)(view, around)) for name in _PARTS}
    one_path = getattr(macros, "path")  # noqa: B009
    return shown | {path.id: str(one_path(view, path, around)) for path in view.paths}


def run_page(view: RunView, around: Around) -> str:
    """The page of a run."""
    return _render("run.html", view=view, around=around, pieces=_marked(view, around))


def _marked(view: RunView, around: Around) -> Mapping[str, Markup]:
    return {name: Markup(html) for name, html in pieces(view, around).items()}


def step_page(view: RunView, step: StepView) -> str:
    """What a step was decided on, as a page of its own."""
    return _render("step.html", view=view, step=step)


def exported_page(view: RunView) -> str:
    """The page of a run as one file that needs no server and asks for nothing."""
    style, script = _static("viewer.css"), _static("viewer.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return _render(
        "exported.html",
        view=view,
        around=Around(),
        pieces=_marked(view, Around()),
        style=Markup(style),
        script=Markup(script),
        policy=policy,
    )


def list_page(listing: Listing, words: str, status: str | None, form_token: str) -> str:
    """The list of runs with its search and the form to ask."""
    return _render("list.html", listing=listing, words=words, status=status, form_token=form_token)


def compare_page(comparison: Comparison) -> str:
    """Two runs side by side."""
    return _render("compare.html", comparison=comparison)


def waiting_page(job: Job, before: int, form_token: str) -> str:
    """A question that has no run yet; it asks again by itself, unless it failed."""
    return _render("waiting.html", job=job, before=before, form_token=form_token)


def message_page(title: str, sentence: str) -> str:
    """One sentence: what was wrong."""
    return _render("message.html", title=title, sentence=sentence)
