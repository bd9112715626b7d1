"""How the OR/AND tree of a run looks in a terminal."""

from __future__ import annotations

from rich.text import Text
from rich.tree import Tree as Drawing

from agent.show import one_line
from graph.paths import plan_origin
from graph.tree import AnswerNode, Node, PlanNode, QuestionNode, StepNode, WordingNode

_STYLES = {"solved": "green", "failed": "red", "open": "yellow", "untried": "dim"}
_MARKS = {"solved": "✓", "failed": "✗", "open": "…", "untried": "·"}


def outline(root: QuestionNode, language: str) -> Drawing:
    """Draw the question, its plans, their steps, and the wordings and answers of each.

    `language` is that of the run, in which plans are named.

    Behind a plan stands the estimate of its success, behind an answer its own confidence.
    """
    drawing = Drawing(_line(root, root.question, style="bold"))
    for plan in root.plans:
        _plan(drawing.add(_headline(plan, language)), plan)
    return drawing


def _headline(plan: PlanNode, language: str) -> Text:
    line = _line(plan, plan_origin(plan.number, plan.planner, language))
    if plan.answer is not None:
        line.append(" → ").append(one_line(plan.answer), "green")
    return line.append(f" ({plan.estimate:.2f})").append(_fate(plan), _STYLES[plan.state])


def _plan(drawing: Drawing, plan: PlanNode) -> None:
    for step in plan.steps:
        alone = step.wordings[0] if len(step.wordings) == 1 else None
        if alone is not None and not alone.reworded:
            _answers(drawing.add(_asked(alone, step, f"{step.number}. ")), alone, step)
            continue
        branch = drawing.add(_line(step, f"{step.number}. {step.text}"))
        for wording in step.wordings:
            _answers(branch.add(_asked(wording, step)), wording, step)


def _asked(wording: WordingNode, step: StepNode, number: str = "") -> Text:
    line = _line(wording, number + wording.question)
    if wording.reworded:
        line.append(" (reworded)", "dim")
    if len(wording.answers) == 1:
        line.append(" → ").append_text(_answer(wording.answers[0], step))
    return line.append(_fate(wording, step.number), _STYLES[wording.state])


def _answers(drawing: Drawing, wording: WordingNode, step: StepNode) -> None:
    if len(wording.answers) > 1:
        for answer in wording.answers:
            line = _line(answer, "").append_text(_answer(answer, step))
            drawing.add(line.append(_fate(answer, step.number), _STYLES[answer.state]))


def _answer(answer: AnswerNode, step: StepNode) -> Text:
    text = Text(one_line(answer.text), _STYLES[answer.state])
    return text if step.kind == "operator" else text.append(f" ({answer.confidence:.2f})", "dim")


def _line(node: Node, text: str, style: str = "") -> Text:
    return Text(f"{_MARKS[node.state]} ", _STYLES[node.state]).append(one_line(text), style)


def _fate(node: Node, step: int | None = None) -> str:
    """Say what became of a node, and on which paths; a failure is told in full where it was."""
    told = " not tried"
    if node.paths:
        told = f" {'path' if len(node.paths) == 1 else 'paths'} {', '.join(map(str, node.paths))}"
    if node.failure is None:
        return told
    if step is None or node.failure.step == step:
        return f"{told}: {one_line(node.failure.detail)}"
    return f"{told}: left at step {node.failure.step}"
