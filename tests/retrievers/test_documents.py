"""Documents as they come in, and the passages split off them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from retrievers.documents import LONGEST, OVERLAP, Document, document_of, split

# Long texts of sentences, Chinese sentences, paragraphs, words without an end, and blanks.
pieces = st.sampled_from(
    (
        *("One sentence here. ", "又一句话在这里。", "！”", "\n\n", "\n", "Why? ", "é", "\r\n"),
        *("word " * 40, "字" * 500, "x" * 700, " " * 800),
    )
)
texts = st.lists(pieces, min_size=1, max_size=40).map("".join).filter(str.strip)


@settings(max_examples=200)
@given(texts)
def test_every_passage_is_the_documents_own_text_at_its_offset(text: str) -> None:
    for passage in split(Document(id="d", text=text)):
        assert text[passage.offset : passage.offset + len(passage.text)] == passage.text


@settings(max_examples=200)
@given(texts)
def test_passages_cover_the_document_and_overlap_little(text: str) -> None:
    passages = list(split(Document(id="d", text=text)))
    end = 0
    for passage in passages:
        assert not text[end : passage.offset].strip()
        assert passage.offset >= end - OVERLAP
        assert 0 < len(passage.text) <= LONGEST
        assert passage.text.strip()
        end = passage.offset + len(passage.text)
    assert not text[end:].strip()
    assert len({p.id for p in passages}) == len(passages)


def test_short_document_stays_whole_and_keeps_its_id() -> None:
    [passage] = split(Document(id="d", text="x" * LONGEST, title="T", url="u", source="s"))

    assert (passage.id, passage.document, passage.offset) == ("d", "d", 0)
    assert (passage.title, passage.url, passage.source) == ("T", "u", "s")


def test_long_document_becomes_numbered_passages() -> None:
    passages = list(split(Document(id="d", title="T", text="A full sentence. " * 200)))

    assert [p.id for p in passages] == [f"d#{n}" for n in range(1, len(passages) + 1)]
    assert {p.document for p in passages} == {"d"}
    assert {p.title for p in passages} == {"T"}


@pytest.mark.parametrize("sentence", ["This is a sentence. ", "他说：“这是一句话。”", "真的吗？"])
def test_passages_begin_and_end_with_a_sentence(sentence: str) -> None:
    for passage in split(Document(id="d", text=sentence * 300)):
        assert passage.text.startswith(sentence[:4])
        assert passage.text.endswith(sentence)


def test_text_without_sentences_is_cut_between_words() -> None:
    first, *_ = split(Document(id="d", text="word " * 1000))

    assert first.text.endswith("word ")


def test_neighbours_share_a_sentence_where_one_fits() -> None:
    first, second, *_ = split(Document(id="d", text="A short sentence of words. " * 200))

    assert second.offset < len(first.text)


@pytest.mark.parametrize("name", ["id", "_id", "docid", "doc_id", "pid"])
def test_common_names_of_the_id_are_understood(name: str) -> None:
    assert Document.model_validate({name: 7, "text": "x"}).id == "7"


@pytest.mark.parametrize("name", ["text", "contents", "content", "passage", "body", "paragraph"])
def test_common_names_of_the_text_are_understood(name: str) -> None:
    assert Document.model_validate({"id": "a", name: "x"}).text == "x"


@pytest.mark.parametrize("name", ["title", "name", "headline"])
def test_common_names_of_the_title_are_understood(name: str) -> None:
    assert Document.model_validate({"id": "a", "text": "x", name: "T"}).title == "T"


def test_null_is_as_good_as_absent() -> None:
    given_null = {"id": "a", "text": "x", "title": None, "source": None, "metadata": None}

    assert Document.model_validate(given_null) == Document(id="a", text="x")


@pytest.mark.parametrize(
    "row",
    [
        {"id": " ", "text": "x"},
        {"id": "a", "text": "\n"},
        {"text": "x"},
        {"id": "a", "text": "\ud800"},
        {"id": "a", "text": "x", "metadata": {"k": "\udfff"}},
    ],
)
def test_document_that_cannot_be_indexed_is_refused(row: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Document.model_validate(row)


def test_digest_follows_what_is_indexed_and_not_the_file() -> None:
    document = Document(id="a", text="x", file="one")

    assert document.digest == Document(id="a", text="x", file="two").digest
    assert document.digest != Document(id="a", text="x", title="T").digest


@settings(max_examples=100)
@given(texts, st.text("ab#/1", min_size=1).filter(lambda id_: not id_.rpartition("#")[2].isdigit()))
def test_passage_id_tells_its_document(text: str, id_: str) -> None:
    for passage in split(Document(id=id_, text=text)):
        assert document_of(passage.id) == passage.document == id_


@pytest.mark.parametrize("id_", ["d#0", "d#", "d#x", "#1", "d#1a", "d#1\n", "d#²"])
def test_what_is_no_part_is_its_own_document(id_: str) -> None:
    assert document_of(id_) == id_
