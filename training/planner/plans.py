"""Whole plans to train an adapter on, written as the model is to write them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from benchmarks.planning import agrees, break_kind, right
from graph.planning import by_language, whole
from graph.planning.check import check, rank
from graph.planning.language import lookup
from graph.planning.learned import applied, prepared
from graph.planning.model import step_of, written_step
from graph.types import Plan, SubQuestion
from prompts.schemas import MOST_STEPS, ProposedPlan
from training.planner.alignment import splits_of
from training.planner.generate import generate
from training.planner.names import chinese_names, english_names
from training.planner.qdmr import is_chain, steps_of
from training.reader.examples import DevelopmentQuestionError, Guard, read_rows

_FOREIGN = 40
"""English films that Chinese questions may ask about."""


class PlanRow(BaseModel):
    """A question and its plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    """hotpot, cwq, 2wiki, xquad, strategyqa, composed-en or composed-zh."""
    kind: str
    question: str
    plan: ProposedPlan

    @property
    def written(self) -> str:
        """The plan as the model is to write it."""
        return json.dumps(self.plan.model_dump(), ensure_ascii=False)


def _row(source: str, kind: str, question: str, steps: Iterable[SubQuestion]) -> PlanRow:
    plan = ProposedPlan(steps=[written_step(step) for step in steps])
    return PlanRow(source=source, kind=kind, question=question, plan=plan)


def break_plans(path: Path) -> Iterator[tuple[int, PlanRow]]:
    """Yield the place of each usable row of Break among its source's, and its plan.

    A chain is taken apart where its QDMR steps stand in the question, so that its sub-questions
    ask in the question's words. Of two things only those plans of grammar are taken that agree
    with QDMR, which tells neither operators nor labels. DROP's questions are left out.
    """
    place: dict[str, int] = {}
    for row in read_rows(path):
        source = row["id"].partition("_")[0].lower()
        number = place[source] = place.get(source, -1) + 1
        question, kind = " ".join(row["question"].split()), break_kind(row)
        if source == "drop" or kind == "other":
            continue
        if kind in {"single", "filter"}:
            yield number, _row(source, kind, question, whole(question).steps)
        elif kind in {"bridge", "count"}:
            steps = _chain(question, steps_of(row))
            if steps is not None and not check(question, _plan(steps)):
                yield number, _row(source, kind, question, steps)
        else:
            plans = rank(question, by_language(question))
            agreed = next((plan for plan in plans if agrees(row, kind, plan)), None)
            if agreed is not None and len(agreed.steps) <= MOST_STEPS:
                yield number, _row(source, kind, question, agreed.steps)


def _plan(steps: Iterable[SubQuestion]) -> Plan:
    return Plan(steps=tuple(steps), planner="gold", score=1.0)


def _chain(question: str, gold: list[str]) -> list[SubQuestion] | None:
    found = splits_of(question, gold) if len(gold) > 1 and is_chain(gold) else None
    if found is None:
        return None
    steps = []
    for number, decision in enumerate(found[:-1], 1):
        asked, _ = applied(prepared(decision.text), decision.right[0], number)
        steps.append(lookup(asked))
    return [*steps, lookup(found[-1].text)]


def hop_plans(path: Path) -> Iterator[tuple[int, PlanRow]]:
    """Yield plans of 2WikiMultihopQA: those of grammar that ask the gold hops and decide right."""
    for number, row in enumerate(read_rows(path)):
        question = " ".join(row["question"].split())
        for plan in rank(question, by_language(question))[:1]:
            if all(right(row, plan)):
                yield number, _row("2wiki", row["type"], question, plan.steps)


def one_hop_plans(path: Path) -> Iterator[tuple[int, PlanRow]]:
    """Yield questions that one passage answers, left whole."""
    for number, row in enumerate(read_rows(path)):
        question = " ".join(row["question"].split())
        yield number, _row("xquad", "single", question, whole(question).steps)


def strategy_plans(path: Path) -> Iterator[tuple[int, PlanRow]]:
    """Yield the plans of StrategyQA that the check of plans lets through."""
    for number, row in enumerate(read_rows(path)):
        question = " ".join(row["question"].split())
        steps = [step_of(" ".join(text.split()), question) for text in row["steps"]]
        if 1 < len(steps) <= MOST_STEPS and not check(question, _plan(steps)):
            yield number, _row("strategyqa", "strategy", question, steps)


def composed_plans(
    folder: Path, held_out_every: int, most: dict[str, int], seed: int
) -> Iterator[tuple[int, PlanRow]]:
    """Yield composed questions with their plans, of each language in which `most` asks for some.

    So many are made that `most` are left without the held-out ones.
    """
    wanted = {
        language: most.get(f"composed-{language}", 0) * held_out_every / (held_out_every - 1)
        for language in ("en", "zh")
    }
    if not any(wanted.values()):
        return
    english = english_names(folder / "hops-2wikimultihopqa.jsonl", held_out_every)
    for language, count in wanted.items():
        if not count:
            continue
        films = english.of.get("film", ())[:_FOREIGN]
        names = english if language == "en" else chinese_names(folder, films)
        for number, made in enumerate(generate(language, names, seed, math.ceil(count))):
            plan = ProposedPlan(steps=list(made.steps))
            told = {"source": f"composed-{language}", "kind": made.kind}
            yield number, PlanRow(**told, question=made.question, plan=plan)


def plan_rows(
    data: Path, held_out_every: int, most: dict[str, int], seed: int = 0
) -> tuple[list[PlanRow], list[PlanRow]]:
    """Return the training and the held-out plans, none of a development question.

    `most` bounds the training rows of a source; of composed ones, so many are made, by `seed`.

    Raises
    ------
    DevelopmentQuestionError
        Where one got through all the same.
    """
    guard = Guard(data)
    train: list[PlanRow] = []
    held: list[PlanRow] = []
    folder = data / "train"
    sources = [
        break_plans(folder / "plans-break.jsonl"),
        hop_plans(folder / "hops-2wikimultihopqa.jsonl"),
        one_hop_plans(folder / "reading-xquad-en.jsonl"),
        strategy_plans(folder / "plans-strategyqa.jsonl"),
        composed_plans(folder, held_out_every, most, seed),
    ]
    taken: dict[str, int] = {}
    spared: set[str] = set()
    for source in sources:
        for number, row in source:
            if guard.drops(row.question) or row.question in spared:
                continue
            if number % held_out_every == 0:
                held.append(row)
                spared.add(row.question)
            elif taken.get(row.source, 0) < most.get(row.source, math.inf):
                taken[row.source] = taken.get(row.source, 0) + 1
                train.append(row)
    for row in train:
        if any(guard.drops(text) for text in (row.question, *_texts(row))):
            raise DevelopmentQuestionError(
                f"development question among the training rows: {row.question!r}"
            )
    return train, held


def _texts(row: PlanRow) -> list[Any]:
    return list(row.plan.steps)
