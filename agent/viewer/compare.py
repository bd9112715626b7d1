"""Two runs side by side, and where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.viewer.views import LANES, RunView, StepView, View
from graph.normalise import same_answer
from graph.state import memory_key


class Figure(View):
    """One thing that both runs have, in words."""

    name: str
    a: str
    b: str
    differs: bool


class StepPair(View):
    """A sub-question that one of the runs asked, or both, with what each found."""

    question: str
    a: StepView | None
    b: StepView | None
    differs: bool
    only_a: tuple[str, ...] = ()
    """Ids of the passages that only the first run read for it."""
    only_b: tuple[str, ...] = ()


class Comparison(View):
    """Two runs, what differs between them first in words, then figure by figure, step by step."""

    a: RunView
    b: RunView
    told: tuple[str, ...]
    figures: tuple[Figure, ...]
    settings: tuple[Figure, ...]
    """Those that differ."""
    steps: tuple[StepPair, ...]


def compare(a: RunView, b: RunView) -> Comparison:
    """Lay two runs side by side: sub-questions are matched by their text."""
    steps = tuple(_pairs(a, b))
    settings = tuple(
        Figure(
            name=name, a=_shown(a.settings.get(name)), b=_shown(b.settings.get(name)), differs=True
        )
        for name in dict.fromkeys([*a.settings, *b.settings])
        if a.settings.get(name) != b.settings.get(name)
    )
    return Comparison(
        a=a,
        b=b,
        told=tuple(_told(a, b, steps, settings)),
        figures=tuple(_figures(a, b)),
        settings=settings,
        steps=steps,
    )


def _shown(value: object) -> str:
    return "–" if value is None else str(value)


def _figures(a: RunView, b: RunView) -> Iterable[Figure]:
    def figure(name: str, one: object, other: object) -> Figure:
        left, right = _shown(one), _shown(other)
        return Figure(name=name, a=left, b=right, differs=left != right)

    def confidence(run: RunView) -> str | None:
        return None if run.confidence is None else f"{run.confidence:.2f}"

    yield figure("Question", a.question, b.question)
    yield figure("Status", a.status.replace("_", " "), b.status.replace("_", " "))
    yield figure("Answer", a.answer, b.answer)
    yield figure("Confidence", confidence(a), confidence(b))
    yield figure("Plans", a.plans, b.plans)
    yield figure("Paths", len(a.paths), len(b.paths))
    yield figure("Citations", _cited(a), _cited(b))
    yield figure("Retrieval calls", a.usage.retrieval_calls, b.usage.retrieval_calls)
    yield figure("Model calls", a.usage.model_calls, b.usage.model_calls)
    yield figure("Prompt tokens", a.usage.input_tokens, b.usage.input_tokens)
    yield figure("of them cached", a.usage.cached_tokens, b.usage.cached_tokens)
    yield figure("Generated tokens", a.usage.output_tokens, b.usage.output_tokens)
    # Times differ from run to run, which is no difference to point out.
    timed = [("Seconds", a.usage.seconds, b.usage.seconds)]
    timed += [
        (f"Seconds, {lane}", a.timeline.totals[lane], b.timeline.totals[lane]) for lane in LANES
    ]
    for name, one, other in timed:
        yield Figure(name=name, a=f"{one:.1f}", b=f"{other:.1f}", differs=False)


def _cited(run: RunView) -> str:
    return "; ".join(c.passage.title or c.passage.id for c in run.citations) or "none"


def _by_question(run: RunView) -> dict[str, StepView]:
    """Return the step that decided each sub-question; one that was only planned, if none did."""
    steps: dict[str, StepView] = {}
    for path in run.paths:
        for step in path.steps:
            known = steps.get(memory_key(step.question))
            if known is None or (known.result is None and step.result is not None):
                steps[memory_key(step.question)] = step
    return steps


def _matched(a: RunView, b: RunView) -> Iterable[tuple[str, StepView | None, StepView | None]]:
    """Match steps that ask the same, then those that ask the same of other answers.

    "When was #1 born?" is one step, whoever #1 turned out to be.
    """
    of_a, of_b = _by_question(a), _by_question(b)
    alone = {step.planned: key for key, step in reversed(of_b.items()) if key not in of_a}
    matched: dict[str, str] = {}
    for key, step in of_a.items():
        twin = key if key in of_b else alone.get(step.planned)
        if twin is not None and twin not in matched.values():
            matched[key] = twin
    for key, step in of_a.items():
        other = of_b[matched[key]] if key in matched else None
        same = other is None or matched[key] == key
        yield step.question if same else step.planned, step, other
    for key, step in of_b.items():
        if key not in matched.values():
            yield step.question, None, step


def _pairs(a: RunView, b: RunView) -> Iterable[StepPair]:
    for question, one, other in _matched(a, b):
        found_a = {found.passage for found in one.found} if one else set()
        found_b = {found.passage for found in other.found} if other else set()
        both = one is not None and other is not None and found_a and found_b
        yield StepPair(
            question=question,
            a=one,
            b=other,
            differs=one is None or other is None or not _agree(one, other),
            only_a=tuple(sorted(found_a - found_b)) if both else (),
            only_b=tuple(sorted(found_b - found_a)) if both else (),
        )


def _agree(one: StepView, other: StepView) -> bool:
    if one.answer is None or other.answer is None:
        return one.answer == other.answer
    return same_answer(one.answer, other.answer)


def _told(
    a: RunView, b: RunView, steps: Sequence[StepPair], settings: Sequence[Figure]
) -> Iterable[str]:
    """Say in sentences what matters most of what differs."""
    for run, name, of, parent in ((b, "B", "A", a), (a, "A", "B", b)):
        if run.forked_from == parent.run and run.corrected is not None:
            yield (
                f"{name} is forked from {of}: a person answered step {run.corrected.step} "
                f"with “{run.corrected.answer}”."
            )
    if a.question != b.question:
        yield "They answer different questions."
    if a.status != b.status:
        yield f"A is {a.status.replace('_', ' ')}, B is {b.status.replace('_', ' ')}."
    elif a.answer != b.answer:
        same = a.answer is not None and b.answer is not None and same_answer(a.answer, b.answer)
        words = "the same answer in other words" if same else "another answer"
        yield f"B gives {words}: “{_shown(b.answer)}” for “{_shown(a.answer)}”."
    first = next((pair for pair in steps if pair.a and pair.b and pair.differs), None)
    if first is not None and first.a and first.b:
        yield (
            f"They part at “{first.question}”: A says “{_shown(first.a.answer)}”, "
            f"B says “{_shown(first.b.answer)}”."
        )
    alone_a = sum(pair.b is None for pair in steps)
    alone_b = sum(pair.a is None for pair in steps)
    if alone_a or alone_b:
        yield f"{_count(alone_a)} asked by A alone, {_count(alone_b)} by B alone."
    if settings:
        yield "Settings that differ: " + ", ".join(figure.name for figure in settings) + "."
    if a.question == b.question and a.answer == b.answer and not any(p.differs for p in steps):
        yield "Both found the same, step by step."


def _count(number: int) -> str:
    return f"{number} sub-question{'' if number == 1 else 's'}"
