"""`benchmarks/causes.py`: why the questions of an evaluation failed."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from agent.answer import Tree
from agent.evaluation import EvalRow

CAUSES = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "causes.py"))


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (("p1", "p3", "p4", "p5", "p6", "p7", "p2"), "reading"),
        (("p1#2", "p2#1"), "reading"),
        (("p1", "p1#1", "p20"), "retrieval"),
        ((), "retrieval"),
    ],
)
def test_a_supporting_passage_is_found_wherever_it_or_a_part_of_it_stands(
    found: tuple[str, ...], cause: str
) -> None:
    row = EvalRow(
        system="hoptree",
        fingerprint="f",
        id="a",
        question="Who?",
        answer="Ann",
        status="answered",
        em=0,
        f1=0,
        passages=found,
        supporting_passages=("p1", "p2"),
        extra={"tree": Tree(question="Who?").model_dump(mode="json")},
    )

    assert CAUSES["cause"](row) == cause
