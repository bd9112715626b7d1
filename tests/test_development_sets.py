"""The whole development sets, where they are: loaded, planned, and one of them searched."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.evaluation import load_questions
from agent.metrics import recall_at
from graph.planning import propose
from graph.planning.check import check
from graph.planning.substitute import unreferenced
from retrievers.documents import Document, split
from retrievers.embedded import EmbeddedIndex
from retrievers.encoder import MiniLMEncoder
from retrievers.loaders import load

DATA = Path(__file__).parents[2] / "shared" / "data"
SETS = ("hotpotqa", "2wikimultihopqa", "musique", "cmrc2018")
LEAST_SPLIT = {"hotpotqa": 0.3, "2wikimultihopqa": 0.9, "musique": 0.6, "cmrc2018": 0.0}
"""Shares of questions that must get a plan of several steps; those of cmrc2018 have one hop."""
BM25_HOTPOTQA = 81.0
"""Recall@5 of the BM25 baseline that comes with the data."""

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the development sets are not at {DATA}"),
]


@pytest.mark.parametrize("name", SETS)
async def test_every_question_gets_plans_that_hold_and_the_whole_question_last(name: str) -> None:
    questions = load_questions(DATA / name)
    split_up = 0
    for question in questions:
        plans = await propose(question.question)
        assert [plan.planner for plan in plans].index("whole-question") == len(plans) - 1
        for plan in plans:
            assert check(unreferenced(question.question), plan) == [], question.question
        split_up += len(plans[0].steps) > 1
    assert split_up >= LEAST_SPLIT[name] * len(questions)


@pytest.mark.parametrize("name", SETS)
def test_every_passage_of_a_corpus_is_loaded_and_split_with_its_place_kept(name: str) -> None:
    loaded = list(load([DATA / name / "corpus.jsonl"]))
    documents = [document for document in loaded if isinstance(document, Document)]
    assert len(documents) == len(loaded) > 0
    for document in documents:
        passages = list(split(document))
        assert passages
        for passage in passages:
            end = passage.offset + len(passage.text)
            assert document.text[passage.offset : end] == passage.text


async def test_the_embedded_index_finds_more_than_bm25_on_all_of_hotpotqa(
    tmp_path: Path, encoder: MiniLMEncoder
) -> None:
    index = EmbeddedIndex.create(tmp_path / "index", encoder)
    await index.aindex(load([DATA / "hotpotqa" / "corpus.jsonl"]))
    questions = load_questions(DATA / "hotpotqa")
    found = await index.search([question.question for question in questions], k=5)
    await index.aclose()
    recalls = [
        recall_at(5, [hit.passage.id for hit in hits], question.supporting_passages) or 0.0
        for question, hits in zip(questions, found, strict=True)
    ]
    assert 100 * sum(recalls) / len(recalls) > BM25_HOTPOTQA
