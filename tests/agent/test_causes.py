"""`benchmarks/causes.py` and `reading.py`: why the questions of an evaluation failed."""

from __future__ import annotations

import pathlib
import runpy

import pytest

from agent.answer import PathTaken, StepTaken, Tree
from agent.evaluation import EvalRow
from benchmarks.reading import lost, way
from graph.events import CandidatesRead, Event, PathOpened, Planned, Retrieved, Voted
from graph.types import AnswerType, Candidate, Path, Plan, StepResult, SubQuestion, Verdict
from retrievers.passage import Hit, Passage

CAUSES = runpy.run_path(str(pathlib.Path(__file__).parents[2] / "benchmarks" / "causes.py"))


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


@pytest.mark.parametrize(
    ("ended", "prediction", "text", "expected"),
    [
        (["Linz"], "Linz", "She was born in Linz [1].", None),
        (["Linz"], "Linz", "She was born in Austria [1].", "composing"),
        (["Linz"], "in 1906", "She was born in 1906 [1].", "composing"),
        (["Graz", "Linz"], "Graz", "She was born in Graz [1].", "vote"),
        (["Graz"], "Graz", "She was born in Graz [1].", "reading"),
    ],
)
def test_a_right_verdict_that_the_written_answer_loses_failed_by_composing(
    ended: list[str], prediction: str, text: str, expected: str | None
) -> None:
    steps = [
        StepTaken(
            step=1,
            result=StepResult(
                question="Where?", verdict=Verdict(answer=answer, confidence=0.5, margin=0.5)
            ),
        )
        for answer in ended
    ]
    paths = tuple(
        PathTaken(number=n, plan=0, origin="", steps=(step,), answer=answer, confidence=1 / n)
        for n, (step, answer) in enumerate(zip(steps, ended, strict=True), 1)
    )
    tree = Tree(question="Where?", paths=paths).model_dump(mode="json")
    row = EvalRow(
        system="hoptree",
        fingerprint="f",
        id="a",
        question="Where?",
        answer="Linz",
        prediction=prediction,
        status="answered",
        em=float(prediction == "Linz"),
        f1=float(prediction == "Linz"),
        extra={"tree": tree, "text": text},
    )
    assert CAUSES["cause"](row) == expected


TEXT = "Ann Lee was born in the small town of Linz, in 1906, to Susan Lee."


def span(text: str, score: float) -> Candidate:
    at = TEXT.index(text)
    return Candidate(
        passage_id="p1", text=text, start=at, end=at + len(text), score=score, no_answer=0.1
    )


@pytest.mark.parametrize(
    ("spans", "said", "answer", "before", "where"),
    [
        (["Linz"], "Linz, in 1906", "Linz", [], "form"),
        (["1906"], "1906", "Linz", ["Ann Lee"], "earlier step, not read"),
        (["1906", "Ann Lee"], "1906", "Linz", ["Ann Lee"], "earlier step, read"),
        (["1906"], "Susan Lee", "Linz", ["Susan Lee"], "never asked"),
        (["1906", "Linz"], "1906", "Linz", [], "outvoted, not best"),
        (["Linz", "Susan Lee"], "Susan Lee", "Linz", [], "outvoted, best of a passage"),
        (["1906", "the small town"], "1906", "the small town", [], "refused"),
        (["the small town"], "1906", "the small town", [], "outvoted, best of a passage"),
        (["1906"], "1906", "Vienna", [], "not stated"),
        (["of Linz, in 1906, to Susan Lee", "1906"], "1906", "Linz", [], "cut"),
        (["1906"], "1906", "Linz", [], "not read"),
    ],
)
def test_an_answer_is_lost_at_the_first_place_where_it_is_missed(
    spans: list[str], said: str, answer: str, before: list[str], where: str
) -> None:
    question = "Where was she born?"
    passage = Passage(id="p1", title="Ann Lee", text=TEXT)
    read = tuple(span(text, 0.5 / (place + 1)) for place, text in enumerate(spans))
    verdict = Verdict(answer=said, confidence=0.5, margin=0.5)
    plan = Plan(steps=(SubQuestion(text=question, expects=AnswerType.PLACE),), planner="p", score=1)
    events: list[Event] = [
        Planned(plans=(plan,)),
        PathOpened(number=1, path=Path(plan=0, origin="plan 1", prior=1)),
        Retrieved(queries=(question,), hits=((Hit(passage=passage, score=1.0),),), seconds=0),
        CandidatesRead(step=1, question=question, candidates=read, seconds=0),
        Voted(step=1, result=StepResult(question=question, verdict=verdict)),
    ]
    row = EvalRow(
        system="hoptree",
        fingerprint="f",
        id="a",
        question=question,
        answer=answer,
        prediction=said,
        status="answered",
        em=0,
        f1=0,
        supporting_passages=("p1",),
    )
    assert lost(row, events, before) == where


def test_the_way_to_an_answer_is_read_off_a_chain_only() -> None:
    chain = {"decomposition": [{"answer": "Ann Lee"}, {"answer": "Linz"}]}
    triples = [["Air", "director", "Ann Lee"], ["Ann Lee", "place of birth", "Linz"]]
    assert way(chain) == ["Ann Lee"]
    assert way({"evidences": triples, "type": "compositional"}) == ["Ann Lee"]
    assert way({"evidences": triples, "type": "comparison"}) == []
