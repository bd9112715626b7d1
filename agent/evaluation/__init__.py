"""Runs a system over a set of questions and scores it: what stands behind `hoptree eval`."""

from agent.errors import EvaluationError
from agent.evaluation.dataset import EvalQuestion, load_questions
from agent.evaluation.harness import Progress, System, SystemAnswer, evaluate, fingerprint
from agent.evaluation.rows import EvalRow, RowLog
from agent.evaluation.summary import EvalSummary, Slice, render, summarise

__all__ = [
    "EvalQuestion",
    "EvalRow",
    "EvalSummary",
    "EvaluationError",
    "Progress",
    "RowLog",
    "Slice",
    "System",
    "SystemAnswer",
    "evaluate",
    "fingerprint",
    "load_questions",
    "render",
    "summarise",
]
