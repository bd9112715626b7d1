"""The sample that ships: whole, and with questions that it can answer."""

from __future__ import annotations

from collections import Counter

from agent.evaluation import load_questions
from agent.sample import corpus_path, questions_path
from retrievers.analysis import language_of
from retrievers.documents import Document
from retrievers.loaders import load


def documents() -> list[Document]:
    loaded = list(load([corpus_path()]))
    assert all(isinstance(document, Document) for document in loaded)
    return [document for document in loaded if isinstance(document, Document)]


def test_every_passage_of_the_sample_loads_with_an_id_of_its_own() -> None:
    found = documents()
    assert len({document.id for document in found}) == len(found) == 360
    assert all(document.text.strip() for document in found)
    languages = Counter(language_of(document.text) for document in found)
    assert languages == {"en": 240, "zh": 120}


def test_every_question_of_the_sample_has_its_evidence_in_it() -> None:
    questions = load_questions(questions_path().parent)
    ids = {document.id for document in documents()}
    assert len(questions) == 40
    for question in questions:
        assert question.supporting_passages
        assert ids.issuperset(question.supporting_passages), question.id
    assert Counter(language_of(q.question) for q in questions) == {"en": 20, "zh": 20}


def test_half_of_the_sample_questions_need_two_passages() -> None:
    questions = load_questions(questions_path().parent)
    assert Counter(len(set(q.supporting_passages)) for q in questions) == {2: 20, 1: 20}


def test_extractive_answers_stand_in_their_passage() -> None:
    texts = {document.id: document.text for document in documents()}
    extractive = [
        q for q in load_questions(questions_path().parent) if q.type in {"extractive", "bridge"}
    ]
    stated = [
        question
        for question in extractive
        if any(
            answer.casefold() in texts[passage].casefold()
            for passage in question.supporting_passages
            for answer in question.answers
        )
    ]
    assert len(stated) >= 0.9 * len(extractive) > 0


def test_the_sample_names_its_sources_and_their_licence() -> None:
    notice = corpus_path().with_name("LICENSE.md").read_text(encoding="utf-8")
    assert "HotpotQA" in notice and "CMRC 2018" in notice and "CC BY-SA 4.0" in notice
